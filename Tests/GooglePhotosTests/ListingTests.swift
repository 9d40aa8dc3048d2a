import GoogleAuth
import GooglePhotos
import HTTPServer
import Testing

@Suite("Listing and searching", .timeLimit(.minutes(5)))
struct ListingTests {
    private func page(_ json: String) async throws -> MediaPage {
        let google = try ScriptedGoogle(always: .json(json))
        defer { withExtendedLifetime(google) {} }
        return try await google.client().list(pageToken: nil)
    }

    @Test func anItemIsReadAsTheReferenceShowsIt() async throws {
        let page = try await page(
            """
            {"mediaItems":[{"id":"A/1","productUrl":"https://photos.google.com/lr/photo/A","baseUrl":"https://lh3.googleusercontent.com/lr/x",
            "mimeType":"image/jpeg","filename":"IMG_0001.JPG","mediaMetadata":{"creationTime":"2024-02-03T10:11:12Z","width":"4032",
            "height":"3024","photo":{"cameraMake":"Apple","focalLength":4.2,"exposureTime":"0.008s"}}}],"nextPageToken":"Ck.."}
            """
        )
        let item = try #require(page.items.first)
        #expect(page.items.count == 1 && page.unreadable.isEmpty && page.nextPageToken == "Ck..")
        #expect(item.id == "A/1" && item.filename == "IMG_0001.JPG" && item.mimeType == "image/jpeg")
        #expect(item.baseURL?.url == "https://lh3.googleusercontent.com/lr/x")
        #expect(item.creationTime == "2024-02-03T10:11:12Z" && item.width == 4032 && item.height == 3024)
        #expect(item.kind == .photo)
    }

    private static let pagesWithoutItems: [(String, String?)] = [
        ("{}", nil), ("{\"nextPageToken\":\"T\"}", "T"), ("{\"mediaItems\":[],\"nextPageToken\":\"\"}", nil),
        ("{\"mediaItems\":null,\"nextPageToken\":null,\"unknown\":{\"deep\":[1,{}]}}", nil),
    ]

    @Test(
        "A page without items is a page",
        arguments: pagesWithoutItems
    )
    func emptyPages(_ json: String, _ token: String?) async throws {
        let page = try await page(json)
        #expect(page.items.isEmpty && page.unreadable.isEmpty && page.nextPageToken == token)
    }

