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
    private func report(_ kind: MediaKind, _ width: Int? = nil, _ height: Int? = nil, complete: Bool? = true)
        -> MediaReport
    {
        MediaReport(kind: kind, width: width, height: height, isComplete: complete, isMotionPhoto: false)
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

    @Test func `a picture whose size nobody knows is stored`() {
        #expect(Judgement.of(report(.jpeg), for: exampleJob(), isFramed: true) == .store(.rendition))
        let unknown = exampleJob(width: nil, height: nil)
        #expect(Judgement.of(report(.png, 10, 10), for: unknown, isFramed: true) == .store(.rendition))
    }

    @Test func `a smaller video is what transcoding gives, stored and marked`() {
        #expect(Judgement.of(report(.mp4, 1920, 1080), for: exampleJob(.video), isFramed: true) == .store(.reduced))
        #expect(Judgement.of(report(.mp4, 1920, 1080), for: exampleJob(.motion), isFramed: true) == .store(.rendition))
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
        #expect(reason(report(.jpeg, 4032, 3024, complete: false), exampleJob(), framed: false) == "incomplete")
        #expect(reason(report(.unrecognised, complete: nil), exampleJob(), framed: false) == "incomplete")
        #expect(reason(report(.jpeg, 4032, 3024), exampleJob(), framed: false) == nil)
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
        try Marker.compare(marker, ("one", 3, 10), archive: "gs://a")
        try Marker.compare(marker, ("one", 4, 12), archive: "gs://a")
        for (id, runs, objects) in [("two", 0, 0), ("two", 9, 99), ("one", 2, 10), ("one", 3, 9)] {
            #expect(throws: ArchiverError.self) {
                try Marker.compare(marker, (id, Int64(runs), Int64(objects)), archive: "gs://a")
            }
        }
        #expect(throws: ArchiverError.self) { try Marker.compare(marker, ("one", 3, 10), archive: "gs://b") }
    }
}
