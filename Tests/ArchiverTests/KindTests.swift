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
        guard case .fail("other-kind", let message, _) = await bench.transfer(worker).perform(wrong) else {
            Issue.record("it was fetched as a photo")
            return
        }
        #expect(message == "It was not listed as a video, and is fetched as one from the next try on.")
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

    @Test func `what Google shows neither as a photo nor as a video is not archived`() async throws {
        let bench = try await Bench()
        bench.simulator.setFaults([FaultRule(on: "list,get,batchGet", .noKind)])
        _ = try await bench.scan().run()
        let worker = try await bench.fixture.worker()
        let job = try #require(try await bench.fixture.claim(worker, 1).first)
        guard case .fail("no-kind", _, _) = await bench.transfer(worker).perform(job) else {
            Issue.record("it was archived")
            return
        }
    }

    @Test
    func `a video that one answer calls a photo is not fetched as one, and only answers over three tries change it`()
        async throws
    {
        let bench = try await Bench {
            $0.synthesis = SynthesisOptions(count: 1, sizes: 50_000...60_000, videoPercent: 100)
        }
        _ = try await bench.scan().run()
        let id = try await bench.fixture.texts("SELECT source_item FROM coldroll.item")[0]
        let worker = try await bench.fixture.worker()
        let photo = MediaItem(id: id, baseURL: BaseURL(bench.simulator.url + "/lr/x", received: .now), kind: .photo)
        let unclear = MediaItem(id: id, mimeType: "video/mp4", baseURL: photo.baseURL, kind: .photo)
        // The fresh answer that follows says video: the two differ, or the first said too little.
        let job = try #require(try await bench.fixture.claim(worker, 1).first)
        bench.context.baseURLs.offer([photo], isWanted: true)
        guard case .fail("no-kind", _, _) = await bench.transfer(worker).perform(job) else {
            Issue.record("one answer was believed")
            return
        }
        bench.context.baseURLs.forget(id)
        bench.context.baseURLs.offer([unclear], isWanted: true)
        guard case .complete(.stored(let object, _)) = await bench.transfer(worker).perform(job) else {
            Issue.record("the video was not stored")
            return
        }
        #expect(object.size == (try bench.simulator.library[0].video?.size))
        #expect(try await bench.fixture.texts("SELECT kind FROM coldroll.part") == ["video"])
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
        #expect(MediaItem(id: "a", filename: name, mimeType: "video/mp4", kind: .photo).isVideo == nil)
        #expect(MediaItem(id: "a", filename: name, mimeType: "image/jpeg", kind: .video(.ready)).isVideo == nil)
        #expect(MediaItem(id: "a", filename: name, kind: .video(.ready)).isVideo == true)
    }
}
