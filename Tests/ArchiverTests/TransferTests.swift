import CloudStorage
import GooglePhotos
import HTTPClient
import JobQueue
import TestSupport
import Testing

@testable import Archiver

/// Holds an object of each name already, made by whoever asks, before all of its bytes had been seen.
private struct OccupiedArchive: ObjectStore {
    let url = "gs://occupied"

    func put(
        _ object: NewObject,
        from buffer: BodyBuffer,
        length: Int64?,
        session: UploadSession?,
        began: @Sendable (UploadSession) async throws -> Void,
        confirmed: @Sendable (Int64) async throws -> Void,
        accept: @Sendable () async throws -> Void
    ) async throws -> PutOutcome {
        .exists(
            StoredObject(
                name: object.name,
                generation: 1,
                size: 1,
                crc32c: 1,
                md5: nil,
                contentType: object.contentType,
                metadata: object.metadata
            )
        )
    }

    func create() async throws {}
    func check() async throws {}
    func look() async throws -> String? { nil }
    func probe() async throws {}
    func head(_ name: String) async throws -> StoredObject? { nil }
    func list(prefix: String, pageToken: String?) async throws -> (objects: [StoredObject], nextPageToken: String?) {
        ([], nil)
    }
    func read(_ name: String) async throws -> (bytes: [UInt8], generation: Int64)? { nil }
    func replace(_ name: String, with: [UInt8], contentType: String, ifGeneration: Int64?) async throws -> Bool { true }
}

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct TransferTests {
    /// A segment of a JPEG.
    private func segment(_ marker: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length = payload.count + 2
        return [0xFF, marker, UInt8(length >> 8), UInt8(length & 255)] + payload
    }

    @Test func `the clip of an adopted motion photo is found wherever in the still its mark is`() async throws {
        let profile = segment(0xE2, [UInt8](repeating: 0, count: 60_000))
        let mark = Array("http://ns.adobe.com/xap/1.0/\0<rdf:Description GCamera:MotionPhoto=\"1\"/>".utf8)
        let still = [0xFF, 0xD8] + (0..<12).flatMap { _ in profile } + segment(0xE1, mark) + [0xFF, 0xD9]
        // No room for the whole body: what is adopted has been seen by its first bytes only.
        let bench = try await Bench(
            library: ["IMG_1.jpg": still],
            archive: OccupiedArchive(),
            budget: 8 * ByteBudget.block
        )
        _ = try await bench.scan().run()
        let worker = try await bench.fixture.worker()
        let job = try #require(try await bench.fixture.claim(worker, 1).first)
        guard case .complete(.stored(let object, let motion)) = await bench.transfer(worker).perform(job) else {
            Issue.record("the still was not adopted")
            return
        }
        #expect(object.adopted)
        #expect(motion?.kind == .motion)
    }

    @Test func `no Retry-After makes a busy loop or an endless pause`() async throws {
        let bench = try await Bench()
        let transfer = bench.transfer(1)
        func pause(_ error: any Error) async -> Duration? {
            switch await transfer.settled(transfer.ending(of: error, exampleJob(), .media, .now), exampleJob()) {
            case .slowDown(let slowdown): slowdown.asked
            case .release(let pause, _): pause
            default: nil
            }
        }
        #expect(try #require(await pause(PhotosError(code: .quota(retryAfter: .zero), message: ""))) >= .seconds(1))
        for asked in [Duration.zero, .seconds(365 * 86_400)] {
            let pause = try #require(await pause(StorageError(code: .unavailable(retryAfter: asked), message: "")))
            #expect((.seconds(3) ... .seconds(3600)).contains(pause))
        }
    }
}
