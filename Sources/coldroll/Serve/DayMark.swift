import Foundation

/// Remembers on this host on which day the owner was last told that the ledger cannot be reached, account by account.
///
/// What cannot be read or written is as if nobody had been told: once too often is better than never.
struct DayMark: Sendable {
    private let file: URL
    private let account: String

    init(home: String, account: String) {
        file = URL(filePath: home).appending(path: "told-without-ledger")
        self.account = account
    }

    func isSet(for day: String) -> Bool { lines.contains(line(day)) }

    func set(for day: String) {
        let all = lines.filter { $0.hasPrefix(day) } + [line(day)]
        try? FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        try? Data((all.joined(separator: "\n") + "\n").utf8).write(to: file, options: .atomic)
    }

    private func line(_ day: String) -> String { "\(day) \(account)" }

    private var lines: [String] {
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }
}
