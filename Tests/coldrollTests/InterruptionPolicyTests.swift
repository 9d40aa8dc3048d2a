import Dispatch
import Foundation
import Synchronization
import Testing

@testable import coldroll

@Suite struct InterruptionPolicyTests {
    private let stop = StopSignal()
    private final class Count: Sendable {
        private let value = Mutex(0)
        func add() { value.withLock { $0 += 1 } }
        var times: Int { value.withLock { $0 } }
    }
    private let cancelled = Count()
    private let givenUp = Count()

    private func policy(_ kind: Command.Interruption) -> InterruptionPolicy {
        let policy = InterruptionPolicy(stop: stop) { [givenUp] in givenUp.add() }
        policy.begin(kind)
        policy.onCancel { [cancelled] in cancelled.add() }
        return policy
    }

    @Test func aCommandThatAnswersIsCancelledByTheFirstSignal() {
        let policy = policy(.immediate)
        policy.signalled(SIGINT)
        #expect(cancelled.times == 1)
        #expect(policy.hasCancelled)
    }

    @Test func aWorkerIsCancelledWhileItOpensThingsAndAskedAfterwards() {
        let opening = policy(.graceful)
        opening.becomeGraceful()
        opening.signalled(SIGTERM)
        #expect(cancelled.times == 0)
        #expect(stop.isRequested)
        #expect(!opening.hasCancelled)
        #expect(givenUp.times == 0)
        opening.signalled(SIGTERM)
        #expect(stop.hard)
        #expect(cancelled.times == 0)
        #expect(givenUp.times == 1)
    }

    @Test(arguments: [false, true])
    func `the first signal is told at once, and no other`(isOpen: Bool) async {
        let policy = policy(.graceful)
        if isOpen { policy.becomeGraceful() }
        let (told, tell) = AsyncStream.makeStream(of: Bool.self)
        policy.onFirstSignal { tell.yield($0) }
        policy.signalled(SIGINT)
        var news = told.makeAsyncIterator()
        #expect(await news.next() == isOpen)
        guard isOpen else { return }
        policy.signalled(SIGINT)
        tell.finish()
        #expect(await news.next() == nil)
    }

    @Test func `a reader that takes nothing holds up no second signal`() async {
        let policy = policy(.graceful)
        policy.becomeGraceful()
        let full = DispatchSemaphore(value: 0)
        let (ended, end) = AsyncStream.makeStream(of: DispatchTimeoutResult.self)
        policy.onFirstSignal { _ in end.yield(full.wait(timeout: .now() + 10)) }
        policy.signalled(SIGTERM)
        policy.signalled(SIGTERM)
        #expect(givenUp.times == 1)
        full.signal()
        var results = ended.makeAsyncIterator()
        #expect(await results.next() == .success)
    }

    @Test func aSignalBeforeTheCommandIsKnownIsNotLost() {
        let policy = InterruptionPolicy(stop: stop)
        policy.begin(.graceful)
        policy.signalled(SIGTERM)
        policy.onCancel { [cancelled] in cancelled.add() }
        #expect(cancelled.times == 1)
    }

    @Test func controlCAtThePromptOfPsqlIsNotOurs() {
        let policy = policy(.own)
        policy.signalled(SIGINT)
        #expect(!stop.isRequested)
        policy.signalled(SIGTERM)
        #expect(stop.isRequested)
        #expect(cancelled.times == 0)
    }
}
