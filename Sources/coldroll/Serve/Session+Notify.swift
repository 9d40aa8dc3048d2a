import Foundation
import HTTPClient
import JobQueue
import Logging
import Postgres

extension Session {
    /// Who tells the owner; nil where nobody is to be told.
    func notifier(_ http: HTTPClient) -> Notifier? {
        settings.notify.map {
            Notifier(url: $0, http: http, account: settings.account, host: hostName(), logger: logger)
        }
    }

    /// Does `body`, the whole of one `coldroll run`, and tells the owner how it ended.
    ///
    /// The body opens everything, and says what it has opened; what it throws is told, and thrown on.
    func telling(
        _ body: (_ opened: (Archive) -> Void) async throws -> (ending: Ending, number: Int64)
    ) async throws -> Ending {
        var archive: Archive?
        do {
            let (ending, number) = try await body { archive = $0 }
            await tell(RunNews(ending.status, ending.sentence ?? ""), ending.status, number, archive)
            return ending
        } catch {
            await tell(RunNews(ExitStatus(of: error), sentence(of: error)), ExitStatus(of: error), nil, archive)
            throw error
        }
    }

    private func tell(_ news: RunNews, _ status: ExitStatus, _ number: Int64?, _ archive: Archive?) async {
        // Whoever stopped it knows.
        guard status != .interrupted, !stop.isRequested else { return }
        let http = openHTTP()
        guard let notifier = notifier(http) else { return }
        let day = Date.now.formatted(.iso8601.year().month().day())
        if let archive {
            let noted = news.news(day: day, unique: number.map(String.init) ?? UUID().uuidString)
            do throws(PostgresError) {
                try await archive.database.ledger.note(noted, source: archive.source, run: number)
                return try await notifier.tellAll(archive.database.ledger, source: archive.source, stop)
            } catch {
                logger.log(
                    .warning,
                    "the ledger does not say whether the owner was told",
                    ["error": .string("\(error)")]
                )
            }
        }
        // Whatever starts it again each quarter of an hour would tell as often.
        let mark = DayMark(home: settings.home, account: settings.account)
        guard !status.isWorthAnotherTry || !mark.isSet(for: day) else { return }
        if await notifier.tell(news, stop), status.isWorthAnotherTry { mark.set(for: day) }
    }
}
