import Foundation
import GoogleAuth

/// Waits for the owner's answer: from the browser, or pasted into the terminal.
struct AnswerWait: Sendable {
    enum Event: Sendable {
        case answer(Consent.Answer, pasted: Bool)
        /// Enter, and nothing before it.
        case emptyLine
        case inputEnded
        case timeOver
    }

    let consent: Consent
    let reporter: Reporter
    let patience: Duration
    let events: AsyncStream<Event>
    private let post: AsyncStream<Event>.Continuation

    init(consent: Consent, reporter: Reporter, patience: Duration) {
        self.consent = consent
        self.reporter = reporter
        self.patience = patience
        (events, post) = AsyncStream.makeStream(of: Event.self)
    }

    /// For the listener.
    func judge(_ query: String) -> Consent.Answer {
        let answer = consent.answer(query: query)
        post.yield(.answer(answer, pasted: false))
        return answer
    }

    /// Waits for the answer that the browser brings.
    ///
    /// - Parameter reads: whether lines of standard input are addresses that a person pastes.
    /// - Returns: the code in it.
    /// - Throws: `CommandFailure` with what to do.
    func code(reads: Bool) async throws -> String {
        let timer = Task { [post, patience] in
            try await Task.sleep(for: patience)
            post.yield(.timeOver)
        }
        defer { timer.cancel() }
        if reads { readLines() }
        for await event in events {
            switch event {
            case .answer(.code(let code), _): return code
            case .answer(.refused(let sentence), _): throw CommandFailure(.credentials, sentence)
            case .answer(.foreign, pasted: true):
                reporter.warn(
                    "That is not the address that the browser ended at after this link: it begins with \(consent.redirect)? "
                        + "and has this login's state in it. Paste it whole."
                )
            case .answer(.foreign, pasted: false):
                reporter.warn(
                    "Something else than the answer to this login came to \(consent.redirect); still waiting."
                )
            case .emptyLine:
                reporter.say(
                    "Nothing was pasted. When the browser is done it stands at an address that begins with \(consent.redirect)? and "
                        + "shows no page: copy that whole address, paste it here and press Enter."
                )
            case .inputEnded:
                throw CommandFailure(
                    .credentials,
                    "Standard input ended before the address was pasted. Run 'coldroll login --no-browser' in a terminal."
                )
            case .timeOver:
                let elsewhere = reads ? "" : "; where the browser is on another machine, with --no-browser"
                throw CommandFailure(
                    .credentials,
                    "No answer came within \(Quantity.duration(Double(patience.components.seconds))). Run 'coldroll login' "
                        + "again\(elsewhere)."
                )
            }
        }
        throw CancellationError()
    }

    /// A thread of its own: a read of a terminal cannot be cancelled, and ends with the process.
    private func readLines() {
        Thread.detachNewThread { [consent, post] in
            while let line = readLine() {
                let text = line.trimmingCharacters(in: .whitespaces)
                post.yield(text.isEmpty ? .emptyLine : .answer(consent.answer(address: text), pasted: true))
            }
            post.yield(.inputEnded)
        }
    }
}
