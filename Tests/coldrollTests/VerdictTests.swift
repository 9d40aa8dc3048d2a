import Foundation
import Testing

@testable import JobQueue
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

    private func verdict(
        interrupted: Bool = false,
        waits: [LaneWait] = [],
        scans: [ScanStanding] = [],
        _ change: (inout Totals) -> Void = { _ in }
    ) -> Verdict {
        Verdict(totals: totals(change), standing: Standing(scans: scans), waits: waits, interrupted: interrupted)
    }

    private func scan(unreadable: Int64 = 0, _ unsettled: String? = nil, _ reason: String? = nil) -> ScanStanding {
        ScanStanding(
            source: "library",
            account: "ada",
            newest: .init(state: unsettled ?? "complete", secondsSinceStart: 9, pages: 1, seen: 10, new: 0),
            secondsSinceFull: nil,
            unreadable: unreadable,
            unsettled: unsettled.map { .init(state: $0, reason: reason) }
        )
    }

    @Test func `outages are told of the run's own places only, and of all where no run is meant`() {
        let breakers = [
            OpenBreaker(service: .media, place: "123", reason: "503", seconds: 200, secondsToProbe: 5),
            OpenBreaker(service: .storage, place: "gs://b", reason: "no answer", seconds: 60, secondsToProbe: 5),
        ]
        let own = Verdict.sentences(breakers, of: [.library: "123", .media: "123", .storage: "gs://a"])
        #expect(own == ["Google's media service has been away for 3 min 20 s: 503"])
        #expect(Verdict.sentences(breakers, of: nil).last == "The archive has been away for 1 min 00 s: no answer")
    }

    @Test func whatWasListedWithoutAnIdIsTwoEvenWhileOthersWait() {
        let verdict = verdict(scans: [scan(unreadable: 3)]) {
            $0.stored = 9
            $0.ready = 1
        }
        #expect(verdict.status == .dead)
        #expect(verdict.sentence.contains("But: Google listed 3 entries without an id: they may be photos"))
        #expect(verdict.sentence.contains("'coldroll scan --accept-gaps'"))
    }

    @Test
    func
        `entries without an id are named as far as they are known, five of them at most, and without their control marks`()
    {
        func sentence(_ count: Int64, _ gaps: [Gap], unkept: Int64 = 0, source: String = "library") -> String {
            let scan = ScanStanding(
                source: source,
                account: "ada",
                newest: .init(state: "complete", secondsSinceStart: 9, pages: 1, seen: 10, new: 0),
                secondsSinceFull: nil,
                unreadable: count,
                unkept: unkept,
                gaps: gaps,
                unsettled: nil
            )
            return Standing(scans: [scan, scan]).sentence ?? ""
        }
        let named = Gap(filename: "a\u{1B}[2J\u{202E}.jpg", day: "2024-05-31")
        #expect(sentence(1, [named]).contains("They are 'a\u{FFFD}[2J\u{FFFD}.jpg' of 2024-05-31, 'a\u{FFFD}"))
        let some = sentence(9, [named, Gap(filename: nil, day: "2023-01-02"), Gap(filename: "b", day: nil)])
        #expect(
            some.contains(
                " Among them 'a\u{FFFD}[2J\u{FFFD}.jpg' of 2024-05-31, one without a name of 2023-01-02, 'b', "
            )
        )
        #expect(some.components(separatedBy: "of 202").count == 5 && !some.contains("keeps nothing"))
        #expect(sentence(2, [], unkept: 2).contains("Of 4 entries of these the ledger keeps nothing"))
        #expect(!sentence(2, [], unkept: 2, source: "picker").contains("keeps nothing"))
        #expect(sentence(0, []).isEmpty)
    }

    @Test(
        arguments: [
            ("suspicious", "saw half", 2, "But: saw half"),
            ("failed", "no scope", 5, "failed (no scope), so there may be more in the library"),
            ("failed", nil, 5, "failed, so there may be more"),
            ("broken off", nil, 5, "was broken off, so there may be more"),
            ("running", nil, 5, "is going on: there may be more"),
        ] as [(String, String?, Int32, String)]
    )
    func aListingThatIsNotSettledIsNotDone(_ state: String, _ reason: String?, _ code: Int32, _ words: String) {
        let verdict = verdict(scans: [scan(), scan(state, reason)])
        #expect(verdict.status.code == code)
        #expect(verdict.sentence.contains(words), "\(verdict.sentence)")
        let dead = self.verdict(scans: [scan(state, reason)]) {
            $0.dead = 1
            $0.stored = 9
        }
        #expect(dead.status == .dead)
    }

    @Test func aSourceThatWasNeverListedIsNotFinished() {
        let never = ScanStanding(
            source: "library",
            account: "ada",
            newest: nil,
            secondsSinceFull: nil,
            unreadable: 0,
            unsettled: nil
        )
        #expect(verdict(scans: [never]).status == .unfinished)
        #expect(verdict(scans: [never]).sentence.contains("Nothing of the library of account ada was listed yet"))
        #expect(verdict(scans: [scan()]).status == .done)
        #expect(verdict(scans: [scan()]).standing.sentence == nil)
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

    @Test func `a reason that is a sentence has one full stop`() {
        let spent = "Google's quota of 9 media requests a day is used up; it starts anew at midnight Pacific time."
        let verdict = verdict(waits: [
            .init(reason: spent, seconds: 90), .init(reason: "paused by ada", seconds: nil, paused: 11),
        ]) {
            $0.stored = 9
            $0.ready = 1
        }
        #expect(
            verdict.sentence.hasSuffix(
                "Waits for 1 min 30 s more: \(spent) Waits until 'coldroll resume 11': paused by ada."
            ),
            "\(verdict.sentence)"
        )
    }

    @Test func `a lane that a refused login paused waits for the next login, not for a person who resumes it`() {
        let wait = LaneWait(reason: "photo lane 1 is paused by a login that Google refuses", seconds: nil)
        #expect(wait.words == "until the next login: \(wait.reason)")
    }

    @Test func whatWaitsIsToldWithForWhatAndUntilWhen() {
        let verdict = verdict(waits: [
            .init(reason: "quota", seconds: 90), .init(reason: "paused by ada", seconds: nil, paused: 11),
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
                    + "Waits for 1 min 30 s more: quota. Waits until 'coldroll resume 11': paused by ada."
            )
        )
    }

    @Test func whoeverInterruptsGetsThat() {
        #expect(verdict(interrupted: true) { $0.dead = 1 }.status == .interrupted)
    }
}
