/// Usage texts, made from the tables that the parser reads.
enum Usage {
    /// `coldroll help`: every command and setting.
    static func overview() -> String {
        let width = Command.all.map(\.name.count).max() ?? 0
        let commands = Command.all.map { "  " + padded($0.name, width) + "  " + $0.purpose }
        let names = Setting.all.map(\.name)
        let column = names.map(\.count).max() ?? 0
        let settings = Setting.all.flatMap { setting in
            columns(setting.name, column, setting.meaning + "; default: " + setting.fallback)
        }
        return """
            coldroll copies a Google Photos library into cold storage that you control, and proves that it did.

            Usage: coldroll COMMAND [flags]
                   coldroll help COMMAND
                   coldroll --version

            Commands:
            \(commands.joined(separator: "\n"))

            Settings are environment variables, or lines of the file that --env-file names:
            \(settings.joined(separator: "\n"))

            Exit codes:
            \(ExitStatus.table.map { "  \(padded(String($0.status.code), 3))  \($0.meaning)" }.joined(separator: "\n"))

            """
    }

    /// `coldroll help COMMAND` and `coldroll COMMAND --help`.
    static func text(for command: Command) -> String {
        var line = "Usage: coldroll \(command.name)"
        if !command.operands.usage.isEmpty { line += " " + command.operands.usage }
        line += " [flags]"
        if command.takesRest { line += " [-- ARGUMENT…]" }
        var text = "coldroll \(command.name): \(command.purpose)\n\n\(line)\n"
        for paragraph in command.details { text += "\n" + wrapped(paragraph, to: 100).joined(separator: "\n") + "\n" }
        let heads = command.allFlags.map { flag in flag.name + (flag.placeholder.map { " " + $0 } ?? "") }
        let width = (heads + ["--help"]).map(\.count).max() ?? 0
        text += "\nFlags:\n"
        for (head, flag) in zip(heads, command.allFlags) {
            var meaning = flag.meaning
            if let fallback = flag.fallback { meaning += "; default: \(fallback)" }
            if let variable = flag.variable { meaning += "; environment:\u{A0}\(variable)" }
            text += columns(head, width, meaning).joined(separator: "\n") + "\n"
        }
        text += columns("--help", width, "print this").joined(separator: "\n") + "\n"
        if !command.examples.isEmpty {
            let width = command.examples.map(\.line.count).max() ?? 0
            text += "\nExamples:\n"
            for example in command.examples { text += "  \(padded(example.line, width))  \(example.does)\n" }
        }
        return text
    }

    private static func columns(_ head: String, _ width: Int, _ body: String) -> [String] {
        wrapped(body, to: max(40, 110 - width - 4)).enumerated().map { index, line in
            // A no-break space held together what belongs together.
            "  " + padded(index == 0 ? head : "", width) + "  " + line.replacing("\u{A0}", with: " ")
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func wrapped(_ text: String, to width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
