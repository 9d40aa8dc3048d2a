package import Postgres

/// A table of the ledger as both sides of a move see it.
struct LedgerTable: Sendable, Equatable {
    let name: String
    /// With its schema, quoted.
    let reference: String
    /// Comma-separated, quoted, in the order of their names: the same on both sides however the table came about.
    let columns: String

    init(_ row: Row) throws(PostgresError) {
        (name, reference, columns) = (try row.text(0), try row.text(1), try row.text(2))
    }

    var copyOut: Statement { Statement("move.copy_out.\(name)", "COPY \(reference) (\(columns)) TO STDOUT") }

    /// Frozen rows need no second visit by vacuum; the table was emptied in the same transaction, which that asks for.
    var copyIn: Statement {
        Statement("move.copy_in.\(name)", "COPY \(reference) (\(columns)) FROM STDIN WITH (FREEZE)")
    }

    /// Number of rows, and a sum over all of them in which order plays no part and any changed value does.
    var sum: Statement {
        Statement(
            "move.sum.\(name)",
            """
            SELECT count(*), coalesce(sum(('x' || left(encode(sha256(convert_to(ROW(\(columns))::text, 'UTF8')), 'hex'), 15)
                                          )::bit(60)::bigint), 0)::text
            FROM \(reference)
            """
        )
    }
}

/// What a ledger holds: row counts and sums, table by table, and where its sequences stand.
///
/// Equal on two databases, of whatever version of PostgreSQL, exactly if they hold the same.
package struct LedgerSums: Sendable, Equatable {
    /// One line a table or sequence.
    package let lines: [String]
    /// Rows by table.
    package let rows: [String: Int64]

    /// The same, or nil where there is no ledger.
    ///
    /// In one transaction, in which values are written as on any server, whatever its settings are.
    package static func readIfThere(_ connection: Connection) async throws(PostgresError) -> LedgerSums? {
        guard let row = try await connection.run(MoveStatements.exists).first, try row.boolean(0) else { return nil }
        try await connection.begin()
        _ = try await connection.run(MoveStatements.patience)
        let sums = try await read(connection)
        try await connection.commit()
        return sums
    }

    /// Reads everything once: some minutes for ten million parts.
    package static func read(_ connection: Connection) async throws(PostgresError) -> LedgerSums {
        var lines: [String] = []
        var rows: [String: Int64] = [:]
        for row in try await connection.run(MoveStatements.tables) {
            let table = try LedgerTable(row)
            guard let sum = try await connection.run(table.sum).first else { continue }
            rows[table.name] = try sum.integer(0)
            lines.append("\(table.name): \(try sum.integer(0)) rows, sum \(try sum.text(1))")
        }
        for (sequence, last, isCalled) in try await LedgerSequences.read(connection) {
            lines.append("\(sequence): \(last)\(isCalled ? "" : ", not drawn from")")
        }
        return LedgerSums(lines: lines.sorted(), rows: rows)
    }

    /// The first line that differs, for an error.
    func difference(from other: LedgerSums) -> String? {
        guard self != other else { return nil }
        let mine = Set(lines), others = Set(other.lines)
        return (lines.first { !others.contains($0) } ?? other.lines.first { !mine.contains($0) }) ?? "the order"
    }
}

enum LedgerSequences {
    /// Name with schema, last number, and whether that was handed out.
    static func read(
        _ connection: Connection
    ) async throws(PostgresError) -> [(name: String, last: Int64, isCalled: Bool)] {
        var found: [(name: String, last: Int64, isCalled: Bool)] = []
        for row in try await connection.run(MoveStatements.sequences) {
            let name = try row.text(0)
            let now = try await connection.run(
                Statement("move.sequence", "SELECT s.last_value, s.is_called FROM \(name) AS s")
            )
            guard let now = now.first else { continue }
            found.append((name, try now.integer(0), try now.boolean(1)))
        }
        return found
    }
}
