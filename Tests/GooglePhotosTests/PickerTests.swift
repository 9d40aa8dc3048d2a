import GoogleAuth
import GooglePhotos
import HTTPClient
import HTTPServer
import Testing

@Suite("The Picker API", .timeLimit(.minutes(5)))
struct PickerTests {
    private static let waiting = """
        {"id":"S/1","pickerUri":"https://photos.google.com/picker/abc","pollingConfig":{"pollInterval":"3.5s","timeoutIn":"1800s"},
        "expireTime":"2026-11-24T12:00:00.123456789+02:00","pickingConfig":{"maxItemCount":"2000"},"mediaItemsSet":false,"new":{}}
        """

    private func picker(_ answer: ServerAnswer) throws -> (PickerClient, ScriptedGoogle) {
        let google = try ScriptedGoogle(always: answer)
        return (PickerClient(try google.client()), google)
    }

    private func page(_ json: String) async throws -> MediaPage {
        let (picker, google) = try picker(.json(json))
        defer { withExtendedLifetime(google) {} }
        return try await picker.list(session: "S", pageToken: nil)
    }

    @Test func aSessionIsMadeAskedForAndDeleted() async throws {
        let google = try ScriptedGoogle { request in
            request.method == "DELETE" ? .json("{}") : .json(Self.waiting)
        }
        let picker = PickerClient(try google.client())
        let session = try await picker.createSession()
        #expect(session.id == "S/1" && session.link == "https://photos.google.com/picker/abc" && !session.isPicked)
        #expect(session.pollInterval == .milliseconds(3500) && session.timeout == .seconds(1800))
        #expect(session.expiresAt == "2026-11-24T10:00:00.123456Z")
        #expect(try await picker.session(session.id) == session)
        try await picker.deleteSession(session.id)
        #expect(google.requests.map(\.method) == ["POST", "GET", "DELETE"])
        #expect(google.requests.map(\.target) == ["/v1/sessions", "/v1/sessions/S%2F1", "/v1/sessions/S%2F1"])
        #expect(google.requests.map(\.body) == [#"{"pickingConfig":{"maxItemCount":"2000"}}"#, "", ""])
        #expect(google.requests.allSatisfy { $0.authorization == "Bearer token-1" })
    }

