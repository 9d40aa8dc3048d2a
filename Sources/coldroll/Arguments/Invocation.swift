/// What the whole command line asks for.
enum Invocation: Sendable {
    case overview
    case help(Command)
    case version
    case run(Command, Arguments)
    /// Nothing that exists: a sentence for the person who typed it.
    case unknown(String)

    /// - Parameter words: the command line without the program's name.
    init(_ words: [String]) {
        guard let first = words.first else {
            self = .unknown("no command given; 'coldroll help' lists them")
            return
        }
        switch first {
        case "--help", "-h": self = .overview
        case "--version", "version": self = .version
        case "help":
            guard let name = words.dropFirst().first(where: { !$0.hasPrefix("-") }) else {
                self = .overview
                return
            }
            self = Self.command(named: name).map(Invocation.help) ?? .unknown(Self.sentence(about: name))
        default:
            guard let command = Self.command(named: first) else {
                self = .unknown(Self.sentence(about: first))
                return
            }
            let arguments = Arguments(Array(words.dropFirst()), for: command)
            self = arguments.wantsHelp ? .help(command) : .run(command, arguments)
        }
    }

    private static func command(named name: String) -> Command? { Command.all.first { $0.name == name } }

    private static func sentence(about word: String) -> String {
        if word.hasPrefix("-") {
            return "unknown flag \(harmless(word)); a command comes first, and 'coldroll help' lists them"
        }
        guard let near = nearest(to: word, among: Command.all.map(\.name)) else {
            return "unknown command '\(harmless(word))'; 'coldroll help' lists them"
        }
        return "unknown command '\(harmless(word))'; did you mean '\(near)'?"
    }
}
