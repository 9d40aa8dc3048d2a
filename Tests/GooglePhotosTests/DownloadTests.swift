import GoogleAuth
import GooglePhotos
import HTTPClient
import HTTPServer
import Testing

@Suite("Downloading renditions", .timeLimit(.minutes(5)))
struct DownloadTests {
    private static let photo = ServerAnswer(
        200,
        headers: [(name: "Content-Type", value: "image/jpeg")],
        body: .bytes(Array("photo".utf8))
    )

    private func failure(of google: ScriptedGoogle, _ url: String? = nil) async throws -> PhotosError {
        let client = try google.client()
        let buffer = try await google.buffer()
        let base = BaseURL(url ?? google.origin + "/lr/SECRET")
        let error = await GooglePhotosTests.failure { () async throws(PhotosError) in
            try await client.download(base, .still, into: buffer)
        }
        // Whoever waits for the body learns that none comes.
        await #expect(throws: HTTPError.self) { try await buffer.waitForEnd() }
        let problem = try #require(error)
        #expect(!problem.message.contains("SECRET"))
        return problem
    }

    @Test(
        "The suffix says which bytes",
        arguments: [
            ("/lr/AbC", Rendition.still, "/lr/AbC=d"), ("/lr/AbC", .video, "/lr/AbC=dv"),
            ("/lr/AbC=w100-h200-c", .still, "/lr/AbC=d"),
            ("/lr/AbC=dv", .still, "/lr/AbC=d"), ("/lr/AbC=", .still, "/lr/AbC==d"),
            ("/lr/AbC=X9", .still, "/lr/AbC=X9=d"),
            ("/a=b/c", .video, "/a=b/c=dv"), ("/lr/A?authuser=0", .still, "/lr/A=d?authuser=0"),
            ("/lr/A=s0?k=v#f", .still, "/lr/A=d?k=v"),
        ]
    )
    func suffixes(_ path: String, _ rendition: Rendition, _ target: String) async throws {
        let google = try ScriptedGoogle(always: Self.photo)
        let client = try google.client()
        let buffer = try await google.buffer()
        let head = try await client.download(BaseURL(google.origin + path), rendition, into: buffer)
        try await buffer.waitForEnd()
        #expect(head.status == 200 && head.header("content-type") == "image/jpeg")
        #expect(buffer.take(100) == Array("photo".utf8))
        #expect(google.requests.map(\.target) == [target])
        #expect(google.requests.map(\.authorization) == ["Bearer token-1"])
        #expect(client.requestCounts == (api: 0, media: 1))
    }

    @Test("Redirects are followed without the token", arguments: [301, 302, 303, 307, 308])
    func redirects(_ status: Int) async throws {
        let other = try ScriptedGoogle(always: Self.photo)
        let place = other.origin + "/videos/x"
        let google = try ScriptedGoogle { request in
            request.target == "/lr/a=dv" ? .redirect(status, to: "../next?a=b") : .redirect(status, to: place)
        }
        let client = try google.client()
        let buffer = try await google.buffer()
        _ = try await client.download(BaseURL(google.origin + "/lr/a"), .video, into: buffer)
        try await buffer.waitForEnd()
        #expect(buffer.take(100) == Array("photo".utf8))
        #expect(google.requests.map(\.authorization) == ["Bearer token-1", nil])
        #expect(google.requests.last?.target == "/next?a=b")
        #expect(other.requests.map(\.authorization) == [nil])
        #expect(client.requestCounts == (api: 0, media: 3))
    }

    @Test func aCircleOfRedirectsEnds() async throws {
        let google = try ScriptedGoogle(always: .redirect(302, to: "/again"))
        #expect(try await failure(of: google).code == .malformed)
        #expect(google.requests.count == 6)
    }

    @Test(
        "A redirect that leads nowhere is malformed",
        arguments: ["", "http://", "ftp://127.0.0.1/x", "mailto:x", "http://a b/"]
    )
    func badLocations(_ location: String) async throws {
        let google = try ScriptedGoogle(always: .redirect(302, to: location))
        let code = try await failure(of: google).code
        #expect(code == .malformed || code == .foreignHost)
        #expect(google.requests.count <= 6 && google.requests.dropFirst().allSatisfy { $0.authorization == nil })
    }

