import Testing

@testable import coldroll

@Suite(.timeLimit(.minutes(5))) struct StopSignalTests {
    @Test func theFirstRequestAsksAndTheSecondInsists() async {
        let stop = StopSignal()
        #expect(!stop.isRequested)
        async let first: Void = stop.wait()
        async let second: Void = stop.waitHard()
        stop.request()
        await first
        #expect(stop.isRequested)
        #expect(!stop.hard)
        stop.request()
        await second
        #expect(stop.hard)
    }

    @Test func whoWaitsTooLateWaitsNotAtAll() async {
        let stop = StopSignal()
        stop.request()
        stop.request()
        await stop.wait()
        await stop.waitHard()
    }

    @Test func cancellationEndsTheWait() async {
        let stop = StopSignal()
        let waiting = Task { await stop.wait() }
        waiting.cancel()
        await waiting.value
        #expect(!stop.isRequested)
    }

    @Test func thousandsMayWaitAndBeCancelledAtOnce() async {
        let stop = StopSignal()
        await withTaskGroup { group in
            for index in 0..<2000 {
                group.addTask {
                    let waiting = Task { await stop.wait() }
                    if index % 2 == 0 { waiting.cancel() }
                    if index == 1999 { stop.request() }
                    await waiting.value
                }
            }
        }
        #expect(stop.isRequested)
    }

    @Test func resourcesAreClosedOnceAndInReverseOrderEvenWhenTheCommandWasCancelled() async {
        let order = Order()
        let resources = OpenResources()
        for number in 1...3 { resources.add { await order.add(Task.isCancelled ? -number : number) } }
        let task = Task {
            await resources.closeAll()
            await resources.closeAll()
        }
        task.cancel()
        await task.value
        #expect(await order.numbers == [3, 2, 1])
    }
}

private actor Order {
    private(set) var numbers: [Int] = []
    func add(_ number: Int) { numbers.append(number) }
}
