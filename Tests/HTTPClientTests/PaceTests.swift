import HTTPServer
import Testing

@testable import HTTPClient

@Suite struct PaceTests {
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
}
