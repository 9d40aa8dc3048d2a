import JobQueue
import Testing

@testable import Archiver

@Suite struct CompletenessTests {
    @Test(
        arguments: [
            // Nothing known, nothing missing; deletions as people make them.
            (0, 0, 0, nil), (10, 0, 0, nil), (10, 5, 0, nil), (1000, 100, 9, nil), (10_000, 1000, 9, nil),
            (900, 89, 9, nil),
            (150, 75, 9, nil),
            (10, 6, 0, "more than half"), (1, 1, 1, "more than half"), (10_000, 5001, 0, "more than half"),
            (1000, 101, 0, "more than a tenth"), (288, 100, 9, "more than a tenth"),
            (188, 88, 88, "88 of these no younger than the oldest"), (10_000, 1001, 0, "more than a tenth"),
            (100_000, 10, 10, "10 of these no younger than the oldest"),
            (100_000, 5000, 4000, "4000 of these no younger than the oldest"),
        ] as [(Int64, Int64, Int64, String?)]
    )
    func `a loss that deletions do not explain is doubted, in words`(
        _ expected: Int64,
        _ missing: Int64,
        _ older: Int64,
        _ words: String?
    ) {
        let comparison = ScanComparison(expected: expected, missing: missing, olderThanAllSeen: older, returned: 0)
        let completeness = Completeness(comparison: comparison)
        guard let words else {
            #expect(completeness.doubt == nil && completeness.reason == nil)
            return
        }
        #expect(completeness.doubt?.hasPrefix(words) == true, "\(completeness.doubt ?? "no doubt")")
        #expect(completeness.reason?.contains("--accept-gaps") == true)
    }

    @Test func `ten that are missing where a page came empty are doubted, whatever their age`() {
        func doubt(_ missing: Int64) -> String? {
            let comparison = ScanComparison(
                expected: 1000,
                missing: missing,
                olderThanAllSeen: 0,
                returned: 0,
                hadMoreEmptyPages: true
            )
            return Completeness(comparison: comparison).doubt
        }
        #expect(doubt(9) == nil)
        #expect(doubt(10)?.contains("without any item") == true)
    }

    @Test func `an owner who accepts what he was told of accepts no more than that`() {
        func reason(_ untold: Int64) -> String? {
            let comparison = ScanComparison(
                expected: 1000,
                missing: 600,
                olderThanAllSeen: 600,
                returned: 0,
                untold: untold,
                untoldOlderThanAllSeen: 0
            )
            return Completeness(comparison: comparison).reasonNotToAccept
        }
        #expect(reason(0) == nil && reason(50) == nil)
        #expect(reason(200)?.contains("200 of which no scan before has missed") == true)
    }
}
