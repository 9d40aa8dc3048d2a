import Foundation

/// What no program may print or log: the lines of `Tests/secrets.txt`.
package struct SecretPatterns: Sendable {
    private struct Pattern: Sendable {
        let name: String
        let expression: NSRegularExpression
    }

    private static let all: Result<[Pattern], any Error> = Result {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../secrets.txt")
        let lines = try String(contentsOf: file.standardized, encoding: .utf8).split(separator: "\n")
        return try lines.filter { !$0.hasPrefix("#") }.map { line in
            let parts = line.split(separator: "\t", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw CocoaError(.fileReadCorruptFile) }
            return Pattern(name: parts[0], expression: try NSRegularExpression(pattern: parts[1]))
        }
    }

    /// Names of the secrets that a text holds; the secrets themselves are not repeated.
    ///
    /// A list that cannot be read finds something in every text, so that no test passes without it.
    package static func found(in text: String) -> [String] {
        switch all {
        case .failure(let error): return ["Tests/secrets.txt, which cannot be read: \(error)"]
        case .success(let patterns):
            let whole = NSRange(text.startIndex..., in: text)
            return patterns.filter { $0.expression.firstMatch(in: text, range: whole) != nil }.map(\.name)
        }
    }
}
