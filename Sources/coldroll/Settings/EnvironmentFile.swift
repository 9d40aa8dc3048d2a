/// A file of `KEY=value` lines as docker compose and systemd read it.
///
/// Empty lines and lines that begin with `#` or `;` are skipped; `export` may stand before the key. A value may be in single
/// quotes (taken as it stands) or double quotes (`\n`, `\r`, `\t`, `\"`, `\\`, `\$`, `` \` ``), over several lines; without
/// quotes it ends at the end of the line or before a `#` that has white space in front. No variable is expanded.
struct EnvironmentFile: Sendable, Equatable {
    private(set) var values: [String: String] = [:]
    /// Sentences with line numbers, never with values.
    private(set) var faults: [String] = []

    /// Reads the text of a file; of two lines with one key the last would win in both programs, which nobody sees: a fault.
    init(_ text: String) {
        var scanner = Scanner(text)
        var lines: [String: Int] = [:]
        while let result = scanner.next() {
            switch result {
            case .success(let pair):
                if let first = lines.updateValue(pair.line, forKey: pair.key) {
                    faults.append("line \(pair.line) sets \(pair.key) again, as line \(first) does; keep one of them")
                }
                values[pair.key] = pair.value
            case .failure(let fault): faults.append("line \(fault.line) \(fault.words)")
            }
        }
    }

    private struct Fault: Error {
        let line: Int
        let words: String
    }

    private struct Scanner {
        private var rest: ArraySlice<Character>
        private var line = 1

        init(_ text: String) {
            // A carriage return before a line feed is one Character in Swift.
            var characters = text.map { $0 == "\r\n" ? Character("\n") : $0 }
            if characters.first == "\u{FEFF}" { characters.removeFirst() }
            rest = characters[...]
        }

        mutating func next() -> Result<(key: String, value: String, line: Int), Fault>? {
            while let first = rest.first {
                if first == "\n" || first.isWhitespace {
                    advance()
                } else if first == "#" || first == ";" {
                    skipLine()
                } else {
                    return assignment()
                }
            }
            return nil
        }

        private mutating func assignment() -> Result<(key: String, value: String, line: Int), Fault> {
            let start = line
            let head = rest.prefix { $0 != "=" && $0 != "\n" }
            guard rest.dropFirst(head.count).first == "=" else {
                skipLine()
                return .failure(Fault(line: start, words: "is not KEY=value"))
            }
            var key = String(head).trimmed
            if key.hasPrefix("export "), case let name = String(key.dropFirst(7)).trimmed { key = name }
            rest = rest.dropFirst(head.count + 1)
            guard key.isVariableName else {
                skipLine()
                return .failure(Fault(line: start, words: "has a key that is no variable name"))
            }
            while let next = rest.first, next == " " || next == "\t" { advance() }
            guard let quote = rest.first, quote == "\"" || quote == "'" else {
                return .success((key, bareValue(), start))
            }
            advance()
            guard let value = quotedValue(quote) else {
                return .failure(Fault(line: start, words: "has a quote that is never closed"))
            }
            let tail = String(rest.prefix { $0 != "\n" }).trimmed
            skipLine()
            guard tail.isEmpty || tail.hasPrefix("#") else {
                return .failure(Fault(line: start, words: "goes on behind the closing quote"))
            }
            return .success((key, value, start))
        }

        private mutating func bareValue() -> String {
            var value: [Character] = []
            while let next = rest.first, next != "\n" {
                if next == "#", value.last.map(\.isWhitespace) ?? true { break }
                value.append(next)
                advance()
            }
            skipLine()
            return String(value).trimmed
        }

        private mutating func quotedValue(_ quote: Character) -> String? {
            var value = ""
            while let next = rest.first {
                advance()
                if next == quote { return value }
                guard next == "\\", quote == "\"", let escaped = rest.first else {
                    value.append(next)
                    continue
                }
                advance()
                switch escaped {
                case "n": value.append("\n")
                case "r": value.append("\r")
                case "t": value.append("\t")
                case "\"", "\\", "$", "`": value.append(escaped)
                case "\n": break
                default: value += "\\" + String(escaped)
                }
            }
            return nil
        }

        private mutating func advance() {
            if rest.removeFirst() == "\n" { line += 1 }
        }

        private mutating func skipLine() {
            while let next = rest.first {
                advance()
                if next == "\n" { return }
            }
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        let head = drop(while: \.isWhitespace)
        return String(head.reversed().drop(while: \.isWhitespace).reversed())
    }

    fileprivate var isVariableName: Bool {
        guard let first = utf8.first, !(48...57).contains(first) else { return false }
        return utf8.allSatisfy { byte in
            (65...90).contains(byte) || (97...122).contains(byte) || (48...57).contains(byte) || byte == 95
        }
    }
}
