import Foundation
import HTTPClient
import HTTPServer
import Synchronization
import Testing

@testable import GoogleAuth
@testable import GoogleSimulator

/// Google's published keys, tokens that are signed with them or not, and what the verifier says.
@Suite(.timeLimit(.minutes(5))) struct IdentityTests {
    private static let audience = "https://coldroll.example/run"
    private static let account = "scheduler@project.iam.gserviceaccount.com"
    private static let now = 1_800_000_000.0

    /// What the keys' address answers, and how often it was asked.
    private final class Certificates: Sendable {
        let answer: Mutex<ServerAnswer>
        let asked = Atomic(0)
        init(_ answer: ServerAnswer) { self.answer = Mutex(answer) }
    }

    private struct Bench {
        let certificates: Certificates
        let server: HTTPServer
        let http = HTTPClient()
        let verifier: IdentityVerifier
        let time: Clock

        init(_ keys: [String: RSAKey], cache: String = "public, max-age=3600") throws {
            let certificates = Certificates(IdentityTests.published(keys, cache: cache))
            let time = Clock()
            server = try HTTPServer { request in
                guard request.path == "/oauth2/v3/certs" else { return .answer(ServerAnswer(404)) }
                certificates.asked.add(1, ordering: .relaxed)
                return .answer(certificates.answer.withLock { $0 })
            }
            verifier = IdentityVerifier(
                http: http,
                tokenEndpoint: "http://127.0.0.1:\(server.port)/",
                audience: IdentityTests.audience,
                account: IdentityTests.account,
                now: { IdentityTests.now },
                clock: { time.seconds.withLock { $0 } }
            )
            self.certificates = certificates
            self.time = time
        }

        var asked: Int { certificates.asked.load(ordering: .relaxed) }

        func publish(_ answer: ServerAnswer) { certificates.answer.withLock { $0 = answer } }

        /// The code of the refusal; nil if the token lets in.
        func refusal(_ token: String) async -> IdentityError.Code? {
            do throws(IdentityError) {
                try await verifier.verify(token)
                return nil
            } catch {
                return error.code
            }
        }
    }

    private final class Clock: Sendable {
        let seconds = Mutex(0.0)
        func pass(_ more: Double) { seconds.withLock { $0 += more } }
    }

    private static func encoded(_ bytes: [UInt8]) -> String { GoogleAuth.base64URL(bytes) }

    private static func published(_ keys: [String: RSAKey], cache: String = "public, max-age=3600") -> ServerAnswer {
        let set = keys.map { id, key in
            #"{"kty":"RSA","use":"sig","alg":"RS256","kid":"\#(id)","n":"\#(encoded(key.modulus))","e":"AQAB"}"#
        }
        return ServerAnswer(
            200,
            headers: [(name: "Cache-Control", value: cache)],
            body: .bytes(Array(#"{"keys":[\#(set.joined(separator: ","))]}"#.utf8))
        )
    }

    /// A token as Cloud Scheduler sends it, but for what is changed.
    private static func token(
        _ key: RSAKey,
        header: String = #"{"alg":"RS256","kid":"one","typ":"JWT"}"#,
        _ changes: [String: Any?] = [:]
    ) throws -> String {
        var claims: [String: Any] = [
            "iss": "https://accounts.google.com", "aud": audience, "email": account, "email_verified": true,
            "iat": now - 10, "exp": now + 3590, "sub": "1", "azp": "1",
        ]
        for (name, value) in changes { claims[name] = value }
        let payload = try JSONSerialization.data(withJSONObject: claims)
        let signed = encoded(Array(header.utf8)) + "." + encoded([UInt8](payload))
        return signed + "." + encoded(try key.sign(Array(signed.utf8)))
    }

    @Test func `a token of the account for the audience lets in, and the keys are fetched once`() async throws {
        let key = try RSAKey()
        let bench = try Bench(["one": key])
        let token = try Self.token(key)
        let refusals = await withTaskGroup(of: IdentityError.Code?.self) { group in
            for _ in 0..<20 { group.addTask { await bench.refusal(token) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(refusals == Array(repeating: nil, count: 20))
        #expect(await bench.refusal(try Self.token(key, ["iss": "accounts.google.com"])) == nil)
        // Clocks may differ by a minute.
        #expect(await bench.refusal(try Self.token(key, ["exp": Self.now - 50])) == nil)
        #expect(await bench.refusal(try Self.token(key, ["iat": Self.now + 50])) == nil)
        #expect(bench.asked == 1)
    }

    @Test func `a token that is not Google's, or not of this time, is invalid`() async throws {
        let key = try RSAKey(), foreign = try RSAKey()
        let bench = try Bench(["one": key])
        let good = try Self.token(key)
        let parts = good.split(separator: ".").map(String.init)
        let none = Self.encoded(Array(#"{"alg":"none","kid":"one"}"#.utf8))
        let bad = [
            "", "x", "a.b", "a.b.c", "a.b.c.d", good + ".x", " " + good, good + "=",
            // Not signed, signed by another, signed with what is public.
            "\(none).\(parts[1]).", "\(none).\(parts[1]).\(parts[2])", "\(parts[0]).\(parts[1]).",
            try Self.token(foreign), try Self.token(key, header: #"{"alg":"HS256","kid":"one"}"#),
            try Self.token(key, header: #"{"alg":"rs256","kid":"one"}"#),
            try Self.token(key, header: #"{"alg":"RS256"}"#),
            try Self.token(key, header: #"{"alg":"RS256","kid":"one","crit":["b64"],"b64":false}"#),
            try Self.token(key, header: #"{"alg":["RS256"],"kid":"one"}"#), try Self.token(key, header: "[]"),
            // Changed after it was signed.
            "\(parts[0]).\(parts[1].dropLast())A.\(parts[2])",
            "\(parts[0]).\(try Self.token(key, ["aud": "x"]).split(separator: ".")[1]).\(parts[2])",
            "\(parts[0]).\(parts[1]).\(String(parts[2].reversed()))",
            // Of another issuer or time, or without what it must have.
            try Self.token(key, ["iss": "https://accounts.google.com.evil.example"]),
            try Self.token(key, ["exp": Self.now - 61]), try Self.token(key, ["iat": Self.now + 61]),
            try Self.token(key, ["exp": nil as Any?]), try Self.token(key, ["iat": nil as Any?]),
            try Self.token(key, ["exp": "soon"]), try Self.token(key, ["aud": [Self.audience, "x"]]),
            try Self.token(key, ["padding": String(repeating: "x", count: 9000)]),
        ]
        for (place, token) in bad.enumerated() {
            #expect(await bench.refusal(token) == .invalid, "number \(place)")
        }
        #expect(await bench.refusal(good) == nil)
    }

    @Test func `a token of Google's for somebody else is forbidden`() async throws {
        let key = try RSAKey()
        let bench = try Bench(["one": key])
        for changes: [String: Any?] in [
            ["aud": "https://coldroll.example/"], ["aud": Self.audience + "/"], ["email": "other@project.example"],
            ["email": nil as Any?], ["email_verified": false], ["email_verified": nil as Any?],
            ["email": Self.account.uppercased()],
        ] {
            #expect(await bench.refusal(try Self.token(key, changes)) == .forbidden, "\(changes)")
        }
    }

    @Test func `a key that changes is found, and invented ones make one request a minute`() async throws {
        let old = try RSAKey(), new = try RSAKey()
        let bench = try Bench(["one": old])
        #expect(await bench.refusal(try Self.token(old)) == nil)
        bench.publish(Self.published(["one": old, "two": new]))
        let second = try Self.token(new, header: #"{"alg":"RS256","kid":"two"}"#)
        // Within a minute nothing is asked.
        #expect(await bench.refusal(second) == .invalid)
        #expect(bench.asked == 1)
        bench.time.pass(61)
        #expect(await bench.refusal(second) == nil)
        #expect(await bench.refusal(try Self.token(old)) == nil)
        for number in 0..<50 {
            let token = try Self.token(old, header: #"{"alg":"RS256","kid":"invented \#(number)"}"#)
            #expect(await bench.refusal(token) == .invalid)
        }
        #expect(bench.asked == 2)
    }

    @Test func `keys are kept as long as Google says, within a minute and a day`() async throws {
        let key = try RSAKey()
        let token = try Self.token(key)
        for (cache, kept, gone) in [
            ("public, max-age=600, must-revalidate", 590.0, 20.0), ("no-store", 59.0, 2.0), ("max-age=0", 59.0, 2.0),
            ("max-age=99999999999", 86_390.0, 20.0), ("max-age=x", 59.0, 2.0),
        ] {
            let bench = try Bench(["one": key], cache: cache)
            #expect(await bench.refusal(token) == nil)
            bench.time.pass(kept)
            #expect(await bench.refusal(token) == nil)
            #expect(bench.asked == 1, "\(cache)")
            // What is not published any more is good no longer.
            bench.publish(Self.published(["two": key]))
            bench.time.pass(gone)
            #expect(await bench.refusal(token) == .invalid)
            #expect(bench.asked == 2, "\(cache)")
        }
    }

    @Test func `keys that cannot be had say nothing about a token`() async throws {
        let key = try RSAKey()
        let bench = try Bench(["one": key])
        let good = bench.certificates.answer.withLock { $0 }
        let token = try Self.token(key)
        for answer in [
            ServerAnswer(500), ServerAnswer(200, body: .bytes(Array("<html>".utf8))),
            ServerAnswer(200, body: .bytes(Array(#"{"keys":[]}"#.utf8))),
            ServerAnswer(302, headers: [(name: "Location", value: "https://evil.example/")]),
            ServerAnswer(404),
        ] {
            bench.publish(answer)
            let before = bench.asked
            #expect(await bench.refusal(token) == .unavailable)
            #expect(await bench.refusal(token) == .unavailable)
            #expect(bench.asked == before + 1, "asked again within five seconds")
            bench.time.pass(6)
        }
        bench.publish(good)
        #expect(await bench.refusal(token) == nil)
        // An outage of the keys' server is no matter while they are fresh, but for keys that are not known.
        bench.publish(ServerAnswer(500))
        bench.time.pass(120)
        #expect(await bench.refusal(token) == nil)
        #expect(await bench.refusal(try Self.token(key, header: #"{"alg":"RS256","kid":"two"}"#)) == .unavailable)
        #expect(await bench.refusal(token) == nil)
        bench.time.pass(3600)
        #expect(await bench.refusal(token) == .unavailable)
    }

    @Test func `weak and odd keys are none`() throws {
        let key = try RSAKey()
        #expect(VerifyingKey(modulus: key.modulus, exponent: key.exponent) != nil)
        #expect(VerifyingKey(modulus: [0, 0] + key.modulus, exponent: key.exponent) != nil)
        #expect(VerifyingKey(modulus: Array(key.modulus.prefix(128)), exponent: key.exponent) == nil)
        for modulus in [[], [0], [UInt8](repeating: 255, count: 5000)] {
            #expect(VerifyingKey(modulus: modulus, exponent: key.exponent) == nil)
        }
        #expect(VerifyingKey(modulus: key.modulus, exponent: []) == nil)
    }
}
