import JobQueue
import Media
import Testing

@testable import Archiver

/// A job that asks for something 4032 × 3024.
func exampleJob(
    _ kind: PartKind = .still,
    filename: String = "IMG_1.jpg",
    acceptReduced: Bool = false,
    mimeType: String? = nil,
    width: Int64? = 4032,
    height: Int64? = 3024
) -> ClaimedJob {
    ClaimedJob(
        reference: JobReference(part: 1, lease: 1),
        kind: kind,
        source: 1,
        lane: 1,
        attempt: 1,
        crashes: 0,
        acceptReduced: acceptReduced,
        objectName: "202201/" + filename,
        folderMonth: "202201",
        sourceItem: "item",
        filename: filename,
        mimeType: mimeType,
        captureTime: nil,
        width: width,
        height: height
    )
}

@Suite struct JudgementTests {
    private func report(
        _ kind: MediaKind,
        _ width: Int? = nil,
        _ height: Int? = nil,
        complete: Bool? = true,
        hollow: Bool = false
    ) -> MediaReport {
        MediaReport(
            kind: kind,
            width: width,
            height: height,
            isComplete: complete,
            isHollow: hollow,
            isMotionPhoto: false
        )
    }

    private func doubt(_ report: MediaReport, _ job: ClaimedJob, framed: Bool = true) -> Judgement.Doubt? {
        guard case .doubt(let doubt) = Judgement.of(report, for: job, isFramed: framed) else { return nil }
        return doubt
    }

    private func reason(_ report: MediaReport, _ job: ClaimedJob, framed: Bool = true) -> String? {
        guard case .refuse(let refusal) = Judgement.of(report, for: job, isFramed: framed) else { return nil }
        return refusal.reason
    }

    @Test(arguments: [MediaKind.html, .json, .xml, .text, .empty])
    func `a page or nothing is never archived`(_ kind: MediaKind) {
        #expect(reason(report(kind), exampleJob()) == "not-media")
        #expect(reason(report(kind), exampleJob(.video)) == "not-media")
    }

    @Test func `a turned picture of the right size is stored`() {
        #expect(Judgement.of(report(.jpeg, 3024, 4032), for: exampleJob(), isFramed: true) == .store(.rendition))
    }

    @Test func `a clearly smaller still is refused, and stored marked once the owner accepts it`() {
        #expect(reason(report(.jpeg, 512, 384), exampleJob()) == "reduced")
        #expect(reason(report(.heic, 4032, 2900), exampleJob()) == "reduced")
        let accepted = exampleJob(acceptReduced: true)
        #expect(Judgement.of(report(.jpeg, 512, 384), for: accepted, isFramed: true) == .store(.reduced))
    }

    @Test func `a picture that says no size is stored, and so is a large one of which Google says none`() {
        #expect(Judgement.of(report(.tiff, complete: nil), for: exampleJob(), isFramed: true) == .store(.rendition))
        let unknown = exampleJob(width: nil, height: nil)
        #expect(Judgement.of(report(.png, 10, 513), for: unknown, isFramed: true) == .store(.rendition))
    }

    @Test func `a picture no larger than a preview is doubted where Google says no size`() {
        let unknown = exampleJob(width: nil, height: nil)
        let found = doubt(report(.jpeg, 512, 384), unknown)
        #expect(found?.reason == "no-size" && found?.proof == .sameBytes && found?.fidelity == .unrecognised)
        #expect(doubt(report(.jpeg, 512, 384), exampleJob(width: 512, height: 384)) == nil)
    }

    @Test func `a video of another size is asked for once more, then stored and marked`() {
        let smaller = doubt(report(.mp4, 1440, 1080), exampleJob(.video))
        #expect(smaller?.reason == "reduced" && smaller?.proof == .sameSize && smaller?.fidelity == .reduced)
        let other = doubt(report(.mp4, 1920, 1080), exampleJob(.video))
        #expect(other?.proof == .sameSize && other?.fidelity == .unrecognised, "another shape")
        #expect(doubt(report(.mp4, 8064, 6048), exampleJob(.video))?.reason == "other-size")
        #expect(Judgement.of(report(.mp4, 3024, 4032), for: exampleJob(.video), isFramed: true) == .store(.rendition))
        #expect(Judgement.of(report(.mp4, 1920, 1080), for: exampleJob(.motion), isFramed: true) == .store(.rendition))
        #expect(Judgement.early(report(.mp4, 1440, 1080, complete: false), for: exampleJob(.video)) == smaller)
        #expect(Judgement.early(report(.mp4, complete: false), for: exampleJob(.video)) == nil)
    }

