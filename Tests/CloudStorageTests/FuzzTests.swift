import Foundation
import GoogleAuth
import HTTPClient
import HTTPServer
import Synchronization
import TestSupport
import Testing

@testable import CloudStorage

/// Answers of a bucket that are almost right, or hardly.
@Suite(.timeLimit(.minutes(10))) struct FuzzTests {
    private static let words = [
        "name", "size", "generation", "crc32c", "metadata", "items", "nextPageToken", "error", "storage.objects.get",
        "AAAAAA==",
        "a\\u0000b", "cold/", "cold/a.jpg", "upload_id=SECRET", "ya29.SECRET", "allUsers",
    ]

    private final class Answer: Sendable {
        let value = Mutex<ServerAnswer>(ServerAnswer(200))
    }

    /// A server of one answer, and a client for it that tries everything once.
    private func bucket(_ answer: Answer) throws -> (server: HTTPServer, http: HTTPClient, url: String) {
        let server = try HTTPServer { _ in .answer(answer.value.withLock { $0 }) }
        return (server, HTTPClient(), "http://127.0.0.1:\(server.port)")
    }

    private static func check(_ error: any Error, _ comment: Comment) {
        guard let error = error as? StorageError else {
            Issue.record(comment)
            return
        }
        #expect(SecretPatterns.found(in: error.message).isEmpty, comment)
        #expect(error.message.count < 1500, comment)
        #expect(
            error.message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control || $0 == "\n" },
            comment
        )
    }

    @Test func `a damaged listing shows every object that it names, or fails as a whole`() async throws {
        let answer = Answer()
        let (server, http, url) = try bucket(answer)
        defer { http.shutdown() }
        let store = try openStore("gs://bucket/cold", http: http, tokens: .anonymous, endpoint: url)
        let corpus = [
            """
            {"items":[{"name":"cold/a.jpg","generation":"1700000000000001","size":"1000","crc32c":"AAAAAA==",
            "md5Hash":"1B2M2Y8AsgTpgAmY7PhCfg==","contentType":"image/jpeg","metadata":{"coldroll-item":"one"}},
            {"name":"cold/b.jpg","generation":7,"size":"0","crc32c":"yZRlqg=="},{"name":"cold/","generation":"1",
            "size":"0","crc32c":"AAAAAA=="}],"nextPageToken":"SECRET"}
            """,
            "{}", #"{"items":[]}"#,
            #"{"items":[{"name":"elsewhere/a","generation":"1","size":"1","crc32c":"AAAAAA=="}]}"#,
        ]
        // The name of an object is shown as it stands, so none is to look like a secret.
        let words = Self.words.filter { !$0.contains("SECRET") }
        try await Fuzz(corpus, words: words, isJSON: true).run("listings", rounds: 1500) { input, comment in
            answer.value.withLock { $0 = ServerAnswer(200, body: .bytes(input)) }
            do {
                let page = try await store.list(prefix: "", pageToken: nil)
                for object in page.objects {
                    #expect(object.size >= 0 && !object.name.isEmpty, comment)
                }
                let text = String(decoding: input, as: UTF8.self)
                // Where a name comes twice in one object, two readers may take either.
                if text.ranges(of: "\"items\"").count == 1, text.ranges(of: "\"nextPageToken\"").count <= 1,
                    !text.contains("\u{FEFF}"),
                    let json = try? JSONSerialization.jsonObject(with: Data(input)) as? [String: Any],
                    let items = json["items"] as? [[String: Any]], text.ranges(of: "\"name\"").count == items.count
                {
                    let folders = items.filter { $0["name"] as? String == "cold/" }.count
                    #expect(page.objects.count == items.count - folders, comment)
                    #expect(page.nextPageToken ?? "" == json["nextPageToken"] as? String ?? "", comment)
                }
                return .accepted
            } catch {
                Self.check(error, comment)
                #expect((error as? StorageError)?.code == .malformed, comment)
                return .refused
            }
        }
        withExtendedLifetime(server) {}
    }

    @Test func `damaged settings and policies of a bucket are judged, or refused as none`() async throws {
        let answer = Answer()
        let (server, http, url) = try bucket(answer)
        defer { http.shutdown() }
        let bucket = try #require(try Bucket("gs://bucket", http: http, tokens: .anonymous, endpoint: url, tries: 1))
        let corpus = [
            """
            {"name":"bucket","location":"EUROPE-NORTH1","storageClass":"ARCHIVE","metageneration":"3","iamConfiguration":{
            "uniformBucketLevelAccess":{"enabled":true},"publicAccessPrevention":"enforced"},"softDeletePolicy":{
            "retentionDurationSeconds":"604800"},"retentionPolicy":{"retentionPeriod":"86401","isLocked":false},"autoclass":{
            "enabled":false},"lifecycle":{"rule":[{"action":{"type":"Delete"},"condition":{"age":30,"isLive":true,
            "matchesPrefix":["cold"],"customTimeBefore":"2000-01-01"}}]},"bindings":[{"role":"roles/storage.objectViewer",
            "members":["allUsers","user:a@example.org"]}],"permissions":["storage.objects.get"]}
            """,
            #"{"name":"b"}"#,
        ]
        try await Fuzz(corpus, words: Self.words, isJSON: true).run("bucket settings", rounds: 1500) { input, comment in
            answer.value.withLock { $0 = ServerAnswer(200, body: .bytes(input)) }
            do {
                let settings = try #require(try await bucket.read(), comment)
                #expect(settings.softDeleteDays >= 0 && settings.retentionDays ?? 0 >= 0, comment)
                let policy = try await bucket.policy()
                for use in BucketUse.allCases {
                    let findings = BucketJudgement.findings(settings, policy: policy, use: use, prefix: "cold/")
                    // A bucket that lets everybody in is refused, whatever else is odd about it.
                    #expect(
                        policy?.everybody.isEmpty != false || settings.preventsPublicAccess
                            || findings.first?.gravity == .refusal,
                        comment
                    )
                    #expect(findings.allSatisfy { !$0.message.isEmpty }, comment)
                }
                _ = try await bucket.held(["storage.objects.get"])
                return .accepted
            } catch {
                Self.check(error, comment)
                return .refused
            }
        }
        withExtendedLifetime(server) {}
    }

    @Test func `a damaged answer to an upload stores what was sent, or is loud`() async throws {
        let answer = Answer()
        let (server, http, url) = try bucket(answer)
        defer { http.shutdown() }
        let body = Origin.Body(count: 1000)
        let bench = try Bench(
            store: try openStore("gs://bucket", http: http, tokens: .anonymous, endpoint: url),
            http: http
        )
        guard case .bytes(let good) = ServerAnswer.object(body).body else { throw CancellationError() }
        let text = String(decoding: good, as: UTF8.self)
        // As Google answers, with much that nobody asks for: most of the damage is done there.
        let more =
            #","kind":"storage#object","selfLink":"https://www.googleapis.com/storage/v1/b/bucket/o/a.jpg","owner":{},"#
            + #""timeCreated":"2026-11-23T10:00:00.000Z","storageClass":"ARCHIVE","etag":"CAE=","contentType":"image/jpeg"}"#
        let whole = text.dropLast() + more
        let corpus = [
            text, String(whole),
            String(whole.replacing(#""metadata":{}"#, with: #""metadata":{"coldroll-item":"one"}"#)),
            #"{"error":{"code":403,"message":"ya29.SECRET may not, see upload_id=SECRET","errors":[{"reason":"forbidden"}]}}"#,
        ]
        var round = 0
        try await Fuzz(corpus, words: Self.words, isJSON: true).run("uploads", rounds: 1200) { input, comment in
            let status = [200, 200, 200, 400, 403, 404][round % 6]
            round += 1
            answer.value.withLock { $0 = ServerAnswer(status, body: .bytes(input)) }
            // A refusal that asks for patience is another test's: it would take that patience here.
            if status == 403, String(decoding: input, as: UTF8.self).contains("ateLimitExceeded") { return .refused }
            do {
                let outcome = try await bench.put(NewObject("a.jpg"), body.bytes)
                let object = try #require(outcome.created, comment)
                #expect(status == 200 && object.size == 1000 && object.crc32c == body.checksum, comment)
                return .accepted
            } catch {
                Self.check(error, comment)
                return .refused
            }
        }
        withExtendedLifetime(server) {}
    }

    @Test func `a damaged Location or Range never leads an upload elsewhere or beyond its end`() async throws {
        let endpoint = try StorageEndpoint("https://storage.googleapis.com")
        let corpus = [
            "https://storage.googleapis.com/upload/storage/v1/b/bucket/o?uploadType=resumable&upload_id=SECRET",
            "https://storage.googleapis.com:443/upload/x?upload_id=SECRET#f",
            "https://storage.googleapis.com/resumable/upload/x?upload_id=SECRET", "http://storage.googleapis.com/",
        ]
        let words = [
            "evil.example", "@evil.example/", "\\@evil.example", ":80", ".evil.example", "//evil.example/", "[::1]",
            "127.0.0.1",
            "2130706433", "https://", "\t", "\u{3002}", "%2e%2e/", "/..", ":443:443",
        ]
        try await Fuzz(corpus, words: words).run("session addresses", rounds: 6000) { input, comment in
            let uri = String(decoding: input, as: UTF8.self)
            let session = UploadSession(uri: uri, length: nil)
            let isOwn = endpoint.owns(session)
            #expect(isOwn || !endpoint.mayGoOn(with: session), comment)
            if isOwn {
                // As plain as can be: whoever reads it finds this host.
                let rest = uri.lowercased().dropFirst("https://storage.googleapis.com".count)
                #expect(uri.lowercased().hasPrefix("https://storage.googleapis.com"), comment)
                #expect(["", "/", "?", "#", ":"].contains(rest.prefix(1)), comment)
                let port = rest.hasPrefix(":") ? Int(rest.dropFirst().prefix { $0.isNumber }) : 443
                #expect(port == 443, comment)
                #expect(uri.utf8.allSatisfy { $0 > 32 && $0 < 127 }, comment)
            }
            return isOwn ? .accepted : .refused
        }
        try await Fuzz(["bytes=0-262143", "bytes=0-0", "bytes=1-5"]).run("ranges", rounds: 3000) { input, comment in
            guard let count = SessionRange.persisted(String(decoding: input, as: UTF8.self)) else { return .refused }
            #expect(count > 0, comment)
            return .accepted
        }
    }
}
