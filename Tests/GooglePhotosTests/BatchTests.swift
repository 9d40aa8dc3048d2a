import GooglePhotos
import HTTPServer
import Testing

@Suite("Fetching items by id", .timeLimit(.minutes(5)))
struct BatchTests {
    private func codes(_ ids: [String], _ json: String) async throws -> [String] {
        let google = try ScriptedGoogle(always: .json(json))
        defer { withExtendedLifetime(google) {} }
        let results = try await google.client().batchGet(ids)
        return results.map { result in
            switch result {
            case .success(let item): "\(item.id) \(item.filename ?? "-")"
            case .failure(let error): "\(error.code)"
            }
        }
    }

    @Test func anEntryAnId() async throws {
        let json = """
            {"mediaItemResults":[{"mediaItem":{"id":"A","filename":"a"}},{"status":{"code":5,"message":"gone"}},
            {"mediaItem":{"id":"C"},"status":{"code":0}},{"status":{"code":"7"}},{"status":{"code":8}},{"status":{"code":14}},
            {"status":{"code":3}},{"status":{"code":16}},{"status":{}},null]}
            """
        #expect(
            try await codes(["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"], json) == [
                "A a", "notFound", "C -", "notFound", "\(PhotosError.Code.quota(retryAfter: nil))",
                "\(PhotosError.Code.unavailable(retryAfter: nil))", "\(PhotosError.Code.rejected(status: 400))",
                "unauthenticated", "malformed", "malformed",
            ]
        )
    }

    @Test func itemsCountByTheirIdNotByTheirPlace() async throws {
        let swapped = #"{"mediaItemResults":[{"mediaItem":{"id":"B"}},{"mediaItem":{"id":"A"}}]}"#
        #expect(try await codes(["A", "B"], swapped) == ["A -", "B -"])
        let wrong = #"{"mediaItemResults":[{"mediaItem":{"id":"A"}},{"mediaItem":{"id":"X"}}]}"#
        #expect(try await codes(["A", "B"], wrong) == ["A -", "malformed"])
        let short = #"{"mediaItemResults":[{"mediaItem":{"id":"B"}}]}"#
        #expect(try await codes(["A", "B"], short) == ["malformed", "B -"])
        #expect(try await codes(["A"], "{}") == ["malformed"])
        #expect(try await codes(["A"], #"{"mediaItemResults":[{"mediaItem":{"filename":"no id"}}]}"#) == ["malformed"])
    }

    @Test func anErrorOutOfPlaceIsNobodys() async throws {
        let shuffled = #"{"mediaItemResults":[{"status":{"code":5}},{"mediaItem":{"id":"A"}}]}"#
        #expect(try await codes(["A", "B"], shuffled) == ["A -", "malformed"])
        let short = #"{"mediaItemResults":[{"status":{"code":5}}]}"#
        #expect(try await codes(["A", "B"], short) == ["malformed", "malformed"])
    }

    @Test func repeatedIdsAreAskedForOnceAndEncoded() async throws {
        let google = try ScriptedGoogle(
            always: .json(#"{"mediaItemResults":[{"mediaItem":{"id":"a/b&c"}},{"status":{"code":5}}]}"#)
        )
        let results = try await google.client().batchGet(["a/b&c", "ü", "a/b&c"])
        #expect(results.map { (try? $0.get())?.id } == ["a/b&c", nil, "a/b&c"])
        #expect(google.requests.map(\.target) == ["/v1/mediaItems:batchGet?mediaItemIds=a%2Fb%26c&mediaItemIds=%C3%BC"])
    }

    @Test func oneBadIdMayFailTheBatchButNotASingleGet() async throws {
        let google = try ScriptedGoogle { request in
            request.target.contains("batchGet") ? .refusal(500, "INTERNAL", "Internal error") : .json(#"{"id":"a b"}"#)
        }
        let client = try google.client()
        #expect(
            await failure { () async throws(PhotosError) in try await client.batchGet(["a b"]) }?.code
                == .unavailable(retryAfter: nil)
        )
        #expect(try await client.get("a b") == MediaItem(id: "a b"))
        #expect(google.requests.last?.target == "/v1/mediaItems/a%20b")
        #expect(await failure { () async throws(PhotosError) in try await client.get("other") }?.code == .malformed)
    }

    @Test func aBaseURLsAgeIsCountedFromBeforeTheRequest() async throws {
        let google = try ScriptedGoogle(
            always: .json(#"{"id":"A","baseUrl":"https://lh3.googleusercontent.com/SECRET"}"#)
        )
        let client = try google.client()
        let before = ContinuousClock.now
        let base = try #require(try await client.get("A").baseURL)
        #expect(base.received >= before && base.received <= .now)
        var dumped = ""
        dump(base, to: &dumped)
        #expect(!"\(base) \(String(reflecting: base)) \(dumped)".contains("SECRET"))
    }
}
