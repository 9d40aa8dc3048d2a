import HTTPServer

/// How an operation wants to go on, once its request's head was looked at.
enum Work: Sendable {
    /// No body is needed; the answer is made when the request has ended.
    case answer(@Sendable () -> ServerAnswer)
    /// The body goes to a receiver, which answers.
    case receive(any BodyReceiver)

    /// Collects a small body, then answers.
    static func collect(_ answer: @escaping @Sendable ([UInt8]) -> ServerAnswer) -> Work {
        .receive(CollectingReceiver(answer: answer))
    }
}

/// Keeps a small body in memory.
final class CollectingReceiver: BodyReceiver {
    // More than any JSON that these APIs take.
    private static let limit = 4 << 20

    private let answer: @Sendable ([UInt8]) -> ServerAnswer
    // Unchecked because one connection's thread makes all calls, one after the other (see BodyReceiver).
    nonisolated(unsafe) private var bytes: [UInt8] = []

    init(answer: @escaping @Sendable ([UInt8]) -> ServerAnswer) { self.answer = answer }

    func receive(_ more: UnsafeRawBufferPointer) -> Bool {
        unsafe bytes.append(contentsOf: more)
        return unsafe bytes.count <= Self.limit
    }

    func finish() -> ServerAnswer { answer(unsafe bytes) }

    func abandon() {}
}
