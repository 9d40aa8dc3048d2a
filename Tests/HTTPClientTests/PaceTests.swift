import HTTPServer
import Testing

@testable import HTTPClient

@Suite(.timeLimit(.minutes(1))) struct PaceTests {
    @Test func `a wait counts while it goes on and once it is over`() {
        let meter = PaceMeter()
        let start = ContinuousClock.now
        #expect(meter.current(at: start) == HTTPClient.Pace())
        meter.beginWait(at: start)
        #expect(meter.current(at: start + .seconds(2)).waited == .seconds(2))
        meter.endWait(at: start + .seconds(3))
        #expect(meter.current(at: start + .seconds(9)).waited == .seconds(3))
        meter.beginWait(at: start + .seconds(9))
        meter.add(5)
        #expect(meter.current(at: start + .seconds(10)).waited == .seconds(4))
        #expect(meter.current(at: start + .seconds(10)).moved == 5)
    }

    @Test func `the thread of a client without requests waits`() async throws {
        let client = HTTPClient()
        var waited = Duration.zero
        // By its own reckoning: however slow this machine is, it comes.
        while waited < .milliseconds(5) {
            try await Task.sleep(for: .milliseconds(1))
            waited = client.pace.waited
        }
        #expect(client.pace.moved == 0)
    }
}
