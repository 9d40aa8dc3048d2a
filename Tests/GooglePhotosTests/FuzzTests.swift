import Foundation
import GoogleAuth
import GooglePhotos
import HTTPClient
import HTTPServer
import Synchronization
import TestSupport
import Testing

/// Answers of both APIs that are almost right, or hardly.
@Suite("Fuzzed answers of the Photos APIs", .timeLimit(.minutes(10)))
struct FuzzTests {
    private static let secret = "ya29.aBcDeFgHiJkLmNoPqRs"
    private static let base = "https://lh3.googleusercontent.com/lr/AAJ1LKcSECRETSECRETSECRETSECRET"
    private static let library = [
        """
        {"mediaItems":[{"id":"AGj1a","description":"d","productUrl":"https://photos.google.com/lr/photo/AGj1a",
        "baseUrl":"\(base)","mimeType":"image/jpeg","filename":"IMG_1.JPG","mediaMetadata":{"creationTime":
        "2019-07-14T16:03:21.25Z","width":"4032","height":"3024","photo":{"cameraMake":"Apple"}}},
        {"id":"AGj1b","baseUrl":"\(base)b","mimeType":"video/mp4","filename":"VID_2.mp4","mediaMetadata":{
        "creationTime":"2021-01-02T03:04:05.678+01:00","width":1920,"height":1080,"video":{"fps":30,"status":"READY"}}},
        {"filename":"without an id.jpg"},null],"nextPageToken":"CkgKQnR5cGUuZ29vZ2xlYXBpcy5jb20"}
        """,
        #"{"mediaItems":[{"id":"one"},{"id":"two"},{"id":"two"}]}"#, "{}", #"{"nextPageToken":"t"}"#,
        #"{"error":{"code":403,"message":"token \#(secret) is bad, see \#(base)","status":"PERMISSION_DENIED"}}"#,
    ]
    private static let picked = [
        """
        {"mediaItems":[{"id":"ID1","createTime":"2019-07-14T16:03:21Z","type":"PHOTO","mediaFile":{"baseUrl":"\(base)",
        "mimeType":"image/heif","filename":"IMG_0042.HEIC","mediaFileMetadata":{"width":4032,"height":3024,
        "photoMetadata":{"focalLength":4.0}}}},{"id":"ID2","type":"VIDEO","mediaFile":{"mediaFileMetadata":{
        "width":1920,"height":1080,"videoMetadata":{"fps":29.97,"processingStatus":"READY"}}}},
        {"type":"PHOTO"}],"nextPageToken":"NEXT"}
        """,
        "{}", #"{"mediaItems":[{"id":"one"},{"id":"two"}]}"#,
    ]
    private static let words = [
        "id", "mediaItems", "nextPageToken", "baseUrl", "mediaMetadata", "error", "a\\u0000b", base, secret, "READY",
        "9999-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00+23:59", "2024-02-30T00:00:00Z",
    ]

    /// A client of a Google that gives each answer which `answer` holds.
    private func google(_ answer: Answer) throws -> ScriptedGoogle {
        try ScriptedGoogle { _ in ServerAnswer(200, body: .bytes(answer.bytes.withLock { $0 })) }
    }

    private final class Answer: Sendable {
        let bytes = Mutex<[UInt8]>([])
    }

    @Test func `no damaged page of the library loses an item without an error`() async throws {
        let answer = Answer()
        let google = try google(answer)
        let client = PhotosClient(http: HTTPClient(), tokens: .anonymous, endpoint: google.origin)
        try await Fuzz(Self.library, words: Self.words, isJSON: true).run("Library pages", rounds: 2000) {
            input,
            comment in
            answer.bytes.withLock { $0 = input }
            return await Self.judge(input, comment) { () async throws(PhotosError) in
                try await client.list(pageToken: "SECRETPAGETOKEN")
            }
        }
    }

    @Test func `no damaged page of the Picker loses an item without an error`() async throws {
        let answer = Answer()
        let google = try google(answer)
        let picker = PickerClient(PhotosClient(http: HTTPClient(), tokens: .anonymous, endpoint: google.origin))
        try await Fuzz(Self.picked, words: Self.words, isJSON: true).run("Picker pages", rounds: 1500) {
            input,
            comment in
            answer.bytes.withLock { $0 = input }
            return await Self.judge(input, comment) { () async throws(PhotosError) in
                try await picker.list(session: "SECRETSESSION", pageToken: nil)
            }
        }
    }

