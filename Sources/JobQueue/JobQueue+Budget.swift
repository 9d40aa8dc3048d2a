package import Postgres

/// What a daily quota of Google's counts.
///
/// Raw values are the words in the database.
package enum QuotaKind: String, Sendable, CaseIterable {
    /// Requests to the Library API.
    case api
    /// Requests for the bytes of photos and videos.
    case media
}

/// Requests that a process may send until the day is over.
package struct QuotaGrant: Sendable, Equatable {
    /// 0: the day's quota is used up.
    package let requests: Int
    /// The day that they were drawn on, `yyyy-mm-dd`, for `giveBack`.
    package let day: String
    /// From the answer on, until Google's day ends and the grant with it.
    package let lasts: Duration
}

extension JobQueue {
    /// Draws up to `batch` requests of the day's quota of a project; fewer when little is left.
    ///
    /// A grant whose answer was lost stays drawn: the day then ends a batch early, never late.
    package func draw(
        project: String,
        _ kind: QuotaKind,
        limit: Int,
        batch: Int
    ) async throws(PostgresError) -> QuotaGrant {
        let values: [PostgresValue] = [
            .text(project), .text(kind.rawValue), .integer(Int64(limit)), .integer(Int64(batch)),
        ]
        var row = try await pool.run(BudgetStatements.draw, values).first
        if row == nil {
            _ = try await pool.run(BudgetStatements.open, Array(values.prefix(3)))
            row = try await pool.run(BudgetStatements.draw, values).first
        }
        guard let row else {
            throw PostgresError(
                code: .unexpectedAnswer,
                message: "the quota's row vanished",
                statement: BudgetStatements.draw.name
            )
        }
        return QuotaGrant(
            requests: Int(try row.integer(0)),
            day: try row.text(1),
            lasts: .seconds(max(0, try row.double(2)))
        )
    }

    /// Gives back what a process drew on `day` and did not need; without effect once that day is over.
    package func giveBack(
        project: String,
        _ kind: QuotaKind,
        day: String,
        requests: Int
    ) async throws(PostgresError) {
        _ = try await pool.run(
            BudgetStatements.giveBack,
            [.text(project), .text(kind.rawValue), .text(day), .integer(Int64(requests))]
        )
    }

    /// Closes the day's quota because Google says that it is used up, whatever was counted here.
    ///
    /// - Returns: time until the next day; nil in its first hour, in which Google's clock may still be on the last
    ///   one, and where nothing was drawn yet: nothing is closed then.
    package func refuse(project: String, _ kind: QuotaKind) async throws(PostgresError) -> Duration? {
        let rows = try await pool.run(BudgetStatements.refuse, [.text(project), .text(kind.rawValue)])
        return try rows.first.map { row throws(PostgresError) in .seconds(max(0, try row.double(0))) }
    }

    /// Google Cloud project that an OAuth client belongs to, as its id tells: `NNN-xxx.apps.googleusercontent.com`.
    ///
    /// The same as the function `coldroll.project`.
    package static func project(ofClient clientID: String?) -> String {
        guard let clientID, !clientID.isEmpty else { return "unknown" }
        let digits = clientID.prefix { $0.isASCII && $0.isNumber }
        return digits.isEmpty || !clientID.dropFirst(digits.count).hasPrefix("-") ? clientID : String(digits)
    }
}
