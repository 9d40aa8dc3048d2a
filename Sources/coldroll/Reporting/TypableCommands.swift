/// Makes the commands that a message gives ones that can be typed as they stand.
///
/// A command that was told of a settings file by `--env-file` speaks of the ledger that the file leads to: `'coldroll login'`
/// without it would be a login for another one. A message puts what is to be typed into quotes or backticks; what is only
/// spoken of stands without.
struct TypableCommands: Sendable, Equatable {
    /// What `--env-file` was given; nil where nothing is to be added.
    private let file: String?

    init(_ file: String?) {
        // What a shell put there for one command is gone when the next one is typed.
        self.file = file.flatMap { $0.hasPrefix("/dev/") || $0.hasPrefix("/proc/") ? nil : $0 }
    }

    init(_ arguments: Arguments) { self.init(arguments.value(Command.environmentFile.name)) }

    /// The text with the file in each command that takes one and does not name it already.
    func callAsFunction(_ text: String) -> String {
        guard let file, text.contains("coldroll ") else { return text }
        let flag = " \(Command.environmentFile.name) \(Self.word(file))"
        return text.replacing(/(['`])coldroll ([a-z]+)( --env-file)?/) { match in
            let isKnown = Command.all.contains { $0.name == match.2 }
            return isKnown && match.3 == nil ? "\(match.1)coldroll \(match.2)\(flag)" : String(match.0)
        }
    }

    /// One word for a shell; in double quotes where it needs any, since the message's own are single ones.
    private static func word(_ path: String) -> String {
        let isPlain = path.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                || "/._-+,:@%=".unicodeScalars.contains(scalar)
        }
        if isPlain { return path }
        return "\"" + path.map { "\"\\$`".contains($0) ? "\\\($0)" : String($0) }.joined() + "\""
    }
}
