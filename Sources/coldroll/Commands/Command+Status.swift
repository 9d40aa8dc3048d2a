import Foundation
import JobQueue
import Postgres

extension Command {
    static let status = Command(
        name: "status",
        purpose: "tell what is stored, what waits, how fast it goes and who works",
        details: [
            "Asks the database only, from any host. 'stored' is the sum of original files and of Google's download "
                + "renditions; 'found' is the sum of every place where a part can be."
        ],
        flags: [
            Flag("--watch", .toggle, "print it anew every 2 seconds until interrupted"),
            Flag("--json", .toggle, "one JSON object a line, for programs; docs/status.md lists its keys"),
        ],
        examples: [
            ("coldroll status", "once"),
            ("coldroll status --watch", "until Ctrl-C"),
            ("coldroll status --json", "for programs"),
        ]
    ) { session, arguments in
        let database = try await session.openLedger()
        let redraws = arguments.has("--watch") && !arguments.has("--json") && StandardStream.output.isTerminal
        while true {
            let report = try await StatusReport(database)
            if arguments.has("--json") {
                StandardStream.output.write(report.json + "\n")
            } else {
                // Home, the report with every line's rest erased, then everything below.
                let text = report.text
                StandardStream.output.write(
                    redraws ? "\u{1B}[H" + text.replacing("\n", with: "\u{1B}[K\n") + "\u{1B}[J" : text
                )
            }
            guard arguments.has("--watch") else { return .done }
            try await Task.sleep(for: .seconds(2))
        }
    }

    static let failures = Command(
        name: "failures",
        purpose: "list the parts that failed for good, with their reasons",
        details: [
            "Each waits for a decision: 'coldroll retry PART', 'coldroll accept PART' where Google's copy is smaller than "
                + "reported, or 'coldroll skip PART --reason TEXT'."
        ],
        flags: [Flag("--json", .toggle, "one JSON object a line, for programs; docs/status.md lists its keys")],
        examples: [("coldroll failures", "all of them")]
    ) { session, arguments in
        let database = try await session.openLedger()
        let failures = try await database.pool.run(StatusStatements.failures).map(DeadPart.init)
        if arguments.has("--json") {
            StandardStream.output.write(failures.map { encoded($0) + "\n" }.joined())
        } else {
            StandardStream.output.write(failures.isEmpty ? "No part failed for good.\n" : failures.map(\.text).joined())
        }
        return .done
    }
}

/// A part that failed for good, as `failures` tells it.
struct DeadPart: Sendable, Equatable, Encodable {
    let part: Int64
    let kind, object: String
    let filename: String?
    let reason: String
    let attempts, crashes: Int64
    /// RFC 3339, UTC.
    let decidedAt: String
    /// A sentence; nil where no failure was recorded.
    let message: String?

    fileprivate init(_ row: Row) throws(PostgresError) {
        part = try row.integer(0)
        kind = try row.text(1)
        object = try row.text(2)
        filename = row.textOrNil(3)
        reason = try row.text(4)
        attempts = try row.integer(5)
        crashes = try row.integer(6)
        decidedAt = try row.text(7)
        message = row.textOrNil(8)
    }

    fileprivate var text: String {
        var line = "part \(part)  \(kind)  \(harmless(object))  \(harmless(reason))"
        line += "  (\(Quantity.counted(attempts, "attempt")), \(decidedAt))\n"
        if let message, message != reason { line += "    \(harmless(message))\n" }
        return line
    }
}
