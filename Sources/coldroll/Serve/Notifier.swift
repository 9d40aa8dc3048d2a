import Foundation
import HTTPClient
import JobQueue
import Logging
import Postgres

/// Sends news to the owner's address, which is a secret: nothing of it is ever told.
struct Notifier: Sendable {
    let url: String
    let http: HTTPClient
    let account: String
    let host: String
    let logger: Logger

    /// How long one try may take, how many there are, and the time between two.
    private static let patience = Duration.seconds(10)
    private static let tries = 3
    private static let rest = Duration.seconds(2)
    /// Longer than all tries take.
    private static let claim = Duration.seconds(60)

    /// The JSON object that is sent.
    private struct Message: Encodable {
        let text: String
        let event: String
        let account: String
        let host: String
        let run: Int64?
    }

    /// Sends a message until it is received, `tries` times at most; false if it was not.
    private func send(event: String, words: String, run: Int64?) async -> Bool {
        for attempt in 1...Self.tries {
            if await sendOnce(event: event, words: words, run: run) { return true }
            if attempt < Self.tries { try? await Task.sleep(for: Self.rest) }
        }
        logger.log(
            .warning,
            "COLDROLL_NOTIFY_URL did not take a message after three tries",
            ["event": .string(event)]
        )
        return false
    }

    private func sendOnce(event: String, words: String, run: Int64?) async -> Bool {
        let message = Message(
            text: "coldroll (account \(account)): \(words)",
            event: event,
            account: account,
            host: host,
            run: run
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let body = try? encoder.encode(message) else { return false }
        var request = HTTPRequest(
            "POST",
            url,
            headers: [HTTPField("Content-Type", "application/json")],
            body: .bytes([UInt8](body))
        )
        request.stallTimeout = Self.patience
        let sending = Task { [request] in try? await http.send(request, limit: 64 << 10).status }
        let deadline = Task {
            try await Task.sleep(for: Self.patience)
            sending.cancel()
        }
        defer { deadline.cancel() }
        guard let status = await sending.value else { return false }
        return (200..<300).contains(status)
    }

    /// Tells everything of a source that is noted and was not told.
    ///
    /// - Throws: `PostgresError`; what was received and could not be noted as told is sent again by somebody.
    func tellAll(_ ledger: Ledger, source: Int64) async throws(PostgresError) {
        while let notice = try await ledger.claimNotice(source: source, pause: Self.claim) {
            if await send(event: notice.event, words: notice.words, run: notice.run) {
                try await ledger.told(notice)
            } else {
                try await ledger.giveUp(notice)
            }
        }
    }

    /// Tells without a ledger.
    func tell(_ news: RunNews) async { _ = await send(event: news.event, words: news.words, run: nil) }
}

/// Tells what is to be told, in `serve`: ends of runs, runs that did not happen, and logins that end.
struct NoticeKeeper: Sendable {
    let notifier: Notifier
    let ledger: Ledger
    let source: Int64
    var look = Duration.seconds(5)
    let bell: Bell

    /// A due run that has not begun by then is missed.
    static let patience = Duration.seconds(3600)
    /// So long before its end a login is told of.
    static let warning = Duration.seconds(3 * 86_400)

    /// Goes on until a stop is asked for.
    func keep(_ stop: StopSignal) async {
        var trouble = Trouble("there may be something to tell, which cannot be looked for", notifier.logger)
        while !stop.isRequested {
            do throws(PostgresError) {
                try await ledger.noteTroubles(source: source, patience: Self.patience, warning: Self.warning)
                try await notifier.tellAll(ledger, source: source)
                trouble.isOver()
            } catch {
                trouble.goesOn(error)
            }
            await bell.wait(look)
        }
    }
}
