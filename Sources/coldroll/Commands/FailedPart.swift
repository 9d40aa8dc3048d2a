import Postgres

/// A part that failed, as `failures` tells it; the JSON keys are documented in `docs/status.md`.
struct FailedPart: Sendable, Equatable, Encodable {
    let part: Int64
    /// `dead`, `will try again` or `trying again`.
    let state: String
    let object: String
    /// Why, in a word or two; nil where nothing was recorded.
    let reason: String?
    /// What the last failure said.
    let message: String?
    let attempts, crashes: Int64
    /// RFC 3339, UTC.
    let failedAt: String?
    let nextTrySeconds: Double?
}

extension FailedPart {
    init(_ row: Row) throws(PostgresError) {
        part = try row.integer(0)
        state = try row.text(1)
        object = try row.text(2)
        reason = row.textOrNil(3)
        message = row.textOrNil(4)
        attempts = try row.integer(5)
        crashes = try row.integer(6)
        failedAt = row.textOrNil(7)
        nextTrySeconds = try row.doubleOrNil(8)
    }

    /// For a person: what it is, then the last failure in its own words.
    var text: String {
        var line = "part \(part)  \(harmless(object))  \(harmless(state))"
        if let nextTrySeconds { line += " in \(Quantity.duration(max(0, nextTrySeconds)))" }
        line += ": \(harmless(reason ?? "no reason recorded")) (\(Quantity.counted(attempts, "attempt"))"
        if crashes > 0 { line += ", \(Quantity.counted(crashes, "vanished worker"))" }
        line += (failedAt.map { ", \($0)" } ?? "") + ")\n"
        if let message, message != reason { line += "    \(harmless(message))\n" }
        return line
    }

    /// For a person: what can be decided about those that are dead, by the first one's number; empty where none is.
    static func decisions(_ parts: [FailedPart]) -> String {
        let dead = parts.filter { $0.state == "dead" }
        guard let first = dead.first else { return "" }
        let small = dead.first { $0.reason == "reduced" } ?? first
        return """

            What is dead is not tried again until you decide, by its number or, with retry and accept, by '--reason PATTERN':
              'coldroll retry \(first.part)' queues it again, with a clean record.
              'coldroll accept \(small.part)' stores one that is smaller than Google says, or whose data ends oddly each time.
              'coldroll skip \(first.part) --reason TEXT' leaves it out for good; TEXT says why.

            """
    }
}
