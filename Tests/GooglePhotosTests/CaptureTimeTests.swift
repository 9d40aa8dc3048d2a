import GooglePhotos
import Testing

@Suite("Capture times", .timeLimit(.minutes(5)))
struct CaptureTimeTests {
    /// Each goes through the door that the program uses: a page of the API.
    private func read(_ times: [String]) async throws -> [String?] {
        let items = times.enumerated().map { #"{"id":"\#($0)","mediaMetadata":{"creationTime":"\#($1)"}}"# }
        let google = try ScriptedGoogle(always: .json(#"{"mediaItems":[\#(items.joined(separator: ","))]}"#))
        defer { withExtendedLifetime(google) {} }
        return try await google.client().list(pageToken: nil).items.map(\.creationTime)
    }

    @Test func timesAreReadToTheMicrosecondAndTurnedToUTC() async throws {
        let pairs = [
            ("2024-02-03T10:11:12Z", "2024-02-03T10:11:12Z"),
            ("2024-02-03T10:11:12.5Z", "2024-02-03T10:11:12.5Z"),
            ("2024-02-03T10:11:12.345Z", "2024-02-03T10:11:12.345Z"),
            ("2024-02-03T10:11:12.345678Z", "2024-02-03T10:11:12.345678Z"),
            ("2024-02-29T23:59:59.999999999Z", "2024-02-29T23:59:59.999999Z"),
            ("2024-02-03t10:11:12z", "2024-02-03T10:11:12Z"),
            ("2024-02-03 10:11:12-00:00", "2024-02-03T10:11:12Z"),
            ("2024-03-01T01:30:00+05:30", "2024-02-29T20:00:00Z"),
            ("2023-12-31T20:00:00.25-23:59", "2024-01-01T19:59:00.25Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
            ("1826-07-04T00:00:00+01:00", "1826-07-03T23:00:00Z"),
            ("1900-03-01T00:00:00+00:01", "1900-02-28T23:59:00Z"),
            ("2000-03-01T00:00:00+00:01", "2000-02-29T23:59:00Z"),
            ("1970-01-01T00:00:00+00:01", "1969-12-31T23:59:00Z"),
            ("2200-12-31T23:59:59Z", "2200-12-31T23:59:59Z"),
        ]
        #expect(try await read(pairs.map(\.0)) == pairs.map(\.1))
    }

    @Test func nonsenseIsNoTime() async throws {
        let nonsense = [
            "", "2024", "2024-02-03", "2024-02-03T10:11:12", "2024-02-03T10:11Z", "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:61Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00.1234567890Z",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00+0100", "2024-01-01T00:00:00ZZ", "0001-01-01T00:00:00Z", "1799-12-31T23:59:59Z",
            "2201-01-01T00:00:00Z", "2200-12-31T23:59:59-00:01", "9999-12-31T23:59:59-23:59", "0000-00-00T00:00:00Z",
            "-2024-01-01T00:00:00Z", "٢٠٢٤-01-01T00:00:00Z", "2024-01-01T00:00:00Z'; drop table item", "infinity",
        ]
        #expect(try await read(nonsense) == nonsense.map { _ in nil })
    }
}
