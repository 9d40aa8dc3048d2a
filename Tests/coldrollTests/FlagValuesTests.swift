import Testing

@testable import coldroll

@Suite struct FlagValuesTests {
    @Test(arguments: ["2024-02-29", "1998-12-31", "2000-02-29", "0001-01-01"])
    func aDayThatExistsIsTaken(text: String) { #expect(Day(text)?.text == text) }

    @Test(arguments: [
        "2023-02-29", "1900-02-29", "2024-04-31", "2024-13-01", "2024-00-10", "2024-1-1", "24-01-01", "2024-01-01T00",
        "",
        "+024-01-01", "2024/01/01", "0000-01-01", "2024-01--1", "２０２４-01-01",
    ])
    func aDayThatDoesNotIsRefused(text: String) { #expect(Day(text) == nil) }

    @Test(arguments: [
        ("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400), ("366d", 366 * 86400),
    ])
    func aSpanHasAUnitOrIsSeconds(text: String, seconds: Int64) { #expect(Span(text)?.duration == .seconds(seconds)) }

    @Test(arguments: [
        "", "0", "h", "-1s", "1.5h", "2 h", "1w", "367d", "99999999999999999999s", "9000000000000000000d",
    ])
    func aSpanThatIsNoneIsRefused(text: String) { #expect(Span(text) == nil) }

    @Test func slotsAreANumberInTheRangeOrAuto() {
        #expect(SlotCount("auto") == .auto)
        #expect(SlotCount("1") == .fixed(1))
        #expect(SlotCount("64") == .fixed(64))
        for text in ["0", "257", "-1", "", "4.0", "Auto", "+4", " 4"] { #expect(SlotCount(text) == nil, "\(text)") }
    }

    @Test(arguments: [
        ("stauts", "status"), ("STATUS", "status"), ("stat", "status"), ("worker", "work"), ("sca", "scan"),
        ("psq", "psql"), ("resmue", "resume"),
    ])
    func aTypoFindsItsWord(typo: String, word: String) {
        #expect(nearest(to: typo, among: Command.all.map(\.name)) == word)
    }

    @Test(arguments: ["", "x", "banana", "re", "photos"])
    func aStrangeWordFindsNone(word: String) { #expect(nearest(to: word, among: Command.all.map(\.name)) == nil) }

    @Test func distanceCountsASwapAsOneEdit() {
        #expect(editDistance("stauts", "status") == 1)
        #expect(editDistance("", "abc") == 3)
        #expect(editDistance("kitten", "sitting") == 3)
    }
}
