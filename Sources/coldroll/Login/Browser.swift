import Foundation

/// The person's browser, as far as a terminal can tell where it is.
struct Browser: Sendable {
    /// An absolute path.
    let program: String
    let arguments: [String]
    let environment: [String: String]

    /// `BROWSER`'s first program, else the desktop's own opener; nil where there is no desktop.
    init?(environment: [String: String]) {
        // A browser has no use for the settings, among which may be the database's password.
        self.environment = environment.filter { !$0.key.hasPrefix("COLDROLL_") && !$0.key.hasPrefix("PG") }
        let search = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        if let named = environment["BROWSER"]?.split(separator: ":").first {
            let words = named.split(separator: " ").map(String.init)
            guard let first = words.first, let path = Self.find(first, search) else { return nil }
            program = path
            arguments = Array(words.dropFirst())
            return
        }
        #if os(macOS)
        let opener = "open"
        #else
        // Without a desktop it would look for a browser for the terminal, and take the terminal from us.
        guard environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil else { return nil }
        let opener = "xdg-open"
        #endif
        guard let path = Self.find(opener, search) else { return nil }
        program = path
        arguments = []
    }

    /// Opens a page; the browser lives on.
    /// - Throws: `CommandFailure` where it cannot be started.
    func open(_ link: String) throws(CommandFailure) {
        let words = arguments.contains("%s") ? arguments.map { $0 == "%s" ? link : $0 } : arguments + [link]
        let child = try ChildProcess(program, words, environment: environment)
        // Waited for, so that it does not stay behind as a zombie; whether it could is seen by the answer.
        Task { await child.exitCode() }
    }

    private static func find(_ name: String, _ search: String) -> String? {
        if name.hasPrefix("/") { return name }
        return search.split(separator: ":").map { "\($0)/\(name)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}
