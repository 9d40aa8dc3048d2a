import CloudStorage
import Foundation
import GoogleAuth
import HTTPClient
import HTTPServer
import Testing

/// What the bucket's answers mean outside upload sessions.
@Suite(.timeLimit(.minutes(5))) struct BucketAnswerTests {
    let body = Origin.Body(count: 1000)

    private func fails(
        _ bucket: ScriptedBucket,
        _ location: SourceLocation = #_sourceLocation,
        _ matches: (StorageError) -> Bool
    ) async {
        await #expect(sourceLocation: location) {
            try await bucket.bench().put(NewObject("a.jpg"), body)
        } throws: { error in (error as? StorageError).map(matches) ?? false }
        #expect(bucket.isUsedUp, sourceLocation: location)
    }

    @Test func aSmallObjectIsOneRequestWithChecksumClassTimeAndIdentity() async throws {
        let bucket = try ScriptedBucket([.object(body, name: "cold/201907/a.jpg")])
        let created = try #require(try await bucket.bench(prefix: "/cold").put(NewObject("201907/a.jpg"), body).created)
        #expect(created.name == "201907/a.jpg")
        #expect(bucket.lines == ["POST multipart"])
        let seen = bucket.seen[0]
        #expect(seen.request.path == "/upload/storage/v1/b/bucket/o")
        #expect(seen.request.query.contains("name=cold%2F201907%2Fa.jpg"))
        #expect(seen.request.query.contains("ifGenerationMatch=0"))
        let json = try #require(seen.json)
        #expect(json["name"] as? String == "cold/201907/a.jpg")
        #expect(json["storageClass"] as? String == "ARCHIVE")
        #expect(json["customTime"] as? String == "2019-07-14T16:03:21.25Z")
        #expect(json["contentType"] as? String == "image/jpeg")
        #expect(
            json["crc32c"] as? String
                == "\(Data([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: body.checksum >> $0) }).base64EncodedString())"
        )
        #expect((json["metadata"] as? [String: String])?["coldroll-name"] == "Größe 📷.jpg")
        let boundary = try #require(seen.request.header("Content-Type")?.split(separator: "boundary=").last)
        #expect(boundary.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
        let end = Array("\r\n--\(boundary)--\r\n".utf8)
        #expect(Bytes(seen.body.suffix(end.count)) == Bytes(end))
        let content = Array("\r\nContent-Type: image/jpeg\r\n\r\n".utf8) + body.bytes + end
        #expect(Bytes(seen.body.suffix(content.count)) == Bytes(content))
    }

    @Test(
        "a time before 1970 and a type that is no header are left out",
        arguments: ["1969-12-31T23:59:59Z", "1970-01-01T00:30:00+01:00"]
    )
    func unfit(time: String) async throws {
        let bucket = try ScriptedBucket([.object(body)])
        var object = NewObject("a.jpg", customTime: time)
        object.contentType = "image/jpeg\r\nX-Evil: 1"
        _ = try await bucket.bench().put(object, body)
        let json = try #require(bucket.seen[0].json)
        #expect(json["customTime"] == nil)
        #expect(json["contentType"] as? String == "application/octet-stream")
    }

    @Test func anInsertWhoseAnswerWasLostIsRepeatedAsTheSameRequestAndFindsItself() async throws {
        let bucket = try ScriptedBucket([
            .lost, .failure(412, "At least one of the pre-conditions you specified did not hold."),
            .object(body, metadata: #"{"coldroll-item":"one"}"#),
        ])
        let there = try #require(try await bucket.bench().put(NewObject("a.jpg"), body).existing)
        #expect(there.metadata == ["coldroll-item": "one"])
        #expect(bucket.lines == ["POST multipart", "POST multipart", "GET object"])
        #expect(bucket.seen[0].idempotency != nil)
        #expect(bucket.seen[0].idempotency == bucket.seen[1].idempotency)
        #expect(Bytes(bucket.seen[0].body) == Bytes(bucket.seen[1].body))
    }

    @Test("passing faults are tried again", arguments: [408, 429, 500, 502, 503, 504])
    func passing(status: Int) async throws {
        let bucket = try ScriptedBucket([ServerAnswer(status), .object(body)])
        #expect(try await bucket.bench().put(NewObject("a.jpg"), body).created != nil)
        #expect(bucket.isUsedUp)
    }

    @Test func rateLimitsUnder403AreTriedAgain() async throws {
        let bucket = try ScriptedBucket([.failure(403, "slow down", reason: "rateLimitExceeded"), .object(body)])
        #expect(try await bucket.bench().put(NewObject("a.jpg"), body).created != nil)
    }

    @Test func retryAfterIsObeyed() async throws {
        let bucket = try ScriptedBucket([.failure(429, "slow", retryAfter: 2), .object(body)])
        let start = ContinuousClock.now
        #expect(try await bucket.bench().put(NewObject("a.jpg"), body).created != nil)
        #expect(ContinuousClock.now - start >= .seconds(2))
    }

    @Test func aRetryAfterThatIsFarAwayGoesToTheCallerAtOnce() async throws {
        await fails(try ScriptedBucket([.failure(429, "slow", retryAfter: 300)])) {
            $0.code == .unavailable(retryAfter: .seconds(300))
        }
    }

    @Test func anOutageEndsAfterSixTries() async throws {
        await fails(try ScriptedBucket(Array(repeating: ServerAnswer(503), count: 6))) {
            $0.code == .unavailable(retryAfter: nil) && $0.message.contains("503")
        }
    }

    @Test func wrongBytesAreSaidAndNotRepeated() async throws {
        let refusal = ServerAnswer.failure(400, #"Provided CRC32C \"AAAAAA==\" doesn't match calculated CRC32C \"B\"."#)
        await fails(try ScriptedBucket([refusal])) { $0.code == .checksumMismatch }
    }

    @Test(
        "an answer that lacks what it promises is refused",
        arguments: [
            "{}", "", "[]", #"{"name":"a","generation":"1","size":"1000"}"#,
            #"{"generation":"x","size":"1000","crc32c":"AAAAAA=="}"#,
        ]
    )
    func malformed(text: String) async throws {
        await fails(try ScriptedBucket([.json(200, text)])) { $0.code == .malformed }
    }

    @Test func refusalsSayWhatToDo() async throws {
        await fails(try ScriptedBucket([.failure(403, "sa@p does not have storage.objects.create access.")])) {
            $0.code == .denied && $0.message.contains("storage.objects.create") && $0.message.contains("gs://bucket")
        }
        await fails(try ScriptedBucket([.failure(404, "The specified bucket does not exist.")])) {
            $0.code == .noBucket && $0.message.contains("gcloud storage buckets create gs://bucket")
        }
        await fails(try ScriptedBucket([.failure(400, "Metadata part is too large.")])) {
            $0.code == .rejected && $0.message.contains("too large") && $0.message.contains("a.jpg")
        }
        await fails(try ScriptedBucket([.failure(401, "Anonymous caller")])) { $0.code == .denied }
    }

    @Test func aRefusedTokenIsReplacedOnceAndASecondRefusalIsFinal() async throws {
        let tokens = try Tokens()
        let bucket = try ScriptedBucket([ServerAnswer(401), .object(body), ServerAnswer(401), ServerAnswer(401)])
        let bench = try bucket.bench(tokens: tokens.source(bucket: bucket))
        #expect(try await bench.put(NewObject("a.jpg"), body).created != nil)
        #expect(bucket.seen.map(\.authorization) == ["Bearer t1", "Bearer t2"])
        await #expect { try await bench.put(NewObject("a.jpg"), body) } throws: {
            ($0 as? StorageError)?.code == .denied
        }
        #expect(bucket.seen.map(\.authorization) == ["Bearer t1", "Bearer t2", "Bearer t2", "Bearer t3"])
    }

    @Test func aTokenThatExpiresDuringAnUploadKeepsTheSession() async throws {
        let tokens = try Tokens()
        let big = Origin.Body(count: 600_000)
        let bucket = try ScriptedBucket([
            .began(), ServerAnswer(401), .persisted(524_288), .object(big),
        ])
        let bench = try bucket.bench(tokens: tokens.source(bucket: bucket))
        #expect(try await bench.put(NewObject("a.jpg"), big).created != nil)
        #expect(bucket.seen.map(\.authorization) == ["Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2"])
        #expect(bucket.lines[2] == "PUT session bytes */*")
    }

    @Test func aDeadLoginStopsTheStoreAndNamesTheWayOut() async throws {
        let bucket = try ScriptedBucket([])
        let tokens = try Tokens(dead: true)
        await #expect {
            try await bucket.bench(tokens: tokens.source(bucket: bucket)).put(NewObject("a.jpg"), body)
        } throws: { ($0 as? StorageError)?.code == .denied && "\($0)".contains("Log in again") }
    }

    @Test func aListingHidesThePrefixAndFollowsPages() async throws {
        let item = #"{"name":"cold/%","generation":"1","size":"0","crc32c":"AAAAAA=="}"#
        let bucket = try ScriptedBucket([
            .json(
                200,
                #"{"items":[\#(item.replacingOccurrences(of: "%", with: "")),\#(item.replacingOccurrences(of: "%", with: "a"))],"nextPageToken":"p/2"}"#
            ),
            .json(200, #"{"nextPageToken":"p3"}"#), .json(200, "{}"),
        ])
        #expect(try await bucket.bench(prefix: "/cold/").all(prefix: "x/").map(\.name) == ["a"])
        #expect(bucket.seen[0].request.query.contains("prefix=cold%2Fx%2F"))
        #expect(bucket.seen[0].request.query.contains("maxResults=1000"))
        #expect(bucket.seen[1].request.query.contains("pageToken=p%2F2"))
        #expect(bucket.isUsedUp)
    }

    @Test func aListingThatIsNoListingIsRefused() async throws {
        for text in ["", "<html>", #"{"items":[{"name":"a"}]}"#, #"{"items":[{"size":"1"}]}"#] {
            let bucket = try ScriptedBucket([.json(200, text)])
            await #expect { try await bucket.bench().all() } throws: { ($0 as? StorageError)?.code == .malformed }
        }
    }

    @Test func aMissingBucketIsToldFromAMissingObject() async throws {
        let bucket = try ScriptedBucket([
            .failure(404, "No such object: bucket/a"), .failure(404, "The specified bucket does not exist."),
        ])
        let store = try bucket.bench().store
        #expect(try await store.head("a") == nil)
        await #expect { try await store.head("a") } throws: { ($0 as? StorageError)?.code == .noBucket }
    }

    @Test func ourOwnReplacementWhoseAnswerWasLostIsRecognised() async throws {
        let bucket = try ScriptedBucket([.lost, .failure(412, "no")]) { seen in
            let mark = (seen[0].json?["metadata"] as? [String: String])?["coldroll-write"] ?? "none"
            return .object(Origin.Body(count: 1), metadata: #"{"coldroll-write":"\#(mark)"}"#)
        }
        let store = try bucket.bench().store
        #expect(try await store.replace("m", with: [1], contentType: "text/plain", ifGeneration: 3))
        #expect(bucket.lines == ["POST multipart", "POST multipart", "GET object"])
    }

    @Test func aCheckNamesThePermissionsThatAreMissing() async throws {
        let bucket = try ScriptedBucket([
            .json(200, "{}"), .json(200, #"{"permissions":["storage.objects.list","storage.objects.get"]}"#),
        ])
        await #expect { try await bucket.bench().store.check() } throws: { error in
            (error as? StorageError)?.code == .denied && "\(error)".contains("give it storage.objects.create ")
        }
    }
}

/// A token endpoint that hands out t1, t2, … or says that the login is dead.
private struct Tokens {
    let server: HTTPServer

    init(dead: Bool = false) throws {
        let count = Counter()
        server = try HTTPServer { _ in
            .answer(
                dead
                    ? .json(400, #"{"error":"invalid_grant"}"#)
                    : .json(200, #"{"access_token":"t\#(count.next())","expires_in":3599}"#)
            )
        }
    }

    func source(bucket: ScriptedBucket) throws -> TokenSource {
        try TokenSource.json(
            Array(#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#.utf8),
            named: "login.json",
            scope: "",
            tokenEndpoint: "http://127.0.0.1:\(server.port)",
            http: HTTPClient()
        )
    }
}
