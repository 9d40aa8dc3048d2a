import HTTPClient
import Testing

@Suite struct HTTPHeadTests {
    static func head(_ fields: (String, String)...) -> HTTPHead {
        HTTPHead(status: 200, headers: fields.map { HTTPField($0.0, $0.1) })
    }

    @Test func namesCompareWithoutCaseAndTheFirstFieldWins() {
        let head = Self.head(("X-A", "1"), ("x-a", "2"))
        #expect(head.header("x-A") == "1")
        #expect(head.header("X-B") == nil)
        #expect(HTTPField("A", "v") == HTTPField("a", "v"))
        #expect(HTTPField("A", "v") != HTTPField("a", "V"))
    }

    @Test(
        "Content-Length is a whole number or nothing",
        arguments: [
            ("0", 0), ("12345678901", 12_345_678_901), ("", nil), ("-1", nil), ("+1", nil), ("1, 1", nil),
            ("99999999999999999999", nil),
        ] as [(String, Int64?)]
    )
    func contentLength(value: String, expected: Int64?) {
        #expect(Self.head(("Content-Length", value)).contentLength == expected)
    }

    @Test func chunkedIsTheLastTransferCoding() {
        #expect(Self.head(("transfer-encoding", "gzip, Chunked")).isChunked)
        #expect(!Self.head(("Transfer-Encoding", "chunked, gzip")).isChunked)
        #expect(!Self.head().isChunked)
    }

    @Test(
        "Retry-After is read in seconds and as a date",
        arguments: [
            ("120", .seconds(120)), ("0", .seconds(0)), ("Wed, 21 Oct 2026 07:28:30 GMT", .seconds(30)),
            ("Wednesday, 21-Oct-26 07:29:00 GMT", .seconds(60)), ("Wed Oct 21 07:28:01 2026", .seconds(1)),
            ("Wed, 21 Oct 2026 07:27:00 GMT", .seconds(0)), ("soon", nil), ("", nil), ("-5", nil),
            ("9223372036854775807", .seconds(365 * 86_400)),
        ] as [(String, Duration?)]
    )
    func retryAfter(value: String, expected: Duration?) {
        let head = Self.head(("Date", "Wed, 21 Oct 2026 07:28:00 GMT"), ("Retry-After", value))
        #expect(head.retryAfter == expected)
    }

    @Test func withoutADateThisMachinesClockDecides() throws {
        #expect(Self.head(("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")).retryAfter == .seconds(0))
        let far = try #require(Self.head(("Retry-After", "Wed, 21 Oct 2099 07:28:00 GMT")).retryAfter)
        #expect(far == .seconds(365 * 86_400))
    }
}
