/// What a login asks Google for, and what does not work without it.
struct LoginScope: Sendable {
    let scope: String
    /// The commands that need it; nil where only the login itself does.
    let commands: String?

    /// The last part of its URL, which tells it from the others.
    var name: String { Self.name(of: scope) }

    static func name(of scope: String) -> String { scope.split(separator: "/").last.map(String.init) ?? scope }

    private init(scope: String, commands: String?) {
        self.scope = scope
        self.commands = commands
    }

    /// Library API: items that this OAuth client uploaded, which is all that is left of it for reading (Google Photos APIs:
    /// updates of 31 March 2025).
    static let library = LoginScope(
        scope: "https://www.googleapis.com/auth/photoslibrary.readonly.appcreateddata",
        commands: "coldroll scan, work and run with COLDROLL_SOURCE=library"
    )

    /// Picker API: what the owner picks, while the picking session lives.
    static let picker = LoginScope(
        scope: "https://www.googleapis.com/auth/photospicker.mediaitems.readonly",
        commands: "coldroll scan, work and run with COLDROLL_SOURCE=picker"
    )

    /// What a source is read with.
    init(of source: Source) { self = source == .picker ? .picker : .library }

    /// What a source needs, in the order of the consent page; of all sources where none is chosen.
    ///
    /// `openid` and `email` say whose login it is; the owner cannot untick them.
    static func needed(by source: Source?) -> [LoginScope] {
        let identity = [LoginScope(scope: "openid", commands: nil), LoginScope(scope: "email", commands: nil)]
        return switch source {
        case .library: identity + [library]
        case .picker: identity + [picker]
        case .takeout, nil: identity + [library, picker]
        }
    }

    /// What a source needs, and then what others need that the same login is for.
    static func needed(by source: Source?, and others: [Source]) -> [LoginScope] {
        let first = needed(by: source)
        return others.map(LoginScope.init(of:)).reduce(into: first) { scopes, scope in
            if !scopes.contains(where: { $0.scope == scope.scope }) { scopes.append(scope) }
        }
    }

    /// Sentences about scopes that were not granted.
    static func missing(from granted: [String], of scopes: [LoginScope]) -> [String] {
        scopes.filter { !granted.contains($0.scope) }.compactMap { scope in
            scope.commands.map { "Google did not grant \(scope.scope), so these will not work: \($0)." }
        }
    }
}
