import Foundation
import Testing

@testable import GoogleAuth

/// What a service account signs, judged by Google's own library.
@Suite(.timeLimit(.minutes(5))) struct AssertionTests {
    /// Reads an assertion from standard input and prints its claims; ends with 1, and why, where google-auth refuses it.
    private static let judge = """
        import json, sys
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
        from google.auth import exceptions, jwt
        asked = json.load(sys.stdin)
        public = load_pem_private_key(asked["key"].encode(), None).public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        try:
            claims = jwt.decode(asked["assertion"], certs={asked["kid"]: pem}, audience=asked["audience"])
        except (ValueError, exceptions.GoogleAuthError) as fault:
            sys.exit(str(fault))
        print(json.dumps({"claims": dict(claims), "header": dict(jwt.decode_header(asked["assertion"]))}))
        """

    private func judged(_ assertion: String, audience: String) throws -> (status: Int32, output: Data, fault: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.judge]
        let (input, output, fault) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, fault)
        try process.run()
        let asked = ["key": SampleKey.pem, "assertion": assertion, "kid": "key-1", "audience": audience]
        try input.fileHandleForWriting.write(contentsOf: JSONEncoder().encode(asked))
        try input.fileHandleForWriting.close()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        let words = String(decoding: try fault.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, said, words)
    }

    private func assertion(at now: Int64) throws -> String {
        let file = try CredentialsFile(Array(SampleKey.file().utf8), name: "key.json")
        let scope = "https://www.googleapis.com/auth/devstorage.read_write"
        guard case .serviceAccount(let account) = try file.grant(scope: scope, tokenEndpoint: nil) else {
            throw AuthError(code: .badCredentials, message: "not a service account")
        }
        return try account.assertion(at: now)
    }

    @Test func `google-auth verifies what a service account signs, and what it says`() throws {
        struct Said: Decodable {
            struct Claims: Decodable, Equatable { let aud, iss, scope: String; let iat, exp: Int64 }
            struct Header: Decodable, Equatable { let alg, kid, typ: String }
            let claims: Claims
            let header: Header
        }
        let now = Int64(Date.now.timeIntervalSince1970)
        let answer = try judged(try assertion(at: now), audience: "https://oauth2.googleapis.com/token")
        try #require(
            answer.status == 0,
            "run the tests with PATH=$(scripts/python-venv):$PATH, which has google-auth: \(answer.fault)"
        )
        let said = try JSONDecoder().decode(Said.self, from: answer.output)
        #expect(said.header == Said.Header(alg: "RS256", kid: "key-1", typ: "JWT"))
        #expect(
            said.claims
                == Said.Claims(
                    aud: "https://oauth2.googleapis.com/token",
                    iss: "archiver@p.iam.gserviceaccount.com",
                    scope: "https://www.googleapis.com/auth/devstorage.read_write",
                    iat: now,
                    exp: now + 3600
                )
        )
    }

    @Test func `google-auth refuses an assertion of which one letter differs, of another time or for somebody else`()
        throws
    {
        let now = Int64(Date.now.timeIntervalSince1970)
        let audience = "https://oauth2.googleapis.com/token"
        let good = try assertion(at: now)
        var parts = good.split(separator: ".").map(String.init)
        parts[2] = (parts[2].hasPrefix("A") ? "B" : "A") + parts[2].dropFirst()
        for (assertion, audience, words) in [
            (parts.joined(separator: "."), audience, "Could not verify token signature"),
            (try assertion(at: now - 86_400), audience, "Token expired"),
            (try assertion(at: now + 86_400), audience, "Token used too early"),
            (good, "https://example.com/token", "audience"),
        ] {
            let answer = try judged(assertion, audience: audience)
            #expect(answer.status == 1 && answer.fault.contains(words), "\(answer.fault)")
        }
    }
}
