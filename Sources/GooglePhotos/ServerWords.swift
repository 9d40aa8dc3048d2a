/// A server's own words, made fit for an error text: short, printable, without addresses and tokens.
enum ServerWords {
    private static let longest = 300

    /// `: "…"` to go behind a sentence's end, or nothing if there are no words.
    static func quoted(_ words: String?) -> String {
        guard let words else { return "" }
        let clean = cleaned(words)
        return clean.isEmpty ? "" : ": \"\(clean)\""
    }

    /// Words with addresses cut down to their host, and long strings without a space left out.
    static func cleaned(_ words: String) -> String {
        let printable = words.unicodeScalars.prefix(4 * longest).map { scalar in
            let isPlain = scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format
            return isPlain ? Character(scalar) : " "
        }
        let parts = String(printable).split(separator: " ").map { word in
            if let scheme = word.firstRange(of: "://") {
                let host = word[scheme.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" }
                return word[..<scheme.upperBound] + host + "/…"
            }
            return word.count > 40 || word.hasPrefix("ya29.") ? "…" : word
        }
        return String(parts.joined(separator: " ").prefix(longest))
    }
}
