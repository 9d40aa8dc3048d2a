import Foundation
import HTTPServer

/// A certificate authority and the server certificate that it signed, made by the `openssl` program.
struct CertificateAuthority {
    let authorityFile: String
    let identity: ServerIdentity

    /// Google's names that the certificate covers beside localhost.
    private static let names = [
        "localhost", "photoslibrary.googleapis.com", "storage.googleapis.com", "oauth2.googleapis.com",
        "accounts.google.com", "www.googleapis.com", "photos.google.com", "*.googleusercontent.com", "*.googleapis.com",
    ]

    /// Takes up what an earlier start made in the folder, if it is all there.
    init(directory: String, addresses: [String]) throws {
        let authority = directory + "/ca.pem"
        let certificate = directory + "/server.pem"
        let key = directory + "/server.key"
        let isThere = [authority, certificate, key].allSatisfy { FileManager.default.fileExists(atPath: $0) }
        if !isThere { try Self.make(directory: directory, addresses: addresses) }
        authorityFile = authority
        identity = ServerIdentity(
            certificatePEM: try String(contentsOfFile: certificate, encoding: .utf8),
            keyPEM: try String(contentsOfFile: key, encoding: .utf8)
        )
    }

    private static func make(directory: String, addresses: [String]) throws {
        let alternatives =
            names.map { "DNS:\($0)" } + Set(["127.0.0.1"] + addresses).sorted().map { "IP:\($0)" }
        let extensions = """
            basicConstraints=critical,CA:FALSE
            keyUsage=critical,digitalSignature
            extendedKeyUsage=serverAuth
            subjectAltName=\(alternatives.joined(separator: ","))

            """
        try extensions.write(toFile: directory + "/server.ext", atomically: true, encoding: .utf8)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try openssl(
            in: directory,
            ["req", "-x509"] + key + [
                "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=photos-simulator CA", "-addext",
                "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            ]
        )
        try openssl(
            in: directory,
            ["req", "-new"] + key + ["-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost"]
        )
        try openssl(
            in: directory,
            [
                "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
                "server.pem", "-days", "30", "-sha256", "-extfile", "server.ext",
            ]
        )
    }

    private static func openssl(in directory: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = URL(filePath: directory)
        let output = Pipe()
        process.standardError = output
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let said = String(decoding: text.suffix(400), as: UTF8.self)
            throw SimulatorError(description: "the openssl program made no certificate (is it installed?): \(said)")
        }
    }
}
