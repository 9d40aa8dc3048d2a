import GoogleAuth
import GooglePhotos
import HTTPClient
import HTTPServer
import Testing

@Suite("What refusals mean", .timeLimit(.minutes(5)))
struct RefusalTests {
    private static let scopes = "Request had insufficient authentication scopes."

    private func listFailure(_ answer: ServerAnswer, token: String? = nil) async throws -> PhotosError {
        let google = try ScriptedGoogle(always: answer)
        let client = try google.client()
        let error = await failure { () async throws(PhotosError) in try await client.list(pageToken: token) }
        #expect(google.requests.count == 1, "callers decide on another try")
        return try #require(error)
    }

    private func getFailure(_ answer: ServerAnswer) async throws -> PhotosError.Code? {
        let google = try ScriptedGoogle(always: answer)
        let client = try google.client()
        return await failure { () async throws(PhotosError) in try await client.get("A") }?.code
    }

    @Test func missingScopesAreExplained() async throws {
        let error = try await listFailure(.refusal(403, "PERMISSION_DENIED", Self.scopes))
        #expect(error.code == .insufficientScopes)
        for word in [
            Self.scopes, "31 March 2025", "photoslibrary.readonly.appcreateddata", "Picker", "Takeout",
            "log in with the scope",
        ] {
            #expect(error.message.contains(word))
        }
        #expect(try await getFailure(.refusal(403, "PERMISSION_DENIED", Self.scopes)) == .insufficientScopes)
        let disabled = "Photos Library API has not been used in project 1 before or it is disabled."
        #expect(try await getFailure(.refusal(403, "PERMISSION_DENIED", disabled)) == .insufficientScopes)
        let reason = #"[{"@type":"x"},null,{"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]"#
        #expect(try await getFailure(.refusal(403, "PERMISSION_DENIED", "no", details: reason)) == .insufficientScopes)
    }

