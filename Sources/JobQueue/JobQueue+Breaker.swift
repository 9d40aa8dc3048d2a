package import Postgres

/// A place that requests go to.
///
/// Raw values are the words in the database.
package enum Service: String, Sendable, CaseIterable {
    /// The API that lists: the Library API, or the Picker's; the place tells which.
    case library
    /// The servers that send photos and videos.
    case media
    /// The bucket, or the directory, of the archive.
    case storage
}

/// An outage that all processes share.
package struct OpenBreaker: Sendable, Equatable {
    package let service: Service
    /// Project of the OAuth client, or URL of the archive.
    package let place: String
    /// What the service answered when it was tried last.
    package let reason: String
    /// How long it is open, and how long until somebody tries the service again, by the database's clock.
    package let seconds, secondsToProbe: Double
}

extension OpenBreaker {
    private static let picker = "picker of "

    /// The place of the Picker API, as a project uses it.
    package static func pickerPlace(project: String) -> String { picker + project }

    /// The project whose Picker API is away; nil where something else is.
    package static func pickerProject(_ place: String) -> String? {
        place.hasPrefix(picker) ? String(place.dropFirst(picker.count)) : nil
    }
}

extension JobQueue {
    /// Tells all processes that a neutral request to the service failed.
    ///
    /// - Parameters:
    ///   - service: what was tried.
    ///   - place: which one.
    ///   - worker: who tried.
    ///   - reason: what it answered.
    /// - Returns: whether the service counts as away for all; false where others had answers in the last seconds, so
    ///   that only the caller is cut off.
    /// - Throws: when the database is away as well.
    package func reportOutage(
        _ service: Service,
        place: String,
        worker: Int64,
        reason: String
    ) async throws(PostgresError) -> Bool {
        let rows = try await pool.run(
            BreakerStatements.report,
            [
                .text(service.rawValue), .text(place), .integer(worker), .text(String(reason.prefix(500))),
                .double((timing.soundInterval * 2).seconds), .double(timing.probe.seconds),
            ]
        )
        return !rows.isEmpty
    }

    /// Tells all processes that the service answered a request that was sent `age` ago; closes its breaker.
    ///
    /// An answer to a request from before the outage closes nothing.
    package func noteSound(_ service: Service, place: String, age: Duration) async throws(PostgresError) {
        _ = try await pool.run(
            BreakerStatements.sound,
            [
                .text(service.rawValue), .text(place), .double(age.seconds),
                .double((timing.soundInterval / 2).seconds),
            ]
        )
    }

    /// Closes a breaker for all, where tries tell nothing: transfers will.
    package func closeBreaker(_ service: Service, place: String) async throws(PostgresError) {
        _ = try await pool.run(BreakerStatements.close, [.text(service.rawValue), .text(place)])
    }

    /// Whether the caller is the one to try the service now: at most one process in `timing.probe`, whatever their number.
    package func mayProbe(_ service: Service, place: String, worker: Int64) async throws(PostgresError) -> Bool {
        let rows = try await pool.run(
            BreakerStatements.probe,
            [
                .text(service.rawValue), .text(place), .integer(worker), .double(timing.probe.seconds),
                .double((timing.probe / 5).seconds),
            ]
        )
        return !rows.isEmpty
    }

    /// Outages, the oldest first.
    package func openBreakers() async throws(PostgresError) -> [OpenBreaker] {
        var breakers: [OpenBreaker] = []
        for row in try await pool.run(BreakerStatements.open) {
            guard let service = Service(rawValue: try row.text(0)) else { continue }
            breakers.append(
                OpenBreaker(
                    service: service,
                    place: try row.text(1),
                    reason: try row.text(2),
                    seconds: try row.double(3),
                    secondsToProbe: try row.double(4)
                )
            )
        }
        return breakers
    }
}
