/// A server's own words, made fit for an error text: short, printable, without addresses and tokens.
package enum ServerWords {
    private static let longest = 300
    /// What Google's tokens, codes and secrets begin with, and the address of an upload has in it.
    private static let marks = ["ya29.", "1//0", "4/0A", "4%2F0A", "GOCSPX-", "upload_id"]

    /// `: "…"` to go behind a sentence's end, or nothing if there are no words.
    package static func quoted(_ words: String?) -> String {
        guard let words else { return "" }
        let clean = cleaned(words)
        return clean.isEmpty ? "" : ": \"\(clean)\""
    }

    /// Words with addresses cut down to their host, and what looks like a secret left out.
    package static func cleaned(_ words: String) -> String {
        let printable = words.unicodeScalars.prefix(4 * longest).map { scalar in
            let isPlain = scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format
            return isPlain ? Character(scalar) : " "
        }
        let parts = String(printable).split(separator: " ").map { word in
            let shown = withoutPath(word)
            return isSecret(word, shown: shown) ? "…" : shown
        }
        return String(parts.joined(separator: " ").prefix(longest))
    }

    private static func withoutPath(_ word: Substring) -> Substring {
        guard let scheme = word.firstRange(of: "://") else { return word }
        let host = word[scheme.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" }
        return word[..<scheme.upperBound] + host + "/…"
    }

    private static func isSecret(_ word: Substring, shown: Substring) -> Bool {
        if marks.contains(where: { word.contains($0) }) || hasRandomRun(shown) { return true }
        // An address, which is cut, may be long, and so may the name of an account.
        return word.count > 40 && !word.contains("@") && !word.contains("://")
    }

    /// Whether a word has a part that no language has: 16 and more letters of both cases with digits among them.
    private static func hasRandomRun(_ word: Substring) -> Bool {
        let runs = word.utf8.split { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): false
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): false
            default: true
            }
        }
        return runs.contains { run in
            run.count >= 16 && run.contains { (0x30...0x39).contains($0) }
                && run.contains { (0x41...0x5A).contains($0) }
                && run.contains { (0x61...0x7A).contains($0) }
        }
    }
}
