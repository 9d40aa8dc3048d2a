/// What a login asks Google for, and what does not work without it.
struct LoginScope: Sendable {
    let scope: String
    /// The commands that need it; nil where only the login itself does.
    let commands: String?

    /// Library API: items that this OAuth client uploaded, which is all that is left of it for reading (Google Photos APIs:
    /// updates of 31 March 2025).
    static let library = LoginScope(
        scope: "https://www.googleapis.com/auth/photoslibrary.readonly.appcreateddata",
        commands: "coldroll scan, work and run with COLDROLL_SOURCE=library"
    )

    /// In the order of the consent page. `openid` and `email` say whose login it is; the owner cannot untick them.
    static let all: [LoginScope] = [
        LoginScope(scope: "openid", commands: nil), LoginScope(scope: "email", commands: nil), library,
    ]

    /// Sentences about scopes that were not granted.
    static func missing(from granted: [String]) -> [String] {
        all.filter { !granted.contains($0.scope) }.compactMap { scope in
            scope.commands.map { "Google did not grant \(scope.scope), so these will not work: \($0)." }
        }
    }
}