    @Test(arguments: [(4032, 4032), (8064, 6048), (6048, 3024), (4160, 3120)])
    func `a picture that is larger or of another shape may be another one's`(_ width: Int, _ height: Int) {
        let found = doubt(report(.jpeg, width, height), exampleJob())
        #expect(found?.reason == "other-size" && found?.proof == .sameBytesApart && found?.fidelity == .unrecognised)
        #expect(doubt(report(.jpeg, 4040, 3030), exampleJob()) == nil, "odd sizes are rounded")
    }

    @Test(arguments: [
        ("image/jpeg", MediaKind.png, true), ("image/png", .jpeg, true), ("image/gif", .webp, true),
        ("image/heif", .gif, true), ("image/heif", .jpeg, false), ("IMAGE/HEIC", .jpeg, false),
        ("image/jpeg", .jpeg, false), ("image/x-adobe-dng", .jpeg, false), ("image/tiff", .tiff, false),
    ])
    func `a picture of another kind than Google says may be another one's`(
        _ type: String,
        _ kind: MediaKind,
        _ isDoubted: Bool
    ) {
        let found = doubt(report(kind, 4032, 3024), exampleJob(mimeType: type))
        #expect(found?.reason == (isDoubted ? "other-kind" : nil))
    }

    @Test(arguments: [true, false])
    func `a container without a picture is refused until the owner accepts it`(_ isFramed: Bool) {
        for (kind, part) in [(MediaKind.mp4, PartKind.video), (.jpeg, .still), (.heic, .still), (.mp4, .motion)] {
            let hollow = report(kind, complete: false, hollow: true)
            #expect(reason(hollow, exampleJob(part), framed: isFramed) == "incomplete")
            let accepted = exampleJob(part, acceptReduced: true)
            #expect(Judgement.of(hollow, for: accepted, isFramed: isFramed) == .store(.unrecognised))
        }
    }

    @Test func `a body whose own structure says that it is cut is doubted whatever the framing`() {
        for isFramed in [true, false] {
            let found = doubt(report(.jpeg, 4032, 3024, complete: false), exampleJob(), framed: isFramed)
            #expect(found?.reason == "incomplete" && found?.proof == .sameBytesLater)
            #expect(found?.fidelity == .unrecognised)
        }
        let accepted = exampleJob(acceptReduced: true)
        let cut = report(.jpeg, 4032, 3024, complete: false)
        guard case .doubt(let again) = Judgement.of(cut, for: accepted, isFramed: true) else {
            Issue.record("the first one that came was taken for the one that was accepted")
            return
        }
        #expect(again.proof == .sameBytesLater && again.fidelity == .unrecognised)
    }

    @Test func `doubts are settled by what came before, each in its way`() {
        func marks(_ crc32c: UInt32?, _ side: Int = 9) -> BodyMarks {
            BodyMarks(bytes: crc32c.map { BodyMarks.Bytes(size: 5, crc32c: $0) }, width: side, height: side)
        }
        func doubt(_ proof: Judgement.Doubt.Proof) -> Judgement.Doubt {
            Judgement.Doubt(reason: "x", message: "x", proof: proof, fidelity: .unrecognised)
        }
        var doubts = Doubts()
        for proof in [Judgement.Doubt.Proof.sameBytes, .sameBytesLater, .sameSize] {
            #expect(!doubts.settle(doubt(proof), about: marks(1), attempt: 9))
        }
        doubts.note(marks(1))
        doubts.note(marks(nil, 7))
        #expect(doubts.settle(doubt(.sameBytes), about: marks(1), attempt: 1))
        #expect(!doubts.settle(doubt(.sameBytes), about: marks(2), attempt: 1))
        #expect(!doubts.settle(doubt(.sameBytes), about: marks(nil, 7), attempt: 1), "no bytes are no proof")
        #expect(!doubts.settle(doubt(.sameBytesLater), about: marks(1), attempt: 1), "not in the first try")
        #expect(doubts.settle(doubt(.sameBytesLater), about: marks(1), attempt: 2))
        #expect(doubts.settle(doubt(.sameSize), about: marks(3, 7), attempt: 1))
        #expect(!doubts.settle(doubt(.sameSize), about: marks(3, 8), attempt: 1))
    }

    @Test func `a thumbnail in place of a video is refused`() {
        #expect(reason(report(.jpeg, 4032, 3024), exampleJob(.video)) == "wrong-kind")
        #expect(reason(report(.mp4), exampleJob(.still)) == "wrong-kind")
    }

