import Foundation
import HTTPClient
import Testing

/// Certificates are checked, by the bundle that the configuration names.
@Suite(.timeLimit(.minutes(5))) struct TLSTests {
    /// `openssl s_server` with a certificate of its own, for 127.0.0.1 only.
    final class Server {
        let folder: URL
        let process = Process()
        let port: Int
        var certificate: String { folder.appending(path: "cert.pem").path }

        init() throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
            let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"]
            let request = Process()
            request.arguments = ["openssl", "req", "-x509", "-days", "2", "-out", "cert.pem"] + key + subject
            request.standardError = FileHandle.nullDevice
            request.executableURL = URL(filePath: "/usr/bin/env")
            request.currentDirectoryURL = folder
            try request.run()
            request.waitUntilExit()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [
                "openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", "cert.pem", "-key", "key.pem",
            ]
            process.currentDirectoryURL = folder
            let output = Pipe()
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            // "ACCEPT 127.0.0.1:PORT" says when it listens, and where.
            var text = ""
            while !text.contains("ACCEPT") || !text.hasSuffix("\n") {
                let data = output.fileHandleForReading.availableData
                guard !data.isEmpty else { break }
                text += String(decoding: data, as: UTF8.self)
            }
            let line = text.split(separator: "\n").first { $0.hasPrefix("ACCEPT") }
            port = try #require(line?.split(separator: ":").last.flatMap { Int($0) })
        }

        deinit {
            // The child inherits the signal mask of the thread that started it, which may hold SIGTERM back.
            kill(process.processIdentifier, SIGKILL)
            try? FileManager.default.removeItem(at: folder)
        }
    }

    static func client(_ authorities: String?) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthorities = authorities
        return HTTPClient(configuration)
    }

    @Test func onlyCertificatesOfTheConfiguredAuthoritiesAreTrusted() async throws {
        let server = try Server()
        let request = HTTPRequest("GET", "https://127.0.0.1:\(server.port)/")
        #expect(try await Self.client(server.certificate).send(request).status == 200)

        let other = try Server()
        for client in [Self.client(other.certificate), Self.client("/nonexistent.pem")] {
            let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
            #expect(error?.code == .untrusted)
            #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
        }
    }

    @Test func aCertificateForAnotherNameIsNotTrusted() async throws {
        let server = try Server()
        let request = HTTPRequest("GET", "https://localhost:\(server.port)/")
        let error = await #expect(throws: HTTPError.self) { try await Self.client(server.certificate).send(request) }
        #expect(error?.code == .untrusted)
    }

    @Test func `a server that takes what the client prefers does not get the dearest cipher`() async throws {
        let server = try Server()
        let request = HTTPRequest("GET", "https://127.0.0.1:\(server.port)/")
        let page = String(decoding: try await Self.client(server.certificate).send(request).body, as: UTF8.self)
        let chosen = try #require(page.firstMatch(of: /Cipher is (TLS_\w+)/)).output.1
        #expect(["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"].contains(String(chosen)))
    }
}
