import Testing

@testable import HTTPClient

@Suite(.timeLimit(.minutes(2))) struct OneShotTests {
    @Test func `whoever waits gets the first value, and only that`() async {
        let shot = OneShot<Int>()
        async let value = shot.value()
        #expect(shot.fire(1))
        #expect(!shot.fire(2))
        #expect(await value == 1)
    }

    @Test func `a value and a cancellation at the same instant never wait for each other`() async {
        for round in 0..<100_000 {
            let shot = OneShot<Int>()
            let waiter = Task { await shot.value(ifCancelled: 0) }
            // The waiter is suspended in half of the rounds.
            if round % 2 == 0 { await Task.yield() }
            async let first: Bool = shot.fire(1)
            waiter.cancel()
            let isFirst = await first
            #expect(await waiter.value == (isFirst ? 1 : 0))
        }
    }
}
