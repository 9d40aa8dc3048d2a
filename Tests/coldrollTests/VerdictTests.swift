import JobQueue
import Testing

@testable import coldroll

@Suite struct VerdictTests {
    private func totals(_ change: (inout Totals) -> Void) -> Totals {
        var totals = Totals()
        totals.found = 10
        totals.stored = 10
        totals.renditions = 10
        totals.storedBytes = 1_950_000_000
        change(&totals)
        return totals
    }

    private func verdict(interrupted: Bool = false, waits: [Verdict.Wait] = [], _ change: (inout Totals) -> Void)
        -> Verdict
    {
        Verdict(totals: totals(change), waits: waits, interrupted: interrupted)
    }

    @Test func everythingStoredDuplicateOrSkippedIsDone() {
        let verdict = verdict {
            $0.stored = 7
            $0.duplicate = 2
            $0.skipped = 1
            $0.originals = 3
            $0.renditions = 4
        }
        #expect(verdict.status == .done)
        #expect(
            verdict.sentence
                == "7 stored = 3 originals + 4 Google renditions (1.95 GB), of 10 parts found; 2 duplicates; 1 skipped."
        )
    }

    @Test func deadPartsAreTwo() {
        let verdict = verdict {
            $0.stored = 9
            $0.dead = 1
        }
        #expect(verdict.status == .dead)
        #expect(verdict.sentence.contains("1 part failed for good: see 'coldroll failures'."))
    }

    @Test func sumsThatDoNotAddUpAreTwoEvenWhenNobodyCountedTheGap() {
        #expect(verdict { $0.stored = 9 }.status == .dead)
        #expect(verdict { $0.unaccounted = 1 }.status == .dead)
        #expect(verdict { $0.unaccounted = 1 }.sentence.contains("do not add up"))
    }

    @Test func whatWaitsIsToldWithForWhatAndUntilWhen() {
        let verdict = verdict(waits: [
            .init(reason: "quota", seconds: 90), .init(reason: "paused by ada", seconds: nil),
        ]) {
            $0.stored = 4
            $0.ready = 3
            $0.scheduled = 2
            $0.running = 1
            $0.nextDue = 245
        }
        #expect(verdict.status == .unfinished)
        #expect(
            verdict.sentence.hasSuffix(
                "6 parts still to do: 3 ready, 2 scheduled, 1 running, the next one due in 4 min 05 s. "
                    + "Waits for 1 min 30 s more: quota. Waits until 'coldroll resume': paused by ada."
            )
        )
    }

    @Test func whoeverInterruptsGetsThat() {
        #expect(verdict(interrupted: true) { $0.dead = 1 }.status == .interrupted)
    }
}
