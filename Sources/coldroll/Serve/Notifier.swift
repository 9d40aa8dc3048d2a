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
    /// When what was not received is tried again.
    private static let pause = Duration.seconds(15 * 60)

    /// The JSON object that is sent.
    private struct Message: Encodable {
        let text: String
        let event: String
        let account: String
        let host: String
        let run: Int64?

        /// Every key each time: what is about no run says null.
        func encode(to encoder: any Encoder) throws {
            var keys = encoder.container(keyedBy: CodingKeys.self)
            try keys.encode(text, forKey: .text)
            try keys.encode(event, forKey: .event)
            try keys.encode(account, forKey: .account)
            try keys.encode(host, forKey: .host)
            try keys.encode(run, forKey: .run)
        }

        private enum CodingKeys: String, CodingKey { case text, event, account, host, run }
    }

    /// What became of a message.
    private enum Reply { case taken, refused, stopped }

    /// Sends a message until it is received, `tries` times at most, or until a stop is asked for.
    private func send(event: String, words: String, run: Int64?, _ stop: StopSignal) async -> Reply {
        let sending = Task {
            for attempt in 1...Self.tries where !Task.isCancelled {
                if await sendOnce(event: event, words: words, run: run) { return true }
                if attempt < Self.tries { try? await Task.sleep(for: Self.rest) }
            }
            return false
        }
        let watch = Task {
            await stop.wait()
            sending.cancel()
        }
        defer { watch.cancel() }
        if await sending.value { return .taken }
        guard !stop.isRequested else { return .stopped }
        logger.log(
            .warning,
            "COLDROLL_NOTIFY_URL did not take a message after three tries",
            ["event": .string(event)]
        )
        return .refused
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
        let status = await withTaskCancellationHandler {
            await sending.value
        } onCancel: {
            sending.cancel()
        }
        return status.map((200..<300).contains) ?? false
    }

    /// Tells everything of a source that is noted and was not told, until a stop is asked for.
    ///
    /// - Throws: `PostgresError`; what was received and could not be noted as told is sent again by somebody.
    func tellAll(_ ledger: Ledger, source: Int64, _ stop: StopSignal) async throws(PostgresError) {
        while !stop.isRequested, let notice = try await ledger.claimNotice(source: source, pause: Self.claim) {
            switch await send(event: notice.event, words: notice.words, run: notice.run, stop) {
            case .taken: try await ledger.told(notice)
            case .refused: try await ledger.putOff(notice, for: Self.pause)
            case .stopped: try await ledger.putOff(notice, for: .zero)
            }
        }
    }

    /// Tells without a ledger; false if it was not received.
    func tell(_ news: RunNews, _ stop: StopSignal) async -> Bool {
        await send(event: news.event, words: news.words, run: nil, stop) == .taken
    }
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
            var fault: PostgresError?
            // What is noted is told, whatever keeps more from being noted.
            do throws(PostgresError) {
                try await ledger.noteTroubles(source: source, patience: Self.patience, warning: Self.warning)
            } catch { fault = error }
            do throws(PostgresError) { try await notifier.tellAll(ledger, source: source, stop) } catch {
                fault = error
            }
            if let fault { trouble.goesOn(fault) } else { trouble.isOver() }
            await bell.wait(look)
        }
    }
}