    /// What holds of every page that was taken, and of every refusal.
    private static func judge(
        _ input: [UInt8],
        _ comment: Comment,
        _ ask: () async throws(PhotosError) -> MediaPage
    ) async -> Fuzz.Verdict {
        do {
            let page = try await ask()
            for item in page.items { check(item, comment) }
            compare(page, input, comment)
            return .accepted
        } catch {
            // The status was 200: an answer that makes no sense is asked for again, and never taken for an end.
            #expect(error.code == .malformed, comment)
            checkWords(error.message, comment)
            return .refused
        }
    }

    /// By another reader of JSON: as many entries, every id in its order, the same token.
    private static func compare(_ page: MediaPage, _ input: [UInt8], _ comment: Comment) {
        let text = String(decoding: input, as: UTF8.self)
        // A name that comes twice in one object is a matter of taste, of which the two readers have different ones.
        // And one of them takes a byte order mark off the front of any string.
        let names = ["\"mediaItems\"", "\"nextPageToken\"", "\\u", "\u{FEFF}"]
        guard names.allSatisfy({ text.ranges(of: $0).count <= ($0.hasPrefix("\"") ? 1 : 0) }),
            let json = try? JSONSerialization.jsonObject(with: Data(input)),
            let object = json as? [String: Any]
        else { return }
        let entries = object["mediaItems"] as? [Any] ?? []
        #expect(page.items.count + page.unreadable.count == entries.count, comment)
        #expect(page.nextPageToken ?? "" == object["nextPageToken"] as? String ?? "", comment)
        let ids = entries.map { ($0 as? [String: Any])?["id"] as? String }
        // One id in each entry, and none twice in one.
        let named = entries.filter { ($0 as? [String: Any])?["id"] != nil }.count
        guard text.ranges(of: "\"id\"").count == entries.count, named == entries.count else { return }
        #expect(page.items.map(\.id) == ids.compactMap { $0 }.filter { !$0.isEmpty && !$0.utf8.contains(0) }, comment)
    }

    private static func check(_ item: MediaItem, _ comment: Comment) {
        #expect(!item.id.isEmpty, comment)
        #expect(item.width ?? 1 > 0 && item.height ?? 1 > 0, comment)
        for text in [item.id, item.filename, item.mimeType, item.creationTime] {
            #expect(text?.utf8.contains(0) != true, comment)
        }
        if let time = item.creationTime {
            #expect(
                time.wholeMatch(of: #/(1[89]|2[01])\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z|2200-.*/#) != nil,
                comment
            )
        }
        #expect(item.baseURL.map { "\($0)" } ?? "a base URL" == "a base URL", comment)
    }

    private static func checkWords(_ message: String, _ comment: Comment) {
        #expect(SecretPatterns.found(in: message).isEmpty, comment)
        for secret in ["AAJ1LKcSECRET", "SECRETSESSION", "SECRETPAGE", "SECRETID"] {
            #expect(!message.contains(secret), comment)
        }
        #expect(message.count < 1000, comment)
        #expect(message.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }, comment)
    }

    @Test func `a damaged session has a link of Google's or none, and a pause that makes sense`() async throws {
        let answer = Answer()
        let google = try google(answer)
        let picker = PickerClient(PhotosClient(http: HTTPClient(), tokens: .anonymous, endpoint: google.origin))
        let corpus = [
            """
            {"id":"SID","pickerUri":"https://photos.google.com/picker/SECRETLINK","pollingConfig":{"pollInterval":"5s",
            "timeoutIn":"1800.5s"},"expireTime":"2026-11-23T10:00:00Z","mediaItemsSet":false}
            """,
            #"{"id":"a","pickerUri":"https://photos.google.com:443/x?y#z","mediaItemsSet":true}"#, #"{"id":"b"}"#,
        ]
        let words =
            Self.words + ["https://evil.example/", "//evil.example", "https://sites.google.com/x", "evil.example"]
        try await Fuzz(corpus, words: words, isJSON: true).run("Picker sessions", rounds: 1500) { input, comment in
            answer.bytes.withLock { $0 = input }
            do throws(PhotosError) {
                let session = try await picker.session("SECRETID")
                #expect(!session.id.isEmpty && !session.id.utf8.contains(0), comment)
                #expect((.milliseconds(100)...Duration.seconds(600)).contains(session.pollInterval), comment)
                #expect(session.timeout ?? .zero >= .zero, comment)
                if let link = session.link {
                    let isOurs = link.hasPrefix("https://photos.google.com/") || link.hasPrefix(google.origin + "/")
                    #expect(isOurs && link.utf8.allSatisfy { $0 > 32 && $0 < 127 }, comment)
                }
                return .accepted
            } catch {
                #expect(error.code == .malformed || error.code == .foreignHost, comment)
                Self.checkWords(error.message, comment)
                return .refused
            }
        }
    }

