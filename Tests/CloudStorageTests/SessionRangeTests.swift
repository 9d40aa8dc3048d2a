import Testing

@testable import CloudStorage

@Suite struct SessionRangeTests {
    @Test(
        "the tail of a body is 1 byte to 256 KiB, and all before it whole units",
        arguments: [1, 2, 262_143, 262_144, 262_145, 524_288, 524_289, 50_000_000, 20_000_000_000] as [Int64]
    )
    func tail(length: Int64) {
        let start = SessionRange.tailStart(of: length)
        #expect(start % SessionRange.unit == 0)
        #expect((1...SessionRange.unit).contains(length - start))
    }

    @Test func anEmptyBodyHasNoTail() { #expect(SessionRange.tailStart(of: 0) == 0) }

    @Test func aRangeSaysHowMuchIsPersistedAndNoneSaysNothing() {
        #expect(SessionRange.persisted(nil) == 0)
        #expect(SessionRange.persisted("bytes=0-0") == 1)
        #expect(SessionRange.persisted("bytes=0-262143") == 262_144)
    }

    @Test(
        "a Range that makes no sense is not taken for a number",
        arguments: ["bytes=1-5", "0-5", "bytes=0-", "bytes=0--1", "bytes=0-9223372036854775807", "bytes=0-5,7-9"]
    )
    func nonsense(range: String) { #expect(SessionRange.persisted(range) == nil) }

    @Test func contentRangesAreWrittenAsTheServiceReadsThem() {
        #expect(SessionRange.header(from: 0, to: 10, of: 20) == "bytes 0-9/20")
        #expect(SessionRange.header(from: 10, to: 20, of: nil) == "bytes 10-19/*")
        #expect(SessionRange.header(from: 20, to: 20, of: 20) == "bytes */20")
    }
}