    @Test func `bytes of an unknown kind are stored and marked`() {
        #expect(
            Judgement.of(report(.unrecognised, complete: nil), for: exampleJob(), isFramed: true)
                == .store(.unrecognised)
        )
    }

    @Test func `bytes that are not what the source names are refused until the owner accepts them`() {
        let junk = report(.unrecognised, complete: nil)
        #expect(reason(junk, exampleJob(mimeType: "image/jpeg")) == "not-media")
        #expect(reason(junk, exampleJob(.video, mimeType: "video/mp4")) == "not-media")
        #expect(reason(junk, exampleJob(mimeType: "image/x-raw")) == nil)
        #expect(reason(junk, exampleJob(acceptReduced: true, mimeType: "image/jpeg")) == nil)
    }

    @Test func `without length and chunking the structure must vouch for the end`() {
        #expect(doubt(report(.jpeg, 4032, 3024, complete: nil), exampleJob(), framed: false)?.reason == "incomplete")
        #expect(doubt(report(.jpeg, 4032, 3024, complete: nil), exampleJob()) == nil)
        #expect(doubt(report(.unrecognised, complete: nil), exampleJob(), framed: false)?.reason == "incomplete")
        #expect(doubt(report(.jpeg, 4032, 3024), exampleJob(), framed: false) == nil)
    }

    @Test(arguments: [
        ("MVIMG_20180101.jpg", true), ("PXL_2024.MP.jpg", true), ("pxl_2024.mp.JPG", true), ("IMG_1.jpg", false),
        ("holiday.mp4.jpg", false), ("MP.jpg", false),
    ])
    func `motion photos show in their names`(_ name: String, _ expected: Bool) {
        #expect(MotionRule.isMotionName(name) == expected)
        #expect(MotionRule.hasClip(exampleJob(filename: name), isMotionPhoto: false, mode: .auto) == expected)
    }

    @Test func `the owner decides whether clips are asked for`() {
        #expect(MotionRule.hasClip(exampleJob(), isMotionPhoto: true, mode: .auto))
        #expect(!MotionRule.hasClip(exampleJob(), isMotionPhoto: true, mode: .never))
        #expect(MotionRule.hasClip(exampleJob(), isMotionPhoto: false, mode: .always))
        #expect(!MotionRule.hasClip(exampleJob(.video), isMotionPhoto: true, mode: .always))
    }

    @Test func `a marker stops a ledger that is empty, foreign or older`() throws {
        let marker = Marker(ledger: "one", run: 3, objects: 10, archive: "gs://a")
        try Marker.compare(marker, LedgerIdentity(id: "one", runs: 3, objects: 10), archive: "gs://a")
        try Marker.compare(marker, LedgerIdentity(id: "one", runs: 4, objects: 12), archive: "gs://a")
        for (id, runs, objects) in [("two", 0, 0), ("two", 9, 99), ("one", 2, 10), ("one", 3, 9)] {
            #expect(throws: ArchiverError.self) {
                try Marker.compare(
                    marker,
                    LedgerIdentity(id: id, runs: Int64(runs), objects: Int64(objects)),
                    archive: "gs://a"
                )
            }
        }
        #expect(throws: ArchiverError.self) {
            try Marker.compare(marker, LedgerIdentity(id: "one", runs: 3, objects: 10), archive: "gs://b")
        }
        var picked = marker
        picked.picks = 2
        try Marker.compare(picked, LedgerIdentity(id: "one", runs: 3, objects: 10, picks: 2), archive: "gs://a")
        #expect(throws: ArchiverError.self) {
            try Marker.compare(picked, LedgerIdentity(id: "one", runs: 4, objects: 12, picks: 1), archive: "gs://a")
        }
    }

    @Test func `two passes of one pick leave out what either could not read`() {
        func pass(_ items: Int64, new: Int64, unreadable: Int64) -> ScanSummary {
            ScanSummary(
                id: 1,
                pages: 1,
                items: items,
                new: new,
                isFull: false,
                startedAt: "2026-01-02T03:04:05Z",
                unreadable: unreadable,
                missing: 0,
                returned: 0,
                doubt: nil
            )
        }
        let first = pass(5, new: 5, unreadable: 2)
        #expect(first.listedAgain(by: nil) == first)
        let both = first.listedAgain(by: pass(7, new: 2, unreadable: 0))
        #expect(both.items == 7 && both.new == 7 && both.unreadable == 2 && both.pages == 2)
        #expect(pass(5, new: 5, unreadable: 0).listedAgain(by: pass(7, new: 2, unreadable: 1)).unreadable == 1)
    }
}
