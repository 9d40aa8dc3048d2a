import GoogleAuth
import Synchronization

/// Between the listener, which must know its port before the question can be put, and whoever waits for the answer.
final class AnswerBox: Sendable {
    private let wait = Mutex<AnswerWait?>(nil)

    /// From now on answers are judged; until then nobody can know the state that a right one names.
    func open(_ wait: AnswerWait) { self.wait.withLock { $0 = wait } }

    func judge(_ query: String) -> Consent.Answer { wait.withLock { $0 }?.judge(query) ?? .foreign }
}