    @Test(
        "Nothing is sent to hosts that are not Google's",
        arguments: [
            "https://example.com/x", "http://lh3.googleusercontent.com/x",
            "http://lh3.googleusercontent.com:443/x", "https://lh3.googleusercontent.com:8443/x",
            "https://googleusercontent.com.example.com/x", "https://evilgoogleusercontent.com/x",
            "https://lh3.googleusercontent.com./x",
            "https://1.2.3.4.bc.googleusercontent.com/x", "https://lh3.googleusercontent.com@example.com/x",
            "https://example.com\\@lh3.googleusercontent.com/x", "http://10.0.0.1/x", "http://127.0.0.1.example.com/x",
            "", "x",
            "file:///etc/passwd", "http://[::2]/x", "https://user:pw@lh3.google.com/", "http://127.0.0.256/x",
            "https://lh3。google.com/", "https://lh3.googleusercontent.com%2eexample.com/x",
            "https://xn--lh3-google.com/x",
            "https://gοοgle.com/x", "https://2130706433/x", "https://0x7f.1/x",
            "https://127.1/x", "https://[::ffff:127.0.0.1]:443/x", "https://[fe80::1%25eth0]/x",
            "https://169.254.169.254/computeMetadata/v1/", "http://metadata.google.internal/computeMetadata/v1/",
            "https://a.b.notebooks.googleusercontent.com/x", "https://x.lh3.googleusercontent.com/x",
            "https://googleusercontent.com/x", "https://google.com/x", "https://.google.com/x",
            "https://lh3.google.com:/x",
            "https://lh3.google.com:65536/x", "https://lh3.google.com:+443/x", "https:lh3.google.com/x",
            "https://storage.googleapis.com/anybodys-bucket/x", "https://example.com/https://lh3.google.com/x",
            "https://example.com#.google.com/", "https://example.com?.google.com/", "//example.com/x",
        ]
    )
    func foreignHosts(_ url: String) async throws {
        let google = try ScriptedGoogle(always: .redirect(302, to: url))
        #expect(try await failure(of: google, url).code == .foreignHost)
        #expect(google.requests.isEmpty)
        // As a Location it may also be a path on the host that sent it, which is no other host.
        if url.contains("://"), !url.contains("\\") {
            let code = try await failure(of: google).code
            #expect(code == .foreignHost || code == .malformed)
            #expect(google.requests.count == 1)
        }
    }

    @Test(
        "A redirect to a good host does not open the way to a bad one",
        arguments: [
            "https://example.com/x", "//example.com/x", "/\\example.com/x", "https://lh3.google.com@example.com/x",
        ]
    )
    func chains(_ last: String) async throws {
        let other = try ScriptedGoogle(always: .redirect(302, to: last))
        let place = other.origin + "/second"
        let google = try ScriptedGoogle { request in
            request.target == "/lr/SECRET=d" ? .redirect(302, to: "/first") : .redirect(302, to: place)
        }
        let error = try await failure(of: google)
        // A path stays where it is, whatever slashes it has, and so goes in a circle.
        #expect(error.code == .foreignHost || (error.code == .malformed && !last.contains("//example")))
        #expect(google.requests.count == 2)
        #expect(other.requests.count == (last.hasPrefix("/\\") ? 4 : 1))
        #expect(other.requests.allSatisfy { $0.authorization == nil })
    }

    @Test("A line break in a redirect is no second field", arguments: ["%0d%0aX-Evil:%201", "\tX-Evil: 1", "é"])
    func lineBreaks(_ tail: String) async throws {
        let google = try ScriptedGoogle { request in
            request.target == "/lr/a=d" ? .redirect(302, to: "/next" + tail) : Self.photo
        }
        let buffer = try await google.buffer()
        _ = try await google.client().download(BaseURL(google.origin + "/lr/a"), .still, into: buffer)
        try await buffer.waitForEnd()
        #expect(google.requests.count == 2)
        #expect(google.requests.allSatisfy { $0.target.utf8.allSatisfy { $0 > 32 } || $0.target.hasPrefix("/next") })
    }

