import Dispatch
import HTTPServer
import JobQueue
import Logging
import Synchronization

/// What `serve` answers.
struct ServeRoutes: Sendable {
    /// Decides by the field Authorization who may ask for a run.
    let judge: @Sendable (String?) async -> Gate.Verdict
    let logger: Logger
    /// Asks for a run: its number, and whether it was there already.
    let ask: @Sendable () async throws -> (number: Int64, joined: Bool)
    /// Why this process is of no use now, a sentence; nil if it is.
    let unready: @Sendable () async -> String?
    /// Metrics as text.
    let metrics: @Sendable () async throws -> String

    /// Asked for when the server is about to close: whoever waits for an answer gets it then.
    let closing: StopSignal

    /// Bytes of a request's head and body, at most.
    static let longestHead = 16 << 10
    static let longestBody: Int64 = 64 << 10
    /// For all that an answer waits for; less than a connection lasts, so that it gets out.
    var patience = Duration.seconds(10)

    private let strangers = Throttle()

    /// Looks at the head of a request, on the connection's own thread, which it may block.
    func receive(_ request: ServerRequest) -> Reception {
        let head = request.headers.reduce(request.path.utf8.count + request.query.utf8.count) {
            $0 + $1.name.utf8.count + $1.value.utf8.count + 4
        }
        guard head <= Self.longestHead else { return .refuse(.sentence(431, "The head of the request is too long.")) }
        guard request.header("Transfer-Encoding") == nil else {
            return .refuse(.sentence(411, "Say how long the body is, by Content-Length."))
        }
        if let length = request.header("Content-Length") {
            guard let length = Int64(length), (0...Self.longestBody).contains(length) else {
                return .refuse(.sentence(413, "The body is too long; none is needed."))
            }
        }
        return .answer(answer(to: request))
    }

    private func answer(to request: ServerRequest) -> ServerAnswer {
        let isRead = ["GET", "HEAD"].contains(request.method)
        let end = DispatchTime.now() + .milliseconds(Int(patience / .milliseconds(1)))
        switch request.path {
        case "/run": return request.method == "POST" ? run(request, until: end) : .wrongMethod(allowed: "POST")
        case "/healthz": return isRead ? .sentence(200, "ok") : .wrongMethod(allowed: "GET, HEAD")
        case "/readyz": return isRead ? readiness(until: end) : .wrongMethod(allowed: "GET, HEAD")
        case "/metrics": return isRead ? numbers(until: end) : .wrongMethod(allowed: "GET, HEAD")
        default: return .sentence(404, "There is nothing here.")
        }
    }

    private func run(_ request: ServerRequest, until end: DispatchTime) -> ServerAnswer {
        let shown = request.header("Authorization")
        switch waiting(until: end, { [judge] in await judge(shown) }) {
        case .welcome(let key): return ask(by: key, until: end)
        case .unknown(let why):
            tellOfStranger(401, why)
            return .sentence(
                401,
                "Who calls must show a bearer token that is good now.",
                [("WWW-Authenticate", "Bearer")]
            )
        case .forbidden(let why):
            tellOfStranger(403, why)
            return .sentence(403, why == Gate.closed ? why : "This caller may not ask for a run.")
        case .later(let why):
            tellOfStranger(503, why)
            return .sentence(503, "Callers cannot be checked now: try again.", [("Retry-After", "10")])
        case nil: return .sentence(503, "Callers cannot be checked now: try again.", [("Retry-After", "10")])
        }
    }

    private func ask(by key: String, until end: DispatchTime) -> ServerAnswer {
        guard let asked = waiting(until: end, { [ask] in try? await ask() }) ?? nil else {
            return .sentence(503, "The database does not answer: try again.", [("Retry-After", "10")])
        }
        logger.log(
            .info,
            "a run was asked for",
            ["run": .integer(asked.number), "joined": .boolean(asked.joined), "by": .string(key)]
        )
        return ServerAnswer(
            202,
            headers: [(name: "Content-Type", value: "application/json")] + ServerAnswer.common,
            body: .bytes(Array("{\"run\":\(asked.number),\"joined\":\(asked.joined)}\n".utf8))
        )
    }

    private func readiness(until end: DispatchTime) -> ServerAnswer {
        guard let unready = waiting(until: end, { [unready] in await unready() }) else {
            return .sentence(503, Readiness.away)
        }
        return unready.map { .sentence(503, $0) } ?? .sentence(200, "ready")
    }

    private func numbers(until end: DispatchTime) -> ServerAnswer {
        guard let text = waiting(until: end, { [metrics] in try? await metrics() }) ?? nil else {
            return .sentence(503, "The database does not answer.")
        }
        return ServerAnswer(
            200,
            headers: [(name: "Content-Type", value: "text/plain; version=0.0.4; charset=utf-8")] + ServerAnswer.common,
            body: .bytes(Array(text.utf8))
        )
    }

    /// One line a second at most: whoever calls without an end fills no disk.
    private func tellOfStranger(_ status: Int64, _ why: String) {
        guard let kept = strangers.pass() else { return }
        logger.log(
            .warning,
            "refused to run for a caller",
            ["status": .integer(status), "error": .string(why), "more": .integer(kept)]
        )
    }

    /// Waits on the connection's own thread; nil if it takes too long, or the server closes.
    private func waiting<Value: Sendable>(
        until end: DispatchTime,
        _ body: @escaping @Sendable () async -> Value
    ) -> Value? {
        let box = Box<Value>()
        let done = DispatchSemaphore(value: 0)
        let task = Task {
            let value = await body()
            box.value.withLock { $0 = value }
            done.signal()
        }
        let closed = Task { [closing] in
            await closing.wait()
            done.signal()
        }
        defer { closed.cancel() }
        guard done.wait(timeout: end) == .success, let value = box.value.withLock({ $0 }) else {
            task.cancel()
            return nil
        }
        return value
    }

    private final class Box<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}

/// Lets one event through a second, and counts the others.
final class Throttle: Sendable {
    private struct State {
        var next = ContinuousClock.now
        var kept: Int64 = 0
    }

    private let state = Mutex(State())

    /// How many were kept back before this one; nil if it is kept back itself.
    func pass() -> Int64? {
        state.withLock { state in
            guard state.next <= .now else {
                state.kept += 1
                return nil
            }
            defer { state = State(next: .now + .seconds(1), kept: 0) }
            return state.kept
        }
    }
}

extension ServerAnswer {
    /// A connection serves one request: it may not last long, and nobody is told what is old.
    fileprivate static let common = [
        (name: "Cache-Control", value: "no-store"), (name: "Connection", value: "close"),
        (name: "X-Content-Type-Options", value: "nosniff"),
    ]

    fileprivate static func sentence(
        _ status: Int,
        _ words: String,
        _ fields: [(name: String, value: String)] = []
    ) -> ServerAnswer {
        ServerAnswer(
            status,
            headers: [(name: "Content-Type", value: "text/plain; charset=utf-8")] + fields + common,
            body: .bytes(Array((words + "\n").utf8))
        )
    }

    fileprivate static func wrongMethod(allowed: String) -> ServerAnswer {
        sentence(405, "This address takes \(allowed).", [("Allow", allowed)])
    }
}
