import HTTPServer

/// Counts one request's bytes, lets the rules strike that concern requests, and hands the rest to the operation.
final class MeteredReceiver: BodyReceiver {
    /// What an operation does once its request is whole.
    typealias Finish = @Sendable () -> ServerAnswer

    private struct Progress {
        var received: Int64 = 0
        var isForwarding = true
        var isOver = false
    }

    private let operation: String
    private let inner: (any BodyReceiver)?
    private let answering: Finish
    private let strikes: Strikes
    private let latencySeconds: Double
    private let board: CounterBoard
    // Bytes after which a rule breaks the connection or stops the work; nil for never.
    private let breakAfter: Int64?
    private let stopAfter: Int64?
    // Unchecked because one connection's thread makes all calls, one after the other (see BodyReceiver).
    nonisolated(unsafe) private var progress = Progress()

    init(
        operation: String,
        inner: (any BodyReceiver)?,
        answering: @escaping Finish,
        strikes: Strikes,
        latencySeconds: Double,
        length: Int64?,
        isUpload: Bool,
        board: CounterBoard
    ) {
        self.operation = operation
        self.inner = inner
        self.answering = answering
        self.strikes = strikes
        self.latencySeconds = latencySeconds
        self.board = board
        let size = Double(length ?? 0)
        breakAfter = isUpload ? strikes.first(.cut).map { Int64(size * ($0.at ?? 0.5)) } : nil
        if let rule = strikes.first(.status) {
            stopAfter = Int64(size * (rule.at ?? 0))
        } else if strikes.has(.reset) {
            stopAfter = 0
        } else {
            stopAfter = nil
        }
        board.began(operation)
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe progress.received += Int64(bytes.count)
        board.received(operation, bytes.count)
        let received = unsafe progress.received
        guard let inner else { return true }
        let limit = min(breakAfter ?? .max, stopAfter ?? .max)
        guard received > limit else { return unsafe inner.receive(bytes) }
        if unsafe progress.isForwarding {
            unsafe progress.isForwarding = false
            let wanted = Int(limit - (received - Int64(bytes.count)))
            if wanted > 0 { _ = unsafe inner.receive(UnsafeRawBufferPointer(rebasing: bytes[0..<wanted])) }
            inner.abandon()
        }
        return breakAfter.map { received <= $0 } ?? true
    }

    func finish() -> ServerAnswer {
        var answer: ServerAnswer
        if let rule = strikes.first(.status) {
            if unsafe progress.isForwarding { inner?.abandon() }
            answer = Strikes.refusal(rule)
        } else if strikes.has(.reset) || breakAfter != nil {
            if unsafe progress.isForwarding { inner?.abandon() }
            answer = ServerAnswer(503, fault: .reset)
        } else {
            answer = strikes.applied(to: inner?.finish() ?? answering())
        }
        answer.delaySeconds += latencySeconds + strikes.latencySeconds
        over(answer)
        return answer
    }

    func abandon() {
        if unsafe progress.isForwarding { inner?.abandon() }
        over(nil)
    }

    private func over(_ answer: ServerAnswer?) {
        guard unsafe !progress.isOver else { return }
        unsafe progress.isOver = true
        var sent = answer?.body.count ?? 0
        var status = answer?.status
        switch answer?.fault {
        case .cut(let after): sent = min(sent, after)
        case .closeWithoutAnswer, .reset:
            sent = 0
            status = nil
        case .stall, nil: break
        }
        board.ended(operation, status: status, sent: sent)
    }
}
