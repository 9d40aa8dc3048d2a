import CloudStorage
import Foundation
import HTTPClient
import HTTPServer
import Synchronization
import Testing

private let unit: Int64 = 262_144

/// The wire, request by request: what is sent to an upload session, and what each answer means.
@Suite(.timeLimit(.minutes(5))) struct ResumableUploadTests {
    /// Two units and a tail of 75,712 bytes.
    let body = Origin.Body(count: 600_000)
    let tail = "PUT session bytes 524288-599999/600000"
    let bulk = "PUT session bytes 0-524287/600000"
    let query = "PUT session bytes */*"

    /// Puts the body and returns what came of it.
    private func put(
        _ bucket: ScriptedBucket,
        _ body: Origin.Body? = nil,
        resuming: Bool = false,
        record: Bench.Record = .init()
    ) async throws -> PutOutcome {
        try await bucket.bench().put(
            NewObject("a.jpg"),
            body ?? self.body,
            session: resuming ? bucket.session : nil,
            record: record
        )
    }

    private func fails(
        _ code: StorageError.Code,
        _ bucket: ScriptedBucket,
        _ body: Origin.Body? = nil,
        resuming: Bool = false,
        _ location: SourceLocation = #_sourceLocation
    ) async {
        await #expect(sourceLocation: location) {
            try await put(bucket, body, resuming: resuming)
        } throws: { error in
            #expect(!"\(error)".contains("SECRET"))
            return (error as? StorageError)?.code == code
        }
        #expect(bucket.isUsedUp, "not every answer was asked for", sourceLocation: location)
    }

    @Test func onlyTheLastRequestCanCreateTheObjectAndItIsSentAfterAccept() async throws {
        let bucket = try ScriptedBucket([.began(), .persisted(2 * unit), .object(body)])
        let seenAtAccept = Mutex<[String]>([])
        let record = Bench.Record()
        let outcome = try await bucket.bench().put(NewObject("a.jpg"), body, record: record) {
            seenAtAccept.withLock { $0 = bucket.lines }
        }
        #expect(outcome.created?.size == body.count)
        #expect(bucket.lines == ["POST resumable", bulk, tail])
        #expect(seenAtAccept.withLock { $0 } == ["POST resumable", bulk])
        #expect(record.session == bucket.session)
        let (begin, first, last) = (bucket.seen[0], bucket.seen[1], bucket.seen[2])
        #expect(Bytes(first.body + last.body) == Bytes(body.bytes))
        #expect(first.hash == nil)
        #expect(last.hash == "crc32c=" + Self.base64(body))
        #expect(begin.request.query.contains("ifGenerationMatch=0"))
        #expect(begin.request.header("X-Upload-Content-Length") == "600000")
        #expect(begin.request.header("X-Upload-Content-Type") == "image/jpeg")
        #expect(Set(bucket.seen.map(\.idempotency)).count == 3)
    }

    @Test func theSessionIsKnownToTheCallerBeforeAnyByteIsSent() async throws {
        let bucket = try ScriptedBucket([.began()])
        let bench = try bucket.bench()
        let buffer = try await bench.buffer()
        try await bench.origin.download(body, with: bench.http, into: buffer)
        await #expect(throws: Bench.Refused()) {
            try await bench.store.put(
                NewObject("a.jpg"),
                from: buffer,
                length: body.count,
                session: nil,
                began: { _ in throw Bench.Refused() },
                confirmed: { _ in },
                accept: {}
            )
        }
        #expect(bucket.lines == ["POST resumable"])
    }

    @Test func `a name that is taken may be told when the session is begun, and then no byte is sent`() async throws {
        let bucket = try ScriptedBucket([.failure(412, "conditionNotMet"), .object(body)])
        #expect(try await put(bucket).existing?.size == body.count)
        #expect(bucket.lines.first == "POST resumable" && bucket.lines.count == 2)
        #expect(bucket.isUsedUp)
    }

    @Test func aLostAnswerToTheLastRequestIsAskedFor() async throws {
        let bucket = try ScriptedBucket([.began(), .persisted(2 * unit), .lost, .object(body)])
        #expect(try await put(bucket).created?.generation == 7)
        #expect(bucket.lines == ["POST resumable", bulk, tail, query])
        #expect(bucket.isUsedUp)
    }

    @Test func aTailThatArrivedInPartGoesOnFromThere() async throws {
        let bucket = try ScriptedBucket([
            .began(), .persisted(2 * unit), .failure(503, "busy"), .persisted(2 * unit + 1000), .object(body),
        ])
        #expect(try await put(bucket).created != nil)
        #expect(bucket.lines.suffix(2) == [query, "PUT session bytes 525288-599999/600000"])
        #expect(Bytes(bucket.seen[4].body) == Bytes(body.bytes.suffix(74_712)))
        #expect(bucket.seen[4].idempotency != bucket.seen[2].idempotency)
    }

    @Test func aTailOfWhichNothingArrivedIsSentAgainAsTheSameRequest() async throws {
        let bucket = try ScriptedBucket([
            .began(), .persisted(2 * unit), .failure(503, "busy"), .persisted(2 * unit), .object(body),
        ])
        #expect(try await put(bucket).created != nil)
        #expect(bucket.lines.suffix(3) == [tail, query, tail])
        #expect(bucket.seen[4].idempotency == bucket.seen[2].idempotency)
    }

    @Test func bytesThatAreGoneTakeAnotherDownloadThatGoesOnWithTheSession() async throws {
        let bucket = try ScriptedBucket([.began(), .failure(503, "busy"), .persisted(unit)])
        await fails(.interrupted(bucket.session), bucket)
        #expect(bucket.lines == ["POST resumable", bulk, query])
        let next = try ScriptedBucket([.persisted(unit), .persisted(2 * unit), .object(body)])
        #expect(try await put(next, resuming: true).created?.size == body.count)
        #expect(next.lines == [query, "PUT session bytes 262144-524287/600000", tail])
        #expect(Bytes(next.seen[1].body) == Bytes(body.bytes[262_144..<524_288]))
        #expect(next.seen[2].hash == "crc32c=" + Self.base64(body))
    }

    @Test func aFaultAfterAllBytesArrivedGoesOnWithoutAnotherDownload() async throws {
        let bucket = try ScriptedBucket([.began(), .lost, .persisted(2 * unit), .object(body)])
        #expect(try await put(bucket).created != nil)
        #expect(bucket.lines == ["POST resumable", bulk, query, tail])
    }

    @Test func lessThanWasSentIsNeverTakenForAll() async throws {
        let bucket = try ScriptedBucket([.began(), .persisted(unit)])
        await fails(.interrupted(bucket.session), bucket)
        let none = try ScriptedBucket([.began(), .persisted(0)])
        await fails(.interrupted(none.session), none)
    }

    @Test func moreThanWasSentIsNeverTrustedAndEndsTheSession() async throws {
        let bucket = try ScriptedBucket([.began(), .persisted(2 * unit + 1), ServerAnswer(499)])
        await fails(.sessionLost, bucket)
        #expect(bucket.lines.last == "DELETE session -")
        let resumed = try ScriptedBucket([
            .persisted(600_001), ServerAnswer(499), .began(), .persisted(2 * unit), .object(body),
        ])
        #expect(try await put(resumed, resuming: true).created != nil)
        #expect(resumed.lines == [query, "DELETE session -", "POST resumable", bulk, tail])
        let unknown = try ScriptedBucket([.persisted(600_001), ServerAnswer(499)], length: nil)
        await fails(.sessionLost, unknown, Origin.Body(count: 600_000, isChunked: true), resuming: true)
    }

    @Test("a dead session is replaced and not gone on with", arguments: [404, 410, 499])
    func dead(status: Int) async throws {
        // Nothing of the download was used yet: it goes into a new session.
        let resumed = try ScriptedBucket([ServerAnswer(status), .began(), .persisted(2 * unit), .object(body)])
        let record = Bench.Record()
        #expect(try await put(resumed, resuming: true, record: record).created != nil)
        #expect(resumed.lines == [query, "POST resumable", bulk, tail])
        #expect(record.session == resumed.session)
        #expect(record.confirmed.withLock { $0 } == [])
        let inBulk = try ScriptedBucket([.began(), ServerAnswer(status)])
        await fails(.sessionLost, inBulk)
        let atEnd = try ScriptedBucket([
            .began(), .persisted(2 * unit), ServerAnswer(status), .failure(404, "No such object"),
        ])
        await fails(.sessionLost, atEnd)
    }

    @Test func aSessionForgottenAfterTheObjectWasMadeIsNoLoss() async throws {
        let bucket = try ScriptedBucket([.began(), .persisted(2 * unit), .lost, ServerAnswer(404), .object(body)])
        #expect(try await put(bucket).existing?.generation == 7)
        #expect(bucket.isUsedUp)
    }

    @Test func aSessionThatIsCompleteAlreadyAnswersWithItsObject() async throws {
        let bucket = try ScriptedBucket([.object(body, metadata: #"{"coldroll-item":"one"}"#)])
        let there = try #require(try await put(bucket, resuming: true).existing)
        #expect(there.metadata == ["coldroll-item": "one"])
    }

    @Test(
        "what is not an upload at this endpoint is sent nothing, and the body goes into a new session",
        arguments: [
            "http://127.0.0.1:1/upload/session?upload_id=SECRET", "SELF/storage/v1/b/bucket/o/a.jpg?upload_id=SECRET",
            "SELF/upload/../storage/v1/b/bucket/o/a.jpg?upload_id=SECRET",
            "SELF/upload/%2e%2e/storage/v1/b/bucket/o/a.jpg?upload_id=SECRET", "SELF/upload/session",
            "SELF/upload/session?upload_id=", "SELF\\@127.0.0.1:1/upload/session?upload_id=SECRET", "",
        ]
    )
    func foreign(uri: String) async throws {
        let bucket = try ScriptedBucket([.began(), .persisted(2 * unit), .object(body)])
        let session = UploadSession(uri: uri.replacing("SELF", with: bucket.url), length: body.count)
        #expect(try await bucket.bench().put(NewObject("a.jpg"), body, session: session).created != nil)
        #expect(bucket.lines == ["POST resumable", bulk, tail])
    }

    @Test("a session for another length, or without a byte, is ended and not gone on with", arguments: [true, false])
    func useless(isEmpty: Bool) async throws {
        let answers: [ServerAnswer] = [
            .persisted(isEmpty ? 0 : unit), ServerAnswer(499), .began(), .persisted(2 * unit), .object(body),
        ]
        let bucket = try ScriptedBucket(answers, length: isEmpty ? body.count : body.count + 1)
        let record = Bench.Record()
        #expect(try await put(bucket, resuming: true, record: record).created != nil)
        #expect(bucket.lines == [query, "DELETE session -", "POST resumable", bulk, tail])
        #expect(record.confirmed.withLock { $0 } == [])
    }

    @Test func whatASessionOfAnotherDownloadRefusesATryOfItsOwnMayPass() async throws {
        let refusal = ServerAnswer(400, body: .bytes(Array("Invalid request.  The total size is another.".utf8)))
        let bucket = try ScriptedBucket([.persisted(unit), refusal, ServerAnswer(499)])
        await fails(.sessionLost, bucket, resuming: true)
        #expect(bucket.lines.last == "DELETE session -")
        // One of this very download is refused for good.
        await fails(.rejected, try ScriptedBucket([.began(), refusal]))
    }

    @Test func theCallerLearnsWhatTheBucketHasBeforeItGoesOn() async throws {
        let record = Bench.Record()
        let bucket = try ScriptedBucket([.persisted(unit), .persisted(2 * unit), .object(body)])
        #expect(try await put(bucket, resuming: true, record: record).created != nil)
        #expect(record.confirmed.withLock { $0 } == [unit])
        let chunked = Origin.Body(count: 8_000_000, isChunked: true)
        let unknown = try ScriptedBucket([.began(), .persisted(4 << 20), .object(chunked)])
        #expect(try await put(unknown, chunked, record: record).created != nil)
        #expect(record.confirmed.withLock { $0 } == [unit, 4 << 20])
    }

    @Test("bytes that the bucket calls wrong are never sent again to that session", arguments: [false, true])
    func checksum(isChunked: Bool) async throws {
        let refusal = ServerAnswer.failure(
            400,
            #"Provided CRC32C \"AAAAAA==\" doesn't match calculated CRC32C \"BBBBBB==\"."#
        )
        let bucket = try ScriptedBucket(
            [.began()] + (isChunked ? [] : [.persisted(2 * unit)]) + [refusal, ServerAnswer(499)]
        )
        await fails(.checksumMismatch, bucket, Origin.Body(count: body.count, isChunked: isChunked))
        #expect(bucket.lines.last == "DELETE session -")
    }

    @Test func anAnswerAboutOtherBytesIsLoud() async throws {
        let other = Origin.Body(count: body.count, seed: 1)
        await fails(.checksumMismatch, try ScriptedBucket([.began(), .persisted(2 * unit), .object(other)]))
        let short = Origin.Body(count: body.count - 1)
        await fails(.checksumMismatch, try ScriptedBucket([.began(), .persisted(2 * unit), .object(short)]))
        await fails(.checksumMismatch, try ScriptedBucket([.began(), .persisted(2 * unit), .lost, .object(other)]))
    }

    @Test func aForeignObjectAtTheEndIsSaid() async throws {
        let foreign = Origin.Body(count: 3)
        let bucket = try ScriptedBucket([
            .began(), .persisted(2 * unit), .failure(412, "At least one condition"), .object(foreign),
        ])
        #expect(try await put(bucket).existing?.size == 3)
        #expect(bucket.lines.last == "GET object")
    }

    @Test func anUploadSentToAnotherHostIsNotFollowed() async throws {
        for location in ["http://127.0.0.1:1/upload?upload_id=SECRET", "/relative"] {
            let bucket = try ScriptedBucket([.began(location)])
            await fails(.malformed, bucket)
            #expect(bucket.lines == ["POST resumable"])
        }
        await fails(.malformed, try ScriptedBucket([ServerAnswer(200)]))
    }

    @Test func aRangeThatMakesNoSenseStopsTheUpload() async throws {
        let answer = ServerAnswer(308, headers: [(name: "Range", value: "bytes=100-200")])
        await fails(.malformed, try ScriptedBucket([.began(), answer]))
    }

    @Test(
        "an unaligned offset is gone on from, and no small request is made of it",
        arguments: [300_000, 524_000, 524_288, 599_999, 600_000] as [Int64]
    )
    func unaligned(offset: Int64) async throws {
        let last = offset < body.count ? "PUT session bytes \(offset)-599999/600000" : "PUT session bytes */600000"
        let bucket = try ScriptedBucket([.persisted(offset), .object(body)])
        #expect(try await put(bucket, resuming: true).created != nil)
        #expect(bucket.lines == [query, last])
        #expect(bucket.seen[1].hash == "crc32c=" + Self.base64(body))
        #expect(Bytes(bucket.seen[1].body) == Bytes(body.bytes.dropFirst(Int(offset))))
    }

    @Test func unknownLengthGoesInChunksThatStayUntilTheyAreSafe() async throws {
        let body = Origin.Body(count: 8_000_000, isChunked: true)
        let (first, chunk) = (Int64(4 << 20), Int64(4 << 20))
        let bucket = try ScriptedBucket([
            .began(), .lost, .persisted(0), .persisted(unit), .persisted(unit + chunk), .object(body),
        ])
        #expect(try await put(bucket, body).created?.size == body.count)
        #expect(
            bucket.lines == [
                "POST resumable", "PUT session bytes 0-\(first - 1)/*", query, "PUT session bytes 0-\(first - 1)/*",
                "PUT session bytes \(unit)-\(unit + chunk - 1)/*", "PUT session bytes \(unit + chunk)-7999999/8000000",
            ]
        )
        let arrived = bucket.seen[3].body.prefix(Int(unit)) + bucket.seen[4].body + bucket.seen[5].body
        #expect(arrived.count == body.bytes.count)
        #expect(Bytes(arrived) == Bytes(body.bytes))
        #expect(bucket.seen[0].request.header("X-Upload-Content-Length") == nil)
        #expect(bucket.seen[5].hash == "crc32c=" + Self.base64(body))
        #expect(bucket.isUsedUp)
    }

    @Test func unknownLengthNeedsNoMoreMemoryThanThereIs() async throws {
        let body = Origin.Body(count: 1_000_000, isChunked: true)
        let bucket = try ScriptedBucket([
            .began(), .persisted(unit), .persisted(2 * unit), .persisted(3 * unit), .object(body),
        ])
        let bench = try bucket.bench()
        // Others hold the rest of the budget.
        let others = try await bench.buffer((8 << 20) - (384 << 10))
        let outcome = try await bench.put(NewObject("a.jpg"), body)
        #expect(outcome.created?.size == body.count)
        #expect(bucket.lines.last == "PUT session bytes 786432-999999/1000000")
        others.abandon()
    }

    private static func base64(_ body: Origin.Body) -> String {
        let sum = body.checksum
        return Data([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }).base64EncodedString()
    }
}
