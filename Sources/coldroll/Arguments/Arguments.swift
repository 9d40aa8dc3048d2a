/// The arguments of one command, read; what was wrong with them is beside them, so that settings can add their faults.
struct Arguments: Sendable, Equatable {
    /// Values by flag name, toggles as "".
    var values: [String: String] = [:]
    var operands: [String] = []
    /// Everything behind `--`, untouched.
    var rest: [String] = []
    /// Sentences; empty if all is well.
    var faults: [String] = []
    var wantsHelp = false

    func value(_ flag: String) -> String? { values[flag] }
    func has(_ flag: String) -> Bool { values[flag] != nil }

    /// Reads the words behind the command's name; never throws, since every fault is collected.
    init(_ words: [String], for command: Command) {
        var words = words[...]
        while let word = words.popFirst() {
            if word == "--" {
                rest = Array(words)
                break
            } else if word == "--help" || word == "-h" {
                wantsHelp = true
            } else if word.hasPrefix("-"), word != "-" {
                readFlag(word, &words, command)
            } else {
                operands.append(word)
            }
        }
        if !rest.isEmpty, !command.takesRest {
            operands += rest
            rest = []
        }
        if let complaint = command.operands.complaint(about: operands, flags: values) { faults.append(complaint) }
    }

    private mutating func readFlag(_ word: String, _ words: inout ArraySlice<String>, _ command: Command) {
        let split = word.firstIndex(of: "=")
        let name = String(word[..<(split ?? word.endIndex)])
        guard let flag = command.allFlags.first(where: { $0.name == name }) else {
            faults.append(Self.unknown(name, command))
            return
        }
        var value = split.map { String(word[word.index(after: $0)...]) }
        if flag.kind != .toggle, value == nil, let next = words.first, !next.hasPrefix("--") {
            value = words.removeFirst()
        }
        guard values[name] == nil else {
            faults.append("\(name) is given twice")
            return
        }
        switch (flag.kind, value) {
        case (.toggle, nil): values[name] = ""
        case (_, nil): faults.append("\(name) needs a value: \(name) \(flag.placeholder ?? "VALUE")")
        case (_, let value?):
            if let complaint = flag.complaint(about: value) {
                faults.append("\(name) \(complaint)")
            } else {
                values[name] = value
            }
        }
    }

    private static func unknown(_ name: String, _ command: Command) -> String {
        var sentence = "coldroll \(command.name) has no flag \(harmless(name))"
        if let near = nearest(to: name, among: command.allFlags.map(\.name) + ["--help"]) {
            sentence += "; did you mean \(near)?"
        } else if command.takesRest {
            sentence += "; put psql's own behind '--'"
        }
        return sentence
    }
}
