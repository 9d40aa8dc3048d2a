import Foundation

@testable import GoogleSimulator

/// What Cloud Scheduler shows, but for what a test changes.
struct CallerToken {
    static let audience = "https://coldroll.example/run"
    static let account = "scheduler@simulated-project.iam.gserviceaccount.com"
    /// For a program that takes such tokens.
    static let settings = ["COLDROLL_SERVE_AUDIENCE": audience, "COLDROLL_SERVE_ACCOUNT": account]

    var audience = Self.audience
    var email = Self.account
    var isVerified = true
    var issuer = "https://accounts.google.com"
    /// Seconds from now to its end.
    var life = 3600
    var algorithm = "RS256"
    /// What its header says; nil for the key that signs.
    var keyID: String?
    /// nil for the simulator's own.
    var key: RSAKey?

    /// The token as text, signed unless its algorithm is `none`.
    func text(_ simulator: Simulator) throws -> String {
        let current = try simulator.hub.accounts.keys.current()
        let now = Int(Date.now.timeIntervalSince1970)
        let header = ["alg": algorithm, "kid": keyID ?? current.id, "typ": "JWT"]
        let claims: [String: Any] = [
            "iss": issuer, "aud": audience, "azp": "1", "sub": "1", "email": email, "email_verified": isVerified,
            "iat": now + life - 3600, "exp": now + life,
        ]
        let signed = try [header, claims].map { part in
            base64URL([UInt8](try JSONSerialization.data(withJSONObject: part)))
        }.joined(separator: ".")
        if algorithm == "none" { return signed + "." }
        return signed + "." + base64URL(try (key ?? current.pair).sign(Array(signed.utf8)))
    }
}
