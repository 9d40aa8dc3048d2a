/// Makes the commands that a message gives ones that can be typed as they stand.
///
/// A command that was told of a settings file by `--env-file` speaks of the ledger that the file leads to: `'coldroll login'`
/// without it would be a login for another one. The same holds for the source and the account that flags have chosen, and
/// a first login that comes to nothing leaves no OAuth client behind for the next. A message puts what is to be typed into
/// quotes or backticks; what is only spoken of stands without.
struct TypableCommands: Sendable, Equatable {
    /// What the command in hand was given, as it is to be typed again.
    private struct Given: Sendable, Equatable {
        let flag: String
        /// The flag with its value, as words for a shell.
        let words: String
    }
    private let given: [Given]

    /// Whether the command in hand has read a settings file that can be named again.
    var hasFile: Bool { given.contains { $0.flag == Command.environmentFile.name } }

    /// Repeats `--env-file` only; nil where nothing is to be added.
    init(_ file: String?) { given = [Self.file(file)].compactMap(\.self) }

    init(_ arguments: Arguments) {
        let texts = [Source.flag, Command.accountFlag].map { flag in
            arguments.value(flag.name).map { Given(flag: flag.name, words: "\(flag.name) \(Self.word($0))") }
        }
        let client = arguments.value(Command.clientFlag.name).map { path in
            let file = Self.isPassing(path) ? Command.clientFlag.placeholder ?? "" : Self.word(path)
            return Given(flag: Command.clientFlag.name, words: "\(Command.clientFlag.name) \(file)")
        }
        let toggle = Command.noBrowserFlag.name
        let elsewhere = arguments.has(toggle) ? Given(flag: toggle, words: toggle) : nil
        given = ([Self.file(arguments.value(Command.environmentFile.name)), client] + texts + [elsewhere])
            .compactMap(\.self)
    }

    private static func file(_ path: String?) -> Given? {
        guard let path, !isPassing(path) else { return nil }
        let flag = Command.environmentFile.name
        return Given(flag: flag, words: "\(flag) \(word(path))")
    }

    /// What a shell put there for one command is gone when the next one is typed.
    private static func isPassing(_ path: String) -> Bool { path.hasPrefix("/dev/") || path.hasPrefix("/proc/") }

    /// The text with what was given in each command that takes it and does not name it already.
    func callAsFunction(_ text: String) -> String {
        guard !given.isEmpty, text.contains("coldroll ") else { return text }
        return text.replacing(/(['`])coldroll ([a-z]+)([^'`]*)/) { match in
            guard let command = Command.all.first(where: { $0.name == match.2 }) else { return String(match.0) }
            let named = match.3.split(separator: " ").map { $0.prefix { $0 != "=" } }
            let missing = given.filter { given in
                command.allFlags.contains { $0.name == given.flag } && !named.contains { $0 == given.flag }
            }
            return "\(match.1)coldroll \(match.2)" + missing.map { " " + $0.words }.joined() + match.3
        }
    }

    /// One word for a shell; in double quotes where it needs any, since the message's own are single ones.
    private static func word(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                || "/._-+,:@%=".unicodeScalars.contains(scalar)
        }
        if isPlain { return text }
        return "\"" + text.map { "\"\\$`".contains($0) ? "\\\($0)" : String($0) }.joined() + "\""
    }
}