    @Test(
        "Loopback is for loopback endpoints only",
        arguments: [
            "https://photoslibrary.googleapis.com", "https://lh3.googleusercontent.com", "http://192.0.2.1:80", "x",
        ]
    )
    func loopback(_ endpoint: String) async throws {
        let google = try ScriptedGoogle(always: Self.photo)
        let http = HTTPClient()
        defer { http.shutdown() }
        let client = PhotosClient(http: http, tokens: .anonymous, endpoint: endpoint)
        let buffer = try await google.buffer()
        let error = await GooglePhotosTests.failure { () async throws(PhotosError) in
            try await client.download(BaseURL(google.origin + "/lr/a"), .still, into: buffer)
        }
        #expect(error?.code == .foreignHost)
        #expect(google.requests.isEmpty)
        for url in ["https://[::1]/x", "https://localhost/x", "https://127.0.0.1:443/x", "http://[::1]:80/x"] {
            let buffer = try await google.buffer()
            let error = await GooglePhotosTests.failure { () async throws(PhotosError) in
                try await client.download(BaseURL(url), .still, into: buffer)
            }
            #expect(error?.code == .foreignHost, "\(url)")
        }
    }

    @Test func aLoginPageMeansThatTheBaseURLIsOver() async throws {
        let google = try ScriptedGoogle(
            always: .redirect(302, to: "https://accounts.google.com/ServiceLogin?continue=x")
        )
        #expect(try await failure(of: google).code == .baseURLExpired)
    }

    @Test(
        "Each status has its meaning",
        arguments: [
            (403, PhotosError.Code.baseURLExpired), (404, .notFound), (410, .notFound), (400, .rejected(status: 400)),
            (429, .quota(retryAfter: nil)), (500, .unavailable(retryAfter: nil)),
            (503, .unavailable(retryAfter: nil)),
            (206, .malformed), (204, .malformed), (304, .unavailable(retryAfter: nil)),
        ]
    )
    func statuses(_ status: Int, _ code: PhotosError.Code) async throws {
        let answer = status == 204 || status == 304 ? ServerAnswer(status) : .page(status)
        #expect(try await failure(of: try ScriptedGoogle(always: answer)).code == code)
    }

    @Test func aPageWith200IsNotJudgedHere() async throws {
        let google = try ScriptedGoogle(always: .page(200))
        let buffer = try await google.buffer()
        let head = try await google.client().download(BaseURL(google.origin + "/lr/a"), .still, into: buffer)
        #expect(head.status == 200)
    }

    @Test func a401RefreshesTheTokenOnceAndGoesOnWithTheSameBuffer() async throws {
        let google = try ScriptedGoogle { request in
            request.authorization == "Bearer token-1" ? .page(401) : Self.photo
        }
        let buffer = try await google.buffer()
        _ = try await google.client().download(BaseURL(google.origin + "/lr/a"), .still, into: buffer)
        try await buffer.waitForEnd()
        #expect(buffer.received == 5)
        #expect(google.requests.map(\.authorization) == ["Bearer token-1", "Bearer token-2"])
        #expect(try await failure(of: try ScriptedGoogle(always: .page(401))).code == .unauthenticated)
        let other = try ScriptedGoogle(always: .page(401))
        let place = other.origin
        #expect(try await failure(of: try ScriptedGoogle(always: .redirect(302, to: place))).code == .baseURLExpired)
    }

    @Test func aBodyThatBreaksOffFailsTheBuffer() async throws {
        var cut = Self.photo
        cut.fault = .cut(after: 3)
        let google = try ScriptedGoogle(always: cut)
        let client = try google.client()
        let buffer = try await google.buffer()
        _ = await GooglePhotosTests.failure { () async throws(PhotosError) in
            try await client.download(BaseURL(google.origin + "/lr/a"), .still, into: buffer)
        }
        let error = await #expect(throws: HTTPError.self) { try await buffer.waitForEnd() }
        #expect(error?.code == .cut)
    }

    @Test func aConnectionThatBreaksIsTheNetworksFault() async throws {
        let google = try ScriptedGoogle(always: ServerAnswer(200, fault: .reset))
        #expect(try await failure(of: google).code == .unavailable(retryAfter: nil))
    }

    @Test func aCancelledTaskStopsWaitingForTheHead() async throws {
        let (arrivals, arrived) = AsyncStream<Void>.makeStream()
        let google = try ScriptedGoogle { _ in
            arrived.yield()
            return ServerAnswer(200, delaySeconds: 300)
        }
        let client = try google.client()
        let buffer = try await google.buffer()
        let base = BaseURL(google.origin + "/lr/a")
        let task = Task {
            await GooglePhotosTests.failure { () async throws(PhotosError) in
                try await client.download(base, .still, into: buffer)
            }
        }
        for await _ in arrivals { break }
        task.cancel()
        #expect(await task.value?.code == .transport(.cancelled))
    }
}
