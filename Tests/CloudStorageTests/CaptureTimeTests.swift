import Testing

@testable import CloudStorage

@Suite struct CaptureTimeTests {
    @Test(
        "reads every form of RFC 3339",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, 0), ("2019-07-14T16:03:21Z", 1_563_120_201, 0),
            ("2019-07-14T18:03:21.5+02:00", 1_563_120_201, 500_000_000),
            ("1969-12-31T23:59:59.25Z", -1, 250_000_000), ("2000-02-29t12:00:00z", 951_825_600, 0),
            ("1900-03-01T00:00:00-01:30", -2_203_885_800, 0),
            ("2021-01-02T03:04:05.123456789123Z", 1_609_556_645, 123_456_789),
        ] as [(String, Int64, Int)]
    )
    func reads(text: String, seconds: Int64, nanoseconds: Int) {
        #expect(CaptureTime(text) == CaptureTime(seconds: seconds, nanoseconds: nanoseconds))
    }

    @Test(
        "reads nothing else",
        arguments: [
            "", "2019-07-14", "2019-07-14T16:03:21", "2019-02-29T00:00:00Z", "2019-13-01T00:00:00Z",
            "2019-00-10T00:00:00Z",
            "2019-07-14T24:00:00Z", "2019-07-14T16:03:21Z ", "19-07-14T16:03:21Z",
        ]
    )
    func refuses(text: String) {
        #expect(CaptureTime(text) == nil)
    }
}