    @Test func `a damaged batch answers for each id with that item or an error`() async throws {
        let answer = Answer()
        let google = try google(answer)
        let client = PhotosClient(http: HTTPClient(), tokens: .anonymous, endpoint: google.origin)
        let corpus = [
            """
            {"mediaItemResults":[{"mediaItem":{"id":"a","baseUrl":"\(Self.base)","mediaMetadata":{"width":"1","height":"1",
            "photo":{}}}},{"status":{"code":3,"message":"Invalid media item ID."}},{"mediaItem":{"id":"c"}}]}
            """,
            #"{"mediaItemResults":[{"mediaItem":{"id":"c"}},{"mediaItem":{"id":"a"}}]}"#, "{}",
        ]
        try await Fuzz(corpus, words: Self.words + ["a", "b", "c"], isJSON: true).run("batches", rounds: 1500) {
            input,
            comment in
            answer.bytes.withLock { $0 = input }
            do throws(PhotosError) {
                let results = try await client.batchGet(["a", "b", "c", "a"])
                #expect(results.count == 4, comment)
                for (id, result) in zip(["a", "b", "c", "a"], results) {
                    switch result {
                    case .success(let item):
                        #expect(item.id == id, comment)
                        Self.check(item, comment)
                    case .failure(let error): Self.checkWords(error.message, comment)
                    }
                }
                return .accepted
            } catch {
                #expect(error.code == .malformed, comment)
                Self.checkWords(error.message, comment)
                return .refused
            }
        }
    }

    @Test func `a damaged refusal has a meaning, and its words are fit to print`() async throws {
        let answer = Answer()
        let status = Mutex(400)
        let google = try ScriptedGoogle { _ in
            ServerAnswer(status.withLock { $0 }, body: .bytes(answer.bytes.withLock { $0 }))
        }
        let client = PhotosClient(http: HTTPClient(), tokens: .anonymous, endpoint: google.origin)
        let corpus = [
            """
            {"error":{"code":429,"message":"Quota exceeded for quota metric 'All requests' and limit 'All requests per day'
            of service 'photoslibrary.googleapis.com' for consumer 'project_number:1'.","status":"RESOURCE_EXHAUSTED",
            "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED",
            "metadata":{"quota_unit":"1/d/{project}"}}]}}
            """,
            #"{"error":{"code":403,"message":"bad token '\#(Self.secret)' at \#(Self.base)","status":"PERMISSION_DENIED"}}"#,
            #"{"error":"internal_failure"}"#, "<html>sorry</html>",
        ]
        var round = 0
        try await Fuzz(corpus, words: Self.words, isJSON: true).run("refusals", rounds: 1500) { input, comment in
            let now = [400, 401, 403, 404, 429, 500, 503][round % 7]
            round += 1
            status.withLock { $0 = now }
            answer.bytes.withLock { $0 = input }
            let error = await failure { () async throws(PhotosError) in try await client.get("AGj1a") }
            guard let error else {
                Issue.record(comment)
                return .refused
            }
            Self.checkWords(error.message, comment)
            switch error.code {
            case .quota, .dailyQuota: #expect(now == 429 || now == 403, comment)
            case .unavailable: #expect(now >= 500, comment)
            case .notFound: #expect(now == 404 || now == 403, comment)
            case .insufficientScopes: #expect(now == 403, comment)
            case .unauthenticated: #expect(now == 401, comment)
            case .rejected(let status): #expect(status == now && now < 500, comment)
            default: Issue.record(comment)
            }
            return now < 404 ? .accepted : .refused
        }
    }
}