    @Test func whatIsMissingInASessionHasADefault() async throws {
        let (picker, google) = try picker(.json(#"{"id":"S","mediaItemsSet":true,"pollingConfig":{"timeoutIn":"0s"}}"#))
        let session = try await picker.session("S")
        #expect(session == PickerSession(id: "S", isPicked: true, timeout: .zero))
        withExtendedLifetime(google) {}
    }

    @Test(
        "Durations are decimal seconds",
        arguments: [
            ("5s", Duration.seconds(5)), ("0.25s", .milliseconds(250)), ("1.000000001s", .seconds(1) + .nanoseconds(1)),
            // What makes no sense is the usual five seconds, and what would hurry or stall is bounded.
            ("5", .seconds(5)), ("-1s", .seconds(5)), ("1.s", .seconds(5)), (".5s", .seconds(5)), ("1e3s", .seconds(5)),
            ("", .seconds(5)), ("1.0000000001s", .seconds(5)), ("0s", .milliseconds(100)), ("86400s", .seconds(600)),
        ]
    )
    func durations(_ text: String, _ duration: Duration) async throws {
        let (picker, google) = try picker(.json(#"{"id":"S","pollingConfig":{"pollInterval":"\#(text)"}}"#))
        #expect(try await picker.session("S").pollInterval == duration)
        withExtendedLifetime(google) {}
    }

    @Test("An answer that is no session is malformed", arguments: ["{}", "[]", #"{"id":""}"#, #"{"id":7}"#, "<html>"])
    func noSession(_ json: String) async throws {
        let (picker, google) = try picker(.json(json))
        #expect(await failure { () async throws(PhotosError) in try await picker.session("S") }?.code == .malformed)
        #expect(await failure { () async throws(PhotosError) in try await picker.createSession() }?.code == .malformed)
        withExtendedLifetime(google) {}
    }

    @Test(
        "A link that does not lead to Google is neither shown nor opened",
        arguments: [
            "https://photos.google.com.evil.org/picker", "http://photos.google.com/picker", "file:///etc/passwd",
            "javascript:alert(1)", "--new-window", "https://photos.google.com@evil.org/",
            "https://evil.org/photos.google.com", "https://sites.google.com/view/anybodys",
            "https://lh3.googleusercontent.com/x",
            "https://photos.google.com:8443/x", "https://photos.google.com./x", "https://photos。google.com/x",
            "https://photos.google.com%2eevil.org/x", "https://2130706433/x", "//photos.google.com/x",
            "https://photos.google.com\\\\@evil.org/x", "https:photos.google.com/x",
        ]
    )
    func foreignLinks(_ link: String) async throws {
        let google = try ScriptedGoogle(always: .json(#"{"id":"S","pickerUri":"\#(link)"}"#))
        // As towards Google itself: the endpoint's own origin counts only where it is not Google's.
        let http = HTTPClient()
        defer { http.shutdown() }
        let picker = PickerClient(PhotosClient(http: http, tokens: .anonymous, endpoint: google.origin))
        let error = await failure { () async throws(PhotosError) in try await picker.createSession() }
        #expect(error?.code == .foreignHost)
        #expect(error?.message.contains(link) == false)
    }

    @Test func itemsAreReadAsTheReferenceShowsThem() async throws {
        let page = try await page(
            """
            {"mediaItems":[
             {"id":"ID1","createTime":"2019-07-14T16:03:21Z","type":"PHOTO","mediaFile":{
               "baseUrl":"https://lh3.googleusercontent.com/ppa/a","mimeType":"image/heif","filename":"IMG_0042.HEIC",
               "mediaFileMetadata":{"width":4032,"height":3024,"cameraMake":"Apple",
                 "photoMetadata":{"focalLength":4.0,"isoEquivalent":20,"exposureTime":"0.008s"}}}},
             {"id":"ID2","createTime":"2021-01-02T03:04:05.678+01:00","type":"VIDEO","mediaFile":{
               "baseUrl":"https://lh3.googleusercontent.com/ppa/b","mimeType":"video/mp4","filename":"PXL.mp4",
               "mediaFileMetadata":{"width":"1920","height":1080,"videoMetadata":{"fps":30,"processingStatus":"READY"}}}}],
             "nextPageToken":"TOKEN"}
            """
        )
        #expect(page.nextPageToken == "TOKEN" && page.unreadable.isEmpty && page.items.count == 2)
        let (photo, video) = (page.items[0], page.items[1])
        #expect(photo.id == "ID1" && photo.filename == "IMG_0042.HEIC" && photo.mimeType == "image/heif")
        #expect(photo.baseURL?.url == "https://lh3.googleusercontent.com/ppa/a" && photo.kind == .photo)
        #expect(photo.creationTime == "2019-07-14T16:03:21Z" && photo.width == 4032 && photo.height == 3024)
        #expect(video.kind == .video(.ready) && video.width == 1920 && video.height == 1080)
        #expect(video.creationTime == "2021-01-02T02:04:05.678Z")
    }

    @Test func oddFieldsCostThemselvesOnlyAndEntriesWithoutAnIdAreCounted() async throws {
        let page = try await page(
            """
            {"mediaItems":[
            {"id":"A","type":"TYPE_UNSPECIFIED","mediaFile":[],"createTime":5},
            {"id":"B","mediaFile":{"filename":"a\\u0000b","mimeType":"video/mp4","baseUrl":"","mediaFileMetadata":{"width":-1}}},
            {"id":"C","mediaFile":{"mediaFileMetadata":{"videoMetadata":{"processingStatus":"PROCESSING"}}}},
            {"id":"D","type":"VIDEO","mediaFile":{"mediaFileMetadata":{"videoMetadata":{"processingStatus":"FAILED"}}}},
            {"id":"E","type":"VIDEO"}, {"id":"F","type":"LIVE","mediaFile":{"mediaFileMetadata":{"photoMetadata":{}}}},
            {"id":"G","type":"VIDEO","mediaFile":{"mediaFileMetadata":{"videoMetadata":{"processingStatus":"UPSCALING"}}}},
            {"id":""}, {"createTime":"2024-05-31T12:00:00Z","type":"PHOTO","mediaFile":{"filename":"no id","mimeType":"image/png",
             "baseUrl":"https://lh3.googleusercontent.com/s","mediaFileMetadata":{"width":8,"height":6}}}, null, 7, {"id":"nul\\u0000"}
            ]}
            """
        )
        #expect(page.items.map(\.id) == ["A", "B", "C", "D", "E", "F", "G"] && page.nextPageToken == nil)
        let known = MediaPage.Unreadable(
            filename: "no id",
            mimeType: "image/png",
            creationTime: "2024-05-31T12:00:00Z",
            width: 8,
            height: 6,
            isVideo: false
        )
        let unknown = MediaPage.Unreadable()
        #expect(page.unreadable == [unknown, known, unknown, unknown, unknown])
        #expect(page.items[0] == MediaItem(id: "A"))
        #expect(
            page.items[1]
                == MediaItem(id: "B", filename: "a\u{FFFD}b", mimeType: "video/mp4", kind: .video(.unspecified))
        )
        let kinds = page.items.dropFirst(2).map(\.kind)
        #expect(
            kinds == [
                .video(.processing), .video(.failed), .video(.unspecified), .photo, .video(.other("UPSCALING")),
            ]
        )
    }

    @Test func listAsksForPagesOf100WithSessionAndTokenEncoded() async throws {
        let (picker, google) = try picker(.json(#"{"nextPageToken":"T"}"#))
        #expect(try await picker.list(session: "S/1&x", pageToken: nil).nextPageToken == "T")
        #expect(try await picker.list(session: "S", pageToken: "a+b/c=&d").items.isEmpty)
        #expect(
            google.requests.map(\.target) == [
                "/v1/mediaItems?sessionId=S%2F1%26x&pageSize=100",
                "/v1/mediaItems?sessionId=S&pageSize=100&pageToken=a%2Bb%2Fc%3D%26d",
            ]
        )
    }

    private enum Call: CaseIterable { case create, session, list, page, delete }

    private static func failing(_ call: Call, _ picker: PickerClient) async -> PhotosError? {
        await failure { () async throws(PhotosError) in
            switch call {
            case .create: _ = try await picker.createSession()
            case .session: _ = try await picker.session("S")
            case .list: _ = try await picker.list(session: "S", pageToken: nil)
            case .page: _ = try await picker.list(session: "S", pageToken: "T")
            case .delete: try await picker.deleteSession("S")
            }
        }
    }

    /// What each call makes of an error of that name; nil: no error.
    private static let meanings: [(Int, String, [PhotosError.Code?])] = [
        (404, "NOT_FOUND", [.rejected(status: 404), .sessionOver, .sessionOver, .sessionOver, nil]),
        (403, "PERMISSION_DENIED", [.insufficientScopes, .sessionOver, .sessionOver, .sessionOver, nil]),
        (
            400, "FAILED_PRECONDITION",
            [.noAccount, .rejected(status: 400), .notPicked, .notPicked, .rejected(status: 400)]
        ),
        (
            400, "INVALID_ARGUMENT",
            [
                .rejected(status: 400), .rejected(status: 400), .rejected(status: 400), .badPageToken,
                .rejected(status: 400),
            ]
        ),
        (429, "RESOURCE_EXHAUSTED", Array(repeating: .quota(retryAfter: nil), count: 5)),
        (401, "UNAUTHENTICATED", Array(repeating: .unauthenticated, count: 5)),
        (500, "INTERNAL", Array(repeating: .unavailable(retryAfter: nil), count: 5)),
        (503, "UNAVAILABLE", Array(repeating: .unavailable(retryAfter: nil), count: 5)),
        // The name decides, not the number.
        (400, "NOT_FOUND", [.rejected(status: 400), .sessionOver, .sessionOver, .sessionOver, nil]),
        (409, "ABORTED", Array(repeating: .unavailable(retryAfter: nil), count: 5)),
    ]

    @Test("Each error of Google's means what the call makes of it", arguments: meanings)
    func refusals(_ status: Int, _ name: String, _ codes: [PhotosError.Code?]) async throws {
        let (picker, google) = try picker(.refusal(status, name, "Something is wrong."))
        for (call, code) in zip(Call.allCases, codes) {
            let error = await Self.failing(call, picker)
            #expect(error?.code == code, "\(call)")
            if let error { #expect(error.message.contains(name) && error.message.contains("Something is wrong")) }
        }
        withExtendedLifetime(google) {}
    }

    @Test(
        "A refusal about the login ends no session, whatever its words",
        arguments: [
            ("Request had insufficient authentication scopes.", "[]"),
            ("Google Photos Picker API has not been used in project 1 before or it is disabled.", "[]"),
            ("No.", #"[{"reason":"SERVICE_DISABLED"}]"#), ("No.", #"[{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]"#),
        ]
    )
    func logins(_ words: String, _ details: String) async throws {
        let (picker, google) = try picker(.refusal(403, "PERMISSION_DENIED", words, details: details))
        for call in Call.allCases {
            let error = await Self.failing(call, picker)
            #expect(error?.code == .insufficientScopes)
            #expect(error?.message.contains("photospicker.mediaitems.readonly") == true)
            #expect(error?.message.contains("coldroll login") == true)
        }
        withExtendedLifetime(google) {}
    }

    @Test("What is not Google's says nothing of a session", arguments: [400, 403, 404, 410, 418])
    func foreignRefusals(_ status: Int) async throws {
        let (picker, google) = try picker(.page(status))
        for call in Call.allCases { #expect(await Self.failing(call, picker)?.code == .malformed) }
        withExtendedLifetime(google) {}
    }

    @Test("Retry-After is obeyed, and a token that is refused is replaced once") func tokens() async throws {
        let google = try ScriptedGoogle { request in
            request.authorization == "Bearer token-1"
                ? .refusal(401, "UNAUTHENTICATED", "Expired.") : .refusal(429, "RESOURCE_EXHAUSTED", "Slow.")
        }
        let picker = PickerClient(try google.client())
        #expect(await Self.failing(.session, picker)?.code == .quota(retryAfter: nil))
        #expect(google.requests.map(\.authorization) == ["Bearer token-1", "Bearer token-2"])
        let patient = try ScriptedGoogle(
            always: .json(
                #"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#,
                status: 429,
                headers: [(name: "Retry-After", value: "7")]
            )
        )
        #expect(await Self.failing(.list, PickerClient(try patient.client()))?.code == .quota(retryAfter: .seconds(7)))
    }
}
