package import Postgres

/// The schedule of a source as the ledger knows it; times are seconds since 1970 by the database's clock.
package struct KeptSchedule: Sendable, Equatable {
    /// As the process that was started last was told.
    package let expression: String
    package let zone: String
    /// Since when it holds: what was due before was not missed.
    package let since: Double
    /// The database's time.
    package let now: Double
    /// The latest due time that has its turn and is not after `now`; nil if none has.
    package let lastDue: Double?
}

extension Ledger {
    /// Says how a source runs by itself.
    ///
    /// - Parameters:
    ///   - source: whose.
    ///   - expression: five fields.
    ///   - zone: name of its time zone.
    ///   - since: from when on its times count, in seconds since 1970; nil is now.
    /// - Returns: whether this is news, and the schedule begins anew.
    /// - Throws: `PostgresError`.
    package func keepSchedule(
        source: Int64,
        expression: String,
        zone: String,
        since: Double? = nil
    ) async throws(PostgresError) -> Bool {
        let values: [PostgresValue] = [.integer(source), .text(expression), .text(zone), .double(since)]
        return try await !pool.run(ScheduleStatements.keep, values).isEmpty
    }

    /// When the last turn of a source was begun and whether it goes on, and the database's time; seconds since 1970, nil where
    /// none was.
    package func lastRun(source: Int64) async throws(PostgresError) -> (now: Double, begun: Double, goesOn: Bool)? {
        guard let row = try await pool.run(ScheduleStatements.lastRun, [.integer(source)]).first else { return nil }
        return (try row.double(0), try row.double(1), try row.boolean(2))
    }

    /// The schedule of a source; nil if it has none.
    package func schedule(source: Int64) async throws(PostgresError) -> KeptSchedule? {
        guard let row = try await pool.run(ScheduleStatements.look, [.integer(source)]).first else { return nil }
        return KeptSchedule(
            expression: try row.text(0),
            zone: try row.text(1),
            since: try row.double(2),
            now: try row.double(3),
            lastDue: try row.doubleOrNil(4)
        )
    }

    /// Puts right what a clock that was ahead has left in the schedule and the turns of a source; false if there was nothing.
    ///
    /// Otherwise nothing would be due before the times that lie ahead.
    package func mendSchedule(source: Int64) async throws(PostgresError) -> Bool {
        try await pool.only(ScheduleStatements.mend, [.integer(source)]).integer(0) > 0
    }

    /// A due time has come: the turn that is open is for it too, or a new one is made.
    ///
    /// - Parameters:
    ///   - source: whose schedule.
    ///   - due: whole seconds since 1970, not after the database's time.
    ///   - missed: what is to be told of times that nobody was there for; noted with the turn, or not at all.
    /// - Returns: the turn's number and whether it was there already; nil if this time, or a later one, has its turn.
    /// - Throws: `PostgresError`.
    package func makeDue(
        source: Int64,
        at due: Int64,
        missed: (subject: String, words: String)? = nil
    ) async throws(PostgresError) -> (number: Int64, joined: Bool)? {
        do {
            let values: [PostgresValue] = [
                .integer(source), .double(Double(due)), .text(missed?.subject), .text(missed?.words),
            ]
            guard let row = try await pool.run(ScheduleStatements.due, values).first else { return nil }
            return (try row.integer(0), try row.boolean(1))
        } catch  where error.constraint == "turn_due" {
            // Another host made it, and ended it, while this statement waited.
            return nil
        }
    }
}
