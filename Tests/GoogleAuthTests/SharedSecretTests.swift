import Foundation
import Testing

@testable import GoogleAuth

@Suite struct SharedSecretTests {
    private func withFile(_ content: String, mode: Int = 0o600, _ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "secret-" + UUID().uuidString
        try Data(content.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    private func refusal(_ path: String) -> String {
        do throws(AuthError) {
            _ = try SharedSecret(file: path)
            return ""
        } catch {
            return error.message
        }
    }

    @Test func `the secret matches itself and nothing else`() throws {
        for ending in ["", "\n", "\r\n"] {
            try withFile("0123456789abcdef" + ending) { path in
                let secret = try SharedSecret(file: path)
                #expect(secret.matches("0123456789abcdef"))
                for other in ["", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeF", "0123456789abcdef\n"] {
                    #expect(!secret.matches(other))
                }
            }
        }
    }

    @Test func `a file that cannot hold a secret is refused with what to do`() throws {
        for content in [
            "", "\n", "0123456789abcde", "0123456789 abcdef", "two\nlines-of-a-secret",
            String(repeating: "x", count: 513),
        ] {
            try withFile(content) { path in
                #expect(refusal(path).contains("openssl rand"), "\(content)")
                #expect(content.count < 5 || !refusal(path).contains(content))
            }
        }
        #expect(refusal("/missing/secret").contains("is not there"))
        #expect(refusal(NSTemporaryDirectory()).contains("is no file"))
        for mode in [0o644, 0o640, 0o602] {
            try withFile("0123456789abcdef", mode: mode) { #expect(refusal($0).contains("chmod 600")) }
        }
    }
}
