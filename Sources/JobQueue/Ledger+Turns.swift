package import Postgres

/// A turn of the run, in the hands of the process that took it.
package struct Turn: Sendable, Equatable {
    /// What a caller was answered.
    package let number: Int64
    /// Who asked first: `call` or `schedule`.
    package let why: String
    /// How often a process has begun with it, this time included.
    package let tries: Int64
    /// Seconds since it was asked for.
    package let age: Double
}

/// What is to be told when a turn's try has ended.
package struct TurnNews: Sendable, Equatable {
    /// `succeeded` or `failed`.
    package let event: String
    /// Which event of which turn, so that it is told once.
    package let subject: String
    /// Sentences without secrets.
    package let words: String

    package init(event: String, subject: String, words: String) {
        self.event = event
        self.subject = subject
        self.words = words
    }

    fileprivate static func values(_ news: TurnNews?) -> [PostgresValue] {
        [.text(news?.event), .text(news?.subject), .text(news?.words)]
    }
}

/// Turns of the run, of which a source has one at a time; all times are the database's.
///
/// Every write of a holder names the random number that it took the turn with, and answers whether it still has it.
extension Ledger {
    /// Asks for a run; any number of calls at any number of hosts make one turn.
    ///
    /// - Returns: the turn's number, and whether it was there already. A call that is repeated because its answer was lost
    ///   joins its own turn.
    package func askForTurn(source: Int64) async throws(PostgresError) -> (number: Int64, joined: Bool) {
        let row = try await pool.only(TurnStatements.ask, [.integer(source)])
        return (try row.integer(0), try row.boolean(1))
    }

    /// Takes the turn that nobody has, or whose holder has been silent.
    ///
    /// - Parameters:
    ///   - source: whose turn.
    ///   - holder: a random number, more than 0, for this turn alone; the same again where the answer was lost.
    ///   - host: its name.
    ///   - silence: after this a holder has lost it.
    /// - Returns: nil if there is nothing to do now.
    /// - Throws: `PostgresError`.
    package func takeTurn(
        source: Int64,
        holder: Int64,
        host: String,
        silence: Duration
    ) async throws(PostgresError) -> Turn? {
        let values: [PostgresValue] = [
            .integer(source), .integer(holder), .text(host), .double(silence.seconds),
        ]
        guard let row = try await pool.run(TurnStatements.take, values).first else { return nil }
        return Turn(
            number: try row.integer(0),
            why: try row.text(1),
            tries: try row.integer(2),
            age: try row.double(3)
        )
    }

    /// A sign of life; false if the turn is somebody else's, or over.
    package func beatTurn(_ number: Int64, holder: Int64) async throws(PostgresError) -> Bool {
        try await !pool.run(TurnStatements.beat, [.integer(number), .integer(holder)]).isEmpty
    }

    /// Ends a turn for good, with what is to be told of it; may be repeated.
    ///
    /// With `tries` as it was taken, also after it was let go of, unless somebody else has begun since.
    package func endTurn(
        _ number: Int64,
        holder: Int64,
        tries: Int64? = nil,
        code: Int32,
        message: String,
        news: TurnNews?
    ) async throws(PostgresError) -> Bool {
        let values: [PostgresValue] = [
            .integer(number), .integer(holder), .integer(Int64(code)), .text(message),
        ]
        return try await !pool.run(TurnStatements.end, values + TurnNews.values(news) + [.integer(tries)]).isEmpty
    }

    /// Ends a try of a turn that is to be tried again after `pause`, by whoever comes by; its news is told once a day.
    package func postponeTurn(
        _ number: Int64,
        holder: Int64,
        code: Int32,
        message: String,
        pause: Duration,
        news: TurnNews?
    ) async throws(PostgresError) -> Bool {
        let values: [PostgresValue] = [
            .integer(number), .integer(holder), .integer(Int64(code)), .text(message), .double(pause.seconds),
        ]
        return try await !pool.run(TurnStatements.postpone, values + TurnNews.values(news)).isEmpty
    }

    /// Lets go of a turn in the middle: another process may go on at once.
    @discardableResult
    package func letGoOfTurn(_ number: Int64, holder: Int64) async throws(PostgresError) -> Bool {
        try await !pool.run(TurnStatements.letGo, [.integer(number), .integer(holder)]).isEmpty
    }
}
