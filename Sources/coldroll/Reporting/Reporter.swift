import Foundation
import Logging
import Synchronization

/// Tells what happens: to a person at a terminal in sentences with one line of progress that redraws, else as JSON lines.
final class Reporter: Sendable {
    /// Who reads.
    enum Audience: Sendable {
        /// A terminal of so many columns; without `redraws` (TERM=dumb) progress is a plain line now and then.
        case person(columns: @Sendable () -> Int, redraws: Bool)
        /// A program that reads one JSON object a line.
        case log
    }

    private struct State {
        /// The line of progress that stands on the screen.
        var drawn: String?
        var lastProgress = -Double.infinity
        var meter = RateMeter()
        var awaitsPick = false
    }

    private let audience: Audience
    /// Makes the commands in what is told ones that can be typed.
    let typable: TypableCommands
    private let write: @Sendable (String) -> Void
    private let clock: @Sendable () -> Double
    private let time: @Sendable () -> String
    private let state = Mutex(State())

    /// Seconds between two redraws, and between two lines of progress in a log.
    private static let redrawInterval = 0.2
    private static let logInterval = 10.0

    /// - Parameters:
    ///   - audience: who reads.
    ///   - typable: what makes the commands in messages ones that can be typed.
    ///   - write: gets whole lines, or escape sequences for a terminal; called under a lock.
    ///   - clock: seconds that never go back.
    ///   - time: RFC 3339 for log lines.
    init(
        _ audience: Audience,
        typable: TypableCommands = TypableCommands(nil),
        write: @escaping @Sendable (String) -> Void,
        clock: @escaping @Sendable () -> Double = { ProcessInfo.processInfo.systemUptime },
        time: @escaping @Sendable () -> String = Reporter.now
    ) {
        self.audience = audience
        self.typable = typable
        self.write = write
        self.clock = clock
        self.time = time
    }

    /// The reporter of this process: what a command's output is decides where events go when nobody watches.
    static func standard(
        _ output: Command.Output,
        environment: [String: String],
        typable: TypableCommands = TypableCommands(nil)
    ) -> Reporter {
        if StandardStream.error.isTerminal {
            let redraws = environment["TERM"].map { $0 != "dumb" && !$0.isEmpty } ?? false
            return Reporter(.person(columns: { StandardStream.error.columns }, redraws: redraws), typable: typable) {
                StandardStream.error.write($0)
            }
        }
        switch output {
        case .events: return Reporter(.log, typable: typable) { StandardStream.output.write($0) }
        // Standard output is the answer: sentences go to standard error, without escape sequences.
        case .answer:
            return Reporter(.person(columns: { 80 }, redraws: false), typable: typable) {
                StandardStream.error.write($0)
            }
        }
    }

    /// Whether a person reads, rather than a program.
    var isForPerson: Bool { if case .person = audience { true } else { false } }

    /// Lines of our own making for a person, escape sequences included; a log gets nothing of them.
    func show(_ block: String) {
        guard isForPerson else { return }
        state.withLock { state in
            let drawn = state.drawn
            write((drawn == nil ? "" : "\r\u{1B}[K") + block + (drawn ?? ""))
        }
    }

    /// A sentence about something that went as it should.
    func say(_ sentence: String, _ fields: [String: LogValue] = [:]) { emit(.info, sentence, fields) }

    /// A sentence about something that will need a person if it goes on.
    func warn(_ sentence: String, _ fields: [String: LogValue] = [:]) { emit(.warning, sentence, fields) }

    /// The sentence of the error that ends the command.
    func fail(_ sentence: String, _ fields: [String: LogValue] = [:]) { emit(.error, sentence, fields) }

    /// Shows how far a scan is; call as often as you like.
    func progress(_ scan: ScanProgress) { show { _, _ in ProgressLine(scan) } }

    /// Says whether all waits for a person who picks, which progress tells instead of a start that does not come.
    func awaitPick(_ isAwaited: Bool) { state.withLock { $0.awaitsPick = isAwaited } }

    /// Shows how far the work is; call as often as you like.
    func progress(_ work: WorkerProgress) {
        var work = work
        work.standstill = work.standstill.map { typable($0) }
        work.held = work.held.map { typable($0) }
        let known = work
        show { state, now in
            state.meter.note(count: max(0, known.total - known.live), bytes: known.storedBytes, at: now)
            return ProgressLine(known, state.meter, awaitsPick: state.awaitsPick)
        }
    }

    /// Takes the line of progress away; call when a phase is over.
    func endProgress() {
        state.withLock { state in
            if state.drawn != nil { write("\r\u{1B}[K") }
            state.drawn = nil
            state.lastProgress = -.infinity
            state.meter = RateMeter()
        }
    }

    /// For the modules: a person sees warnings and errors, a log everything from `info` on.
    var logger: Logger {
        let minimum: Severity = if case .log = audience { .info } else { .warning }
        return Logger(minimum: minimum) { [self] severity, message, fields in emit(severity, message, fields) }
    }

    private func emit(_ severity: Severity, _ message: String, _ fields: [String: LogValue]) {
        let message = typable(message)
        let fields = fields.mapValues { value -> LogValue in
            if case .string(let text) = value { .string(typable(text)) } else { value }
        }
        switch audience {
        case .log:
            let line = line(severity, message, fields)
            state.withLock { _ in write(line) }
        case .person:
            let text = Self.sentence(severity, message, fields)
            state.withLock { state in
                let drawn = state.drawn
                write((drawn == nil ? "" : "\r\u{1B}[K") + text + "\n" + (drawn ?? ""))
            }
        }
    }

    /// One JSON object with a newline; the three fields that every line has are the reporter's own.
    private func line(_ severity: Severity, _ message: String, _ fields: [String: LogValue]) -> String {
        let fields = fields.filter { !["severity", "message", "time"].contains($0.key) }
        return Logger.line(severity, message, fields, time: time()) + "\n"
    }

    /// Now in RFC 3339, UTC, with milliseconds.
    static func now() -> String {
        Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    private static func sentence(_ severity: Severity, _ message: String, _ fields: [String: LogValue]) -> String {
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map { harmless(String($0)) }
        var text = lines.joined(separator: "\n")
        switch severity {
        case .error: text = "coldroll: " + text
        case .warning: text = "warning: " + text
        case .info, .debug: break
        }
        // A module's warning or error is a constant with fields; our own sentences have everything in them.
        guard severity == .warning || severity == .error, !fields.isEmpty else { return text }
        let words = fields.sorted { $0.key < $1.key }.map { "\($0.key) \(harmless($0.value.words))" }
        return text + " (" + words.joined(separator: ", ") + ")"
    }

    private func show(_ line: (inout State, Double) -> ProgressLine) {
        let now = clock()
        state.withLock { state in
            let line = line(&state, now)
            switch audience {
            case .person(let columns, redraws: true):
                guard now - state.lastProgress >= Self.redrawInterval else { return }
                // The last column stays free: writing it would wrap the line on some terminals.
                let text = line.text(columns: max(1, columns() - 1))
                state.drawn = text
                write("\r\u{1B}[K" + text)
            case .person(_, redraws: false):
                guard now - state.lastProgress >= Self.logInterval else { return }
                write(line.text(columns: .max) + "\n")
            case .log:
                guard now - state.lastProgress >= Self.logInterval else { return }
                write(self.line(.info, "progress", line.fields))
            }
            state.lastProgress = now
        }
    }
}

extension LogValue {
    fileprivate var words: String {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .double(let number): String(number)
        case .boolean(let truth): truth ? "yes" : "no"
        }
    }
}