    @Test func oddFieldsCostThemselvesOnlyAndEntriesWithoutAnIdAreCounted() async throws {
        let page = try await page(
            """
            {"mediaItems":[
            {"id":"A","filename":5,"mimeType":null,"baseUrl":"","mediaMetadata":{"width":4032,"height":"x","creationTime":"soon"}},
            {"id":"B","mediaMetadata":[]},
            {"id":""}, {"id":7}, {"filename":"no id"}, null, "text", 3, [], {"id":"nul\\u0000"},
            {"id":"C","filename":"a\\u0000b","mimeType":"video/mp4","mediaMetadata":{"width":-1,"height":1e400}},
            {"id":"D","mediaMetadata":{"width":"0","height":600.0,"video":{"status":"READY","fps":30}}},
            {"id":"D","mediaMetadata":{"video":{}}},
            {"id":"E","mediaMetadata":{"video":{"status":"UPSCALING"}}},
            {"id":"F","mediaMetadata":{"video":{"status":"PROCESSING"}}},
            {"id":"G","mediaMetadata":{"video":{"status":"FAILED"},"photo":null}},
            {"id":"H","mimeType":"IMAGE/heif","mediaMetadata":{"video":null}}
            ]}
            """
        )
        #expect(page.unreadable.map(\.filename) == [nil, nil, "no id", nil, nil, nil, nil, nil])
        #expect(page.items.map(\.id) == ["A", "B", "C", "D", "D", "E", "F", "G", "H"], "duplicates are the caller's")
        #expect(page.items[0] == MediaItem(id: "A", width: 4032))
        #expect(page.items[1] == MediaItem(id: "B"))
        #expect(
            page.items[2]
                == MediaItem(id: "C", filename: "a\u{FFFD}b", mimeType: "video/mp4", kind: .video(.unspecified))
        )
        #expect(page.items[3] == MediaItem(id: "D", height: 600, kind: .video(.ready)))
        let kinds = page.items.dropFirst(4).map(\.kind)
        #expect(
            kinds == [.video(.unspecified), .video(.other("UPSCALING")), .video(.processing), .video(.failed), .photo]
        )
    }

    @Test("All that an entry without an id says is kept but its base URL")
    func factsOfUnreadable() async throws {
        let page = try await page(
            """
            {"mediaItems":[
            {"filename":"a\\u0000.jpg","mimeType":"image/jpeg","baseUrl":"https://lh3.googleusercontent.com/secret",
             "productUrl":"https://photos.google.com/lr/photo/A",
             "mediaMetadata":{"creationTime":"2024-05-31T12:00:00.5Z","width":"4032","height":"3024","photo":{}}},
            {"id":"","mimeType":"video/mp4","filename":"","productUrl":7}, {"baseUrl":"https://lh3.googleusercontent.com/x"}
            ]}
            """
        )
        #expect(
            page.unreadable == [
                MediaPage.Unreadable(
                    filename: "a\u{FFFD}.jpg",
                    mimeType: "image/jpeg",
                    creationTime: "2024-05-31T12:00:00.5Z",
                    width: 4032,
                    height: 3024,
                    isVideo: false,
                    productURL: "https://photos.google.com/lr/photo/A"
                ), MediaPage.Unreadable(mimeType: "video/mp4", isVideo: true), MediaPage.Unreadable(),
            ]
        )
    }

    @Test("Of two answers what neither gives an id is named, then what the second alone names")
    func namesOfJoined() {
        func answer(_ ids: [String], _ names: [String]) -> MediaPage {
            MediaPage(
                items: ids.map { MediaItem(id: $0) },
                unreadable: names.map { MediaPage.Unreadable(filename: $0) },
                nextPageToken: nil
            )
        }
        func names(_ first: MediaPage, _ second: MediaPage) -> [String?] {
            first.joined(with: second).unreadable.map(\.filename)
        }
        #expect(names(answer([], ["a", "b"]), answer(["A"], ["b"])) == ["b"])
        #expect(names(answer(["A"], ["b"]), answer([], ["a", "b"])) == ["b"])
        #expect(names(answer([], ["a", "a", "b"]), answer([], ["b", "a", "a"])) == ["b", "a", "a"])
        #expect(names(answer([], ["a"]), answer([], ["b"])) == ["b"])
        #expect(names(answer([], ["a", "c"]), answer([], ["b", "a"])) == ["a", "b"])
        #expect(names(answer([], ["a", "c"]), answer([], [])) == ["a", "c"])
    }

    @Test(
        "An answer that would lose items is malformed",
        arguments: [
            "", "null", "[]", "<html>captive portal</html>", "{\"mediaItems\":{}}", "{\"mediaItems\":[]",
            "{\"nextPageToken\":5}",
            "{\"mediaItems\":\"A\"}", "{\"kind\":\"photos#page\"}", "{\"error\":null}", "{\"error\":5}",
            "{\"nextPageToken\":\"a\\u0000\"}",
            "{\"x\":" + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}",
            String(repeating: "[", count: 500_000), String(repeating: "{\"a\":", count: 500_000),
        ]
    )
    func malformed(_ json: String) async throws {
        let google = try ScriptedGoogle(always: .json(json))
        let client = try google.client()
        #expect(
            await failure { () async throws(PhotosError) in try await client.list(pageToken: nil) }?.code == .malformed
        )
    }

    @Test(
        "An error is malformed whatever the status and whatever else is there, in Google's words",
        arguments: [
            #"{"error":{"code":500,"message":"Internal error encountered.","status":"INTERNAL"}}"#,
            #"{"mediaItems":[{"id":"A"}],"error":{"message":"Internal error encountered."}}"#,
            #"{"error":"Internal error encountered."}"#,
        ]
    )
    func errorsWith200(_ json: String) async throws {
        let google = try ScriptedGoogle(always: .json(json))
        let client = try google.client()
        let error = await failure { () async throws(PhotosError) in try await client.list(pageToken: nil) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("Internal error encountered.") == true)
    }

    private static func answer(_ ids: [String], unreadable: Int = 0, next: String? = nil) -> MediaPage {
        MediaPage(
            items: ids.map { MediaItem(id: $0) },
            unreadable: (0..<unreadable).map { MediaPage.Unreadable(filename: "\($0).jpg") },
            nextPageToken: next
        )
    }

    private static let pairs: [(MediaPage, MediaPage, MediaPage)] = [
        (answer([]), answer(["a"], next: "T"), answer(["a"], next: "T")),
        (answer(["a", "b"]), answer([]), answer(["a", "b"])),
        (answer(["a", "b"]), answer(["b", "c"], next: "T"), answer(["a", "b", "c"], next: "T")),
        (answer(["a"], next: "T"), answer(["a"]), answer(["a"], next: "T")),
        // What has an id in either answer is no longer unreadable; what only vanished from the second is.
        (answer(["a"], unreadable: 2), answer(["a", "b", "c"]), answer(["a", "b", "c"])),
        (answer(["a"], unreadable: 2), answer(["a", "b"], unreadable: 1), answer(["a", "b"], unreadable: 1)),
        (answer(["a"], unreadable: 1), answer(["a"]), answer(["a"], unreadable: 1)),
        (answer(["a", "a"], unreadable: 1), answer(["a", "b"]), answer(["a", "a", "b"])),
        (answer(["a"], unreadable: 1), answer(["b"], unreadable: 1), answer(["a", "b"], unreadable: 1)),
    ]

    @Test("Two answers to one request are joined so that nothing is lost", arguments: pairs)
    func joinedAnswers(_ first: MediaPage, _ second: MediaPage, _ both: MediaPage) {
        #expect(first.joined(with: second) == both)
    }

    @Test func nestingUpTo64AndBracketsInStringsAreFine() async throws {
        let deep = String(repeating: "[", count: 63) + String(repeating: "]", count: 63)
        let strings = String(repeating: "[{\\\"\\\\", count: 100)
        #expect(try await page("{\"x\":\(deep),\"y\":\"\(strings)\",\"nextPageToken\":\"T\"}").nextPageToken == "T")
    }

    @Test func anAnswerOver16MiBIsMalformed() async throws {
        let google = try ScriptedGoogle(always: .json("{\"x\":\"" + String(repeating: "y", count: 17 << 20) + "\"}"))
        let client = try google.client()
        #expect(
            await failure { () async throws(PhotosError) in try await client.list(pageToken: nil) }?.code == .malformed
        )
    }

    @Test func listAsksForPagesOf100WithTheTokenEncoded() async throws {
        let google = try ScriptedGoogle(always: .json("{}"))
        let client = try google.client()
        _ = try await client.list(pageToken: nil)
        _ = try await client.list(pageToken: "a+b/c=&d e")
        #expect(
            google.requests.map(\.target) == [
                "/v1/mediaItems?pageSize=100", "/v1/mediaItems?pageSize=100&pageToken=a%2Bb%2Fc%3D%26d%20e",
            ]
        )
        #expect(google.requests.allSatisfy { $0.method == "GET" && $0.authorization == "Bearer token-1" })
        #expect(client.requestCounts == (api: 2, media: 0))
    }

    @Test func searchSendsARangeOfWholeDaysWithBothEnds() async throws {
        let google = try ScriptedGoogle(always: .json("{}"))
        let client = try google.client(.anonymous)
        _ = try await client.search(since: "2024-02-29", until: nil, pageToken: nil)
        _ = try await client.search(since: nil, until: "2024-12-31", pageToken: "T")
        let body = { (first: String, last: String, token: String) in
            "{\"filters\":{\"dateFilter\":{\"ranges\":[{\"endDate\":\(last),\"startDate\":\(first)}]},"
                + "\"includeArchivedMedia\":true},\"orderBy\":\"MediaMetadata.creation_time\",\"pageSize\":100\(token)}"
        }
        #expect(
            google.requests.map(\.body) == [
                body(#"{"day":29,"month":2,"year":2024}"#, #"{"day":31,"month":12,"year":9999}"#, ""),
                body(#"{"day":1,"month":1,"year":1}"#, #"{"day":31,"month":12,"year":2024}"#, #","pageToken":"T""#),
            ]
        )
        #expect(google.requests.allSatisfy { $0.method == "POST" && $0.target == "/v1/mediaItems:search" })
        #expect(google.requests.allSatisfy { $0.authorization == nil })
    }

    private static let daysThatAreNone: [(String?, String?)] = [
        ("2023-02-29", nil), ("2024-1-1", nil), (nil, "20240101"), ("2024-13-01", nil), ("0000-01-01", nil),
        ("", nil),
        ("2024-01-01x", nil), ("2024-05-02", "2024-05-01"), ("٢٠٢٤-01-01", nil),
    ]

    @Test(
        "Days that do not exist are refused before anything is sent",
        arguments: daysThatAreNone
    )
    func badDays(_ since: String?, _ until: String?) async throws {
        let google = try ScriptedGoogle(always: .json("{}"))
        let client = try google.client()
        let error = await failure { () async throws(PhotosError) in
            try await client.search(since: since, until: until, pageToken: nil)
        }
        #expect(error?.code == .rejected(status: 400))
        #expect(google.requests.isEmpty)
    }
}
