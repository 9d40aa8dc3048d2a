import Testing

@testable import coldroll

@Suite struct QuantityTests {
    @Test(arguments: [
        (0, "0 B"), (1, "1 B"), (999, "999 B"), (1000, "1.00 kB"), (1949, "1.95 kB"), (9_994, "9.99 kB"),
        (9_996, "10.0 kB"),
        (99_949, "99.9 kB"), (99_960, "100 kB"), (999_499, "999 kB"), (999_500, "1.00 MB"), (1_950_000_000, "1.95 GB"),
        (20_000_000_000, "20.0 GB"), (Int64.max, "9.22 EB"), (-1, "? B"),
    ])
    func bytesHaveThreeDigitsAndADecimalUnit(count: Int64, text: String) { #expect(Quantity.bytes(count) == text) }

    @Test(arguments: [
        (0, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (245, "4 min 05 s"), (3599, "59 min 59 s"),
        (7980, "2 h 13 min"), (86_400, "1 d 0 h"), (273_600, "3 d 4 h"), (.infinity, "?"), (.nan, "?"), (-1, "?"),
    ])
    func durationsHaveTwoUnits(seconds: Double, text: String) { #expect(Quantity.duration(seconds) == text) }

    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1234, "-1,234")])
    func longNumbersAreGrouped(number: Int64, text: String) { #expect(Quantity.grouped(number) == text) }

    @Test func ratesAndCountsReadAsWords() {
        #expect(Quantity.rate(bytesPerSecond: 12_345_678) == "12.3 MB/s")
        #expect(Quantity.rate(perSecond: 0.04) == "0.0/s")
        #expect(Quantity.rate(perSecond: 12.25) == "12.3/s" || Quantity.rate(perSecond: 12.25) == "12.2/s")
        #expect(Quantity.rate(perSecond: 1234) == "1,234/s")
        #expect(Quantity.counted(1, "part") == "1 part")
        #expect(Quantity.counted(2000, "part") == "2,000 parts")
    }

    @Test func aSpeedIsThatOfTheLastHalfMinute() {
        var meter = RateMeter()
        #expect(meter.bytesPerSecond == nil)
        for second in 0...100 { meter.note(count: Int64(second), bytes: Int64(second) * 1000, at: Double(second)) }
        #expect(meter.bytesPerSecond == 1000)
        for second in 101...131 { meter.note(count: 100, bytes: 100_000, at: Double(second)) }
        #expect(meter.bytesPerSecond == 0)
        #expect(meter.secondsLeft(for: 5) == nil)
    }

    @Test func theTimeLeftFollowsFromTheSpeed() {
        var meter = RateMeter()
        meter.note(count: 0, bytes: 0, at: 10)
        meter.note(count: 1, bytes: 1, at: 10.5)
        #expect(meter.perSecond == nil)
        meter.note(count: 20, bytes: 20, at: 20)
        #expect(meter.perSecond == 2)
        #expect(meter.secondsLeft(for: 100) == 50)
    }
}
