import GooglePhotos
import GoogleSimulator
import JobQueue
import Postgres
import TestSupport
import Testing

@testable import Archiver

/// Photo or video: `=d` of a video gives a thumbnail, which nothing tells from a photo.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct KindTests {
    @Test func `a video that a listing did not show as one is stored as the video, not as its thumbnail`() async throws
    {
        let bench = try await Bench {
            $0.synthesis = SynthesisOptions(count: 1, sizes: 50_000...60_000, videoPercent: 100)
        }
        bench.simulator.setFaults([FaultRule(on: "list", .noKind)])
        _ = try await bench.scan().run()
        #expect(try await bench.fixture.texts("SELECT kind FROM coldroll.part") == ["still"])
        // What the page said is too old to be used.
        bench.context.baseURLs.forget(try await bench.fixture.texts("SELECT source_item FROM coldroll.item")[0])
        let worker = try await bench.fixture.worker()
        let wrong = try #require(try await bench.fixture.claim(worker, 1).first)
        guard case .release(.zero, let note) = await bench.transfer(worker).perform(wrong) else {
            Issue.record("the job was not given back")
            return
        }
        #expect(note == "Google says now that it is a video")
        #expect(try await bench.fixture.texts("SELECT kind FROM coldroll.part") == ["video"])
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.item WHERE is_video") == 1)
        try await bench.fixture.queue.release(worker: worker, [Release(job: wrong.reference)])
        let right = try #require(try await bench.fixture.claim(worker, 1).first)
        guard case .complete(.stored(let object, _)) = await bench.transfer(worker).perform(right) else {
            Issue.record("the video was not stored")
            return
        }
        #expect(object.size == (try bench.simulator.library[0].video?.size))
        // A lease that is lost corrects nothing.
        #expect(try await !bench.fixture.queue.correct(worker: worker, wrong.reference, to: .still))
    }

    @Test func `what Google shows neither as a photo nor as a video is not archived unless the owner accepts it`()
        async throws
    {
        let bench = try await Bench()
        bench.simulator.setFaults([FaultRule(on: "list,get,batchGet", .noKind)])
        _ = try await bench.scan().run()
        let worker = try await bench.fixture.worker()
        let job = try #require(try await bench.fixture.claim(worker, 1).first)
        guard case .complete(.dead(let reason)) = await bench.transfer(worker).perform(job) else {
            Issue.record("it was archived")
            return
        }
        #expect(reason.hasPrefix("no-kind: "))
        _ = try await bench.fixture.queue.complete(
            worker: worker,
            [Completion(job: job.reference, result: .dead(reason: reason))]
        )
        try await bench.fixture.sql("SELECT coldroll.accept($1)", [.integer(job.reference.part)])
        let accepted = try #require(try await bench.fixture.claim(worker, 1).first)
        guard case .complete(.stored) = await bench.transfer(worker).perform(accepted) else {
            Issue.record("it was not archived although it was accepted")
            return
        }
    }

    @Test(
        arguments: [
            ("clip.MP4", true), ("clip.mov", true), ("a.b.m2ts", true), ("IMG.JPG", false), ("x.heic", false),
            ("notes.txt", nil),
            ("mp4", nil), ("", nil), (nil, nil),
        ] as [(String?, Bool?)]
    )
    func `the name tells what it is where Google says nothing`(name: String?, isVideo: Bool?) {
        #expect(MediaItem(id: "a", filename: name).isVideo == isVideo)
        #expect(MediaItem(id: "a", filename: name, kind: .photo).isVideo == false)
        #expect(MediaItem(id: "a", filename: name, kind: .video(.ready)).isVideo == true)
    }
}
