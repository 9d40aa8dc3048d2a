import CloudStorage
import Foundation
import GoogleSimulator
import HTTPClient
import Synchronization
import Testing

/// A bucket that misbehaves, and a caller that does what the errors say.
@Suite(.timeLimit(.minutes(5))) struct BucketFaultTests {
    let bucket: SimulatedBucket
    let large = Origin.Body(count: 5_000_000)

    init() throws { bucket = try SimulatedBucket() }

    private func strike(_ operation: String, _ action: FaultRule.Action, _ change: (inout FaultRule) -> Void = { _ in })
    {
        var rule = FaultRule(on: operation, action)
        rule.times = 1
        change(&rule)
        bucket.simulator.setFaults([rule])
        bucket.simulator.resetCounters()
    }

    private var counters: SimulatorCounters { bucket.simulator.counters }

    /// What one put after another ended with, and the sessions that they began.
    private struct Story {
        var outcome: PutOutcome
        var errors: [StorageError.Code]
        var sessions: Int
    }

    /// Downloads and puts until it is done, as a worker does; `bodies` are what the downloads give, the last one for ever.
    private func persist(_ bodies: Origin.Body..., identity: String = "one") async throws -> Story {
        let record = Bench.Record()
        var (session, errors): (UploadSession?, [StorageError.Code]) = (nil, [])
        while true {
            let body = bodies[min(errors.count, bodies.count - 1)]
            do {
                let outcome = try await bucket.bench.put(
                    NewObject("a.mp4", identity: identity),
                    body,
                    session: session,
                    record: record
                )
                return Story(outcome: outcome, errors: errors, sessions: record.sessions.withLock { $0.count })
            } catch let error as StorageError where errors.count < 5 {
                errors.append(error.code)
                switch error.code {
                case .interrupted(let half): session = half
                case .sessionLost, .checksumMismatch: session = nil
                default: throw error
                }
            }
        }
    }

    private func isStored(_ body: Origin.Body) throws -> Bool {
        let object = try #require(bucket.object("a.mp4"))
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: try #require(object.path))))
        return bucket.simulator.objects().count == 1 && Bytes(bytes) == Bytes(body.bytes)
    }

    @Test func aSmallObjectWhoseAnswerWasLostIsFoundWithItsIdentity() async throws {
        strike("uploadMultipart", .loseAnswer)
        let body = Origin.Body(count: 1000)
        let story = try await persist(body)
        // The service replays its answer for a known idempotency token, or refuses to overwrite: both show the same object.
        let stored = story.outcome.created ?? story.outcome.existing
        #expect(stored?.metadata["coldroll-item"] == "one")
        #expect(stored?.crc32c == body.checksum)
        #expect(counters.requests("uploadMultipart") == 2)
        #expect(try isStored(body))
    }

    @Test func aLargeObjectWhoseLastAnswerWasLostIsStoredOnce() async throws {
        strike("uploadData", .loseAnswer) { $0.nth = [2] }
        let story = try await persist(large)
        #expect(story.outcome.created?.crc32c == large.checksum)
        #expect(story.errors == [])
        #expect(counters.requests("uploadData") + counters.requests("uploadStatus") == 3)
        #expect(try isStored(large))
    }

    @Test(
        "an upload that breaks in the middle goes on where the bucket stands",
        arguments: [FaultRule.Action.cut, .status, .reset, .persistLess],
        [false, true]
    )
    func broken(action: FaultRule.Action, isChunked: Bool) async throws {
        strike("uploadData", action) { $0.at = 0.6 }
        var body = large
        body.isChunked = isChunked
        let story = try await persist(body)
        #expect(story.outcome.created?.crc32c == large.checksum)
        #expect(try isStored(large))
        // Chunks stay in memory; a body of known length is drained, and what is gone takes another download.
        #expect(story.errors.count == (isChunked ? 0 : 1))
        // An upload of which nothing arrived is begun anew.
        #expect(story.sessions == (action == .reset && !isChunked ? 2 : 1))
        #expect(counters.requests("uploadData") >= (isChunked ? 2 : 3))
        // 0.6 of the body, in whole units, was not sent twice, unless the reset came first.
        let resent = (counters.bytesIn["uploadData"] ?? 0) - large.count
        #expect(resent >= 0 && resent <= (action == .persistLess ? 2_400_000 : large.count))
    }

    @Test func whatResumesWithOtherBytesIsRefusedAndStoresNothing() async throws {
        strike("uploadData", .cut) { $0.at = 0.6 }
        let other = Origin.Body(count: large.count, seed: 1)
        let story = try await persist(large, other)
        guard case .interrupted = story.errors.first else {
            Issue.record("the upload was not interrupted")
            return
        }
        #expect(story.errors.dropFirst() == [.checksumMismatch])
        #expect(counters.statuses[400] == 1)
        #expect(story.sessions == 2)
        #expect(story.outcome.created?.crc32c == other.checksum)
        #expect(try isStored(other))
    }

    @Test("a session that the bucket has given up is replaced by a new one", arguments: [404, 410])
    func dead(status: Int) async throws {
        strike("uploadData", .status) { $0.status = status }
        let story = try await persist(large)
        #expect(story.errors == [.sessionLost])
        #expect(story.sessions == 2)
        #expect(counters.statuses[status] == 1)
        #expect(try isStored(large))
    }

    @Test func aWorkerThatDiedInMidUploadIsFollowedByOneThatFinishes() async throws {
        let record = Bench.Record()
        var slow = large
        slow.stallSeconds = 60
        let (first, bench) = (slow, bucket.bench)
        let dying = Task { try await bench.put(NewObject("a.mp4"), first, record: record) }
        // A session that has less than a unit is begun anew; half of the body is all that comes before the download stalls.
        while (counters.bytesIn["uploadData"] ?? 0) < 1 << 20 { try await Task.sleep(for: .milliseconds(10)) }
        dying.cancel()
        await #expect(throws: CancellationError.self) { try await dying.value }
        #expect(bucket.simulator.objects() == [])
        let outcome = try await bucket.bench.put(NewObject("a.mp4"), large, session: record.session)
        #expect(outcome.created?.crc32c == large.checksum)
        #expect(try isStored(large))
        #expect(counters.requests("uploadStart") == 1)
    }

    @Test func twoWorkersWithOneSessionMakeOneObject() async throws {
        let record = Bench.Record()
        _ = try? await bucket.bench.put(
            NewObject("a.mp4"),
            large,
            record: record,
            accept: { throw CancellationError() }
        )
        let (session, bench, body) = (try #require(record.session), bucket.bench, large)
        let outcomes = await withTaskGroup(of: Result<PutOutcome, any Error>.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    do { return .success(try await bench.put(NewObject("a.mp4"), body, session: session)) } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.contains { (try? $0.get()) != nil })
        #expect(try isStored(large))
    }

    @Test("a token that dies before the last request is replaced", arguments: [1000, 5_000_000] as [Int64])
    func expired(count: Int64) async throws {
        let (simulator, body) = (bucket.simulator, Origin.Body(count: count))
        _ = try await bucket.bench.store.head("a.mp4")
        let outcome = try await bucket.bench.put(NewObject("a.mp4"), body, accept: { simulator.expireTokens() })
        #expect(outcome.created?.crc32c == body.checksum)
        #expect(counters.requests("token") == 2)
        #expect(counters.statuses[401] == 1)
    }

    @Test func aBucketThatAsksForPatienceGetsIt() async throws {
        strike("uploadMultipart", .status) {
            $0.status = 429
            $0.retryAfter = 2
        }
        let start = ContinuousClock.now
        #expect(try await persist(Origin.Body(count: 10)).outcome.created != nil)
        #expect(ContinuousClock.now - start >= .seconds(2))
        #expect(counters.statuses[429] == 1)
    }

    @Test func aBucketThatStaysBusyParksTheCaller() async throws {
        strike("uploadMultipart,uploadStart", .status) {
            $0.times = nil
            $0.status = 429
        }
        await #expect { try await persist(Origin.Body(count: 10)) } throws: { error in
            (error as? StorageError)?.code == .unavailable(retryAfter: nil)
        }
        #expect(counters.statuses[429] == 6)
        #expect(bucket.simulator.objects() == [])
    }

    @Test func anObjectThatAppearsDuringTheUploadIsLeftAlone() async throws {
        let bench = bucket.bench
        let outcome = try await bench.put(
            NewObject("a.mp4"),
            large,
            accept: { _ = try await bench.put(NewObject("a.mp4", identity: "foreign"), [1, 2, 3]) }
        )
        #expect(outcome.existing?.metadata["coldroll-item"] == "foreign")
        #expect(outcome.existing?.size == 3)
        #expect(counters.statuses[412] == 1)
    }

    @Test func anObjectCostsOneRequestOrThree() async throws {
        _ = try await bucket.bench.put(NewObject("small.jpg"), Origin.Body(count: 300_000))
        _ = try await bucket.bench.put(NewObject("large.mp4"), large)
        #expect(
            counters.requests == ["token": 1, "uploadMultipart": 1, "uploadStart": 1, "uploadData": 2]
        )
        #expect(bucket.object("small.jpg")?.storageClass == "ARCHIVE")
        #expect(bucket.object("large.mp4")?.storageClass == "ARCHIVE")
        #expect(bucket.object("large.mp4")?.contentType == "image/jpeg")
        #expect(bucket.object("large.mp4")?.customTime == "2019-07-14T16:03:21.25Z")
    }

    @Test func aBucketThatIsNotThereIsSaidByEveryCall() async throws {
        let store = try openStore(
            "gs://nowhere",
            http: bucket.bench.http,
            tokens: bucket.tokens,
            endpoint: bucket.simulator.url
        )
        for call in [
            { try await store.check() }, { _ = try await store.head("a") }, { _ = try await store.read("a") },
            { _ = try await store.replace("a", with: [], contentType: "text/plain", ifGeneration: 0) },
            { _ = try await store.list(prefix: "", pageToken: nil) },
        ] as [() async throws -> Void] {
            await #expect { try await call() } throws: { error in
                (error as? StorageError)?.code == .noBucket && "\(error)".contains("gs://nowhere")
            }
        }
    }
}