    @Test func aRefusalOfOneItemIsAboutThatItem() async throws {
        #expect(
            try await getFailure(.refusal(403, "PERMISSION_DENIED", "No permission to access this item.")) == .notFound
        )
        #expect(try await getFailure(.refusal(404, "NOT_FOUND", "Requested entity was not found.")) == .notFound)
        #expect(try await getFailure(.refusal(400, "INVALID_ARGUMENT", "Invalid id")) == .rejected(status: 400))
    }

    @Test func aQuotaPausesAsLongAsItSaysAndMayNotSay() async throws {
        let plain = ServerAnswer.refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded")
        #expect(try await listFailure(plain).code == .quota(retryAfter: nil))
        let values: [(String, Int?)] = [("7", 7), ("120", 120), ("99999999999", 86_400), ("soon", nil)]
        for (value, seconds) in values {
            var told = plain
            told.headers.append((name: "Retry-After", value: value))
            #expect(try await listFailure(told).code == .quota(retryAfter: seconds.map { .seconds($0) }))
        }
        #expect(try await listFailure(.page(429)).code == .quota(retryAfter: nil))
        #expect(
            try await listFailure(.refusal(403, "RESOURCE_EXHAUSTED", "Quota")).code == .quota(retryAfter: nil)
        )
    }

    @Test("The service's troubles pass", arguments: [500, 502, 503, 504, 509, 408, 302])
    func unavailable(_ status: Int) async throws {
        #expect(try await listFailure(.page(status)).code == .unavailable(retryAfter: nil))
        let told = ServerAnswer(status, headers: [(name: "Retry-After", value: "3")])
        #expect(try await listFailure(told).code == .unavailable(retryAfter: .seconds(3)))
    }

    @Test func anAnswerThatBreaksOffIsTheNetworksFault() async throws {
        var cut = ServerAnswer.json(#"{"mediaItems":[{"id":"A"}]}"#)
        cut.fault = .cut(after: 10)
        #expect(try await listFailure(cut).code == .unavailable(retryAfter: nil))
        // On a connection of its own: libcurl tries again where a reused one turns out to be closed.
        let google = try ScriptedGoogle(always: ServerAnswer(200, fault: .closeWithoutAnswer))
        let client = try google.client(.anonymous)
        let error = await failure { () async throws(PhotosError) in try await client.list(pageToken: nil) }
        #expect(error?.code == .unavailable(retryAfter: nil) && google.requests.count == 1)
    }

    // A name that never resolves (RFC 6761, section 6.4), and a port that nobody listens on.
    @Test("A server that is not there is unavailable", arguments: ["http://photos.invalid", "http://127.0.0.1:9"])
    func isNotThere(_ endpoint: String) async throws {
        let http = HTTPClient()
        defer { http.shutdown() }
        let client = PhotosClient(http: http, tokens: .anonymous, endpoint: endpoint)
        // Again and again: what failed leaves nothing behind.
        for _ in 0..<3 {
            let error = await failure { () async throws(PhotosError) in try await client.list(pageToken: nil) }
            #expect(error?.code == .unavailable(retryAfter: nil))
        }
    }

    @Test func aBadPageTokenStartsTheListingOver() async throws {
        let answer = ServerAnswer.refusal(400, "INVALID_ARGUMENT", "Invalid page token.")
        #expect(try await listFailure(answer, token: "old").code == .badPageToken)
        #expect(try await listFailure(answer).code == .rejected(status: 400))
        #expect(
            try await listFailure(.refusal(400, "FAILED_PRECONDITION", "no"), token: "old").code
                == .rejected(status: 400)
        )
    }

    @Test func otherRefusalsWillNeverWork() async throws {
        #expect(try await listFailure(.page(403)).code == .rejected(status: 403))
        #expect(try await listFailure(.page(451)).code == .rejected(status: 451))
        #expect(try await listFailure(.json("[1]", status: 400)).code == .rejected(status: 400))
    }

    @Test func a401RefreshesTheTokenOnce() async throws {
        let google = try ScriptedGoogle { request in
            request.authorization == "Bearer token-1" ? .refusal(401, "UNAUTHENTICATED", "expired") : .json("{}")
        }
        let client = try google.client()
        _ = try await client.list(pageToken: nil)
        _ = try await client.list(pageToken: nil)
        #expect(google.requests.map(\.authorization) == ["Bearer token-1", "Bearer token-2", "Bearer token-2"])
        #expect(google.tokens == 2)
    }

    @Test func a401ForAFreshTokenToo() async throws {
        let google = try ScriptedGoogle(always: .refusal(401, "UNAUTHENTICATED", "no"))
        let client = try google.client()
        #expect(
            await failure { () async throws(PhotosError) in try await client.list(pageToken: nil) }?.code
                == .unauthenticated
        )
        #expect(google.requests.map(\.authorization) == ["Bearer token-1", "Bearer token-2"])
    }

    @Test func noTokenMeansNoRequest() async throws {
        let google = try ScriptedGoogle(always: .json("{}"))
        let http = HTTPClient()
        defer { http.shutdown() }
        let login = #"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#
        let tokens = try TokenSource.json(
            Array(login.utf8),
            named: "a login",
            scope: "",
            tokenEndpoint: "http://127.0.0.1:9",
            http: http
        )
        let client = try google.client(tokens)
        let error = await failure { () async throws(PhotosError) in try await client.list(pageToken: nil) }
        #expect(error?.code == .auth(.unavailable))
        #expect(google.requests.isEmpty)
    }

    @Test func aServersWordsAreCutToWhatIsFitToPrint() async throws {
        let words =
            #"see https:\/\/lh3.googleusercontent.com\/lr\/SECRET?x=SECRET ya29.SECRET\u001b[31m\u202e"#
            + " " + String(repeating: "Z", count: 100) + String(repeating: " word", count: 500)
        let error = try await listFailure(.refusal(400, "INVALID_ARGUMENT", words))
        #expect(error.message.contains("see https://lh3.googleusercontent.com/… …"))
        #expect(!error.message.contains("SECRET") && !error.message.contains("ZZZZ"))
        #expect(error.message.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
        #expect(error.message.count < 500)
    }
}
