package import Postgres

/// Something that is to be told to the owner.
package struct Notice: Sendable, Equatable {
    package let id: Int64
    /// `succeeded`, `failed`, `login` or `missed`.
    package let event: String
    /// Sentences for a person.
    package let words: String
    /// Number of the turn or the run; nil where it is about none.
    package let run: Int64?
    /// How often a process set about telling it, this time included.
    package let tries: Int64
}

extension Ledger {
    /// Notes what is to be told; an event and subject that is noted already stays as it is.
    package func note(
        _ news: TurnNews,
        source: Int64,
        run: Int64?
    ) async throws(PostgresError) {
        _ = try await pool.run(
            NoticeStatements.note,
            [.integer(source), .text(news.event), .text(news.subject), .text(news.words), .integer(run)]
        )
    }

    /// Notes what the ledger itself knows: runs that were not begun, or gone on with, within `patience`, and a login that is refused, or
    /// dies within `warning`.
    package func noteTroubles(
        source: Int64,
        patience: Duration,
        warning: Duration
    ) async throws(PostgresError) {
        _ = try await pool.run(NoticeStatements.missed, [.integer(source), .double(patience.seconds)])
        _ = try await pool.run(NoticeStatements.idle, [.integer(source), .double(patience.seconds)])
        _ = try await pool.run(NoticeStatements.login, [.integer(source), .double(warning.seconds)])
    }

    /// Most processes that set about telling one notice: each but the last was killed over it.
    private static let tellers: Int64 = 3

    /// The next notice to tell; nobody else gets it for `pause`, after which another process does unless it was told.
    ///
    /// - Parameters:
    ///   - source: whose notices.
    ///   - pause: longer than it takes to tell one, failures included.
    /// - Returns: nil if nothing is to be told now.
    /// - Throws: `PostgresError`.
    package func claimNotice(source: Int64, pause: Duration) async throws(PostgresError) -> Notice? {
        let values: [PostgresValue] = [.integer(source), .double(pause.seconds), .integer(Self.tellers)]
        guard let row = try await pool.run(NoticeStatements.claim, values).first else { return nil }
        return Notice(
            id: try row.integer(0),
            event: try row.text(1),
            words: try row.text(2),
            run: try row.integerOrNil(3),
            tries: try row.integer(4)
        )
    }

    /// It cannot be told now: whoever comes by after `pause` tries again, until it is a day old.
    package func putOff(_ notice: Notice, for pause: Duration) async throws(PostgresError) {
        _ = try await pool.run(NoticeStatements.putOff, [.integer(notice.id), .double(pause.seconds)])
    }

    /// It was received.
    package func told(_ notice: Notice) async throws(PostgresError) {
        _ = try await pool.run(NoticeStatements.told, [.integer(notice.id)])
    }
}
