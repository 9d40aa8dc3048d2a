import Checksums
import GoogleAuth
import GooglePhotos
import GoogleSimulator
import HTTPClient
import Testing

/// A simulated Google with a made-up library, and a client that is logged in there.
private final class Google {
    let simulator: Simulator
    let http = HTTPClient()
    let client: PhotosClient

    init(
        _ count: Int,
        sizes: ClosedRange<Int64> = 5000...9000,
        _ configure: (inout SimulatorConfiguration) -> Void = { _ in }
    )
        throws
    {
        var configuration = SimulatorConfiguration()
        configuration.synthesis = SynthesisOptions(count: count, sizes: sizes, videoPercent: 20)
        configure(&configuration)
        simulator = try .start(configuration)
        let tokens = try TokenSource.file(
            simulator.photosCredentialsFile,
            scope: "",
            tokenEndpoint: simulator.url,
            http: http
        )
        client = PhotosClient(http: http, tokens: tokens, endpoint: simulator.url)
    }

    deinit {
        http.shutdown()
        simulator.stop()
    }

    /// All pages of a listing, each item once.
    func all(_ page: (String?) async throws -> MediaPage) async throws -> [MediaItem] {
        var items: [MediaItem] = []
        var seen = Set<String>()
        var token: String?
        repeat {
            let next = try await page(token)
            items += next.items.filter { seen.insert($0.id).inserted }
            token = next.nextPageToken
        } while token != nil
        return items
    }

    func list() async throws -> [MediaItem] {
        try await all { token in try await client.list(pageToken: token) }
    }
}

@Suite("Against a simulated Google", .timeLimit(.minutes(5)))
struct SimulatorTests {
    @Test("Every item of a library comes by, whatever its pages look like", arguments: [[], Quirk.allCases])
    func listing(_ quirks: [Quirk]) async throws {
        let google = try Google(730) { $0.quirks = Set(quirks).subtracting([.pageTokenExpiry]) }
        let items = try await google.list()
        let library = try google.simulator.library
        #expect(Set(items.map(\.id)) == Set(library.map(\.id)))
        #expect(items.count == 730)
        let entries = Dictionary(uniqueKeysWithValues: library.map { ($0.id, $0) })
        for item in items {
            let entry = try #require(entries[item.id])
            #expect(item.filename == nil || item.filename == entry.filename)
            #expect(item.width == nil || item.width == entry.width)
            #expect(item.creationTime == nil || item.creationTime == entry.creationTime)
            #expect(item.kind == (entry.kind == "photo" ? .photo : .video(.ready)))
        }
    }

    @Test func searchFindsTheItemsOfItsDays() async throws {
        let google = try Google(300)
        let items = try await google.all { token in
            try await google.client.search(since: "2016-02-01", until: "2020-06-30", pageToken: token)
        }
        let expected = try google.simulator.library.filter {
            ("2016-02-01"..<"2020-07-01").contains($0.creationTime)
        }
        #expect(items.map(\.id) == expected.map(\.id).reversed(), "oldest first")
        #expect(!items.isEmpty && items.count < 300)
        let late = try await google.all { token in
            try await google.client.search(since: "2023-01-01", until: nil, pageToken: token)
        }
        #expect(late.count == (try google.simulator.library.filter { $0.creationTime >= "2023" }.count))
    }

    @Test func aBatchAnswersEachIdAndABadOneFailsItWhole() async throws {
        let google = try Google(60) { $0.quirks = [.badID, .emptyResults] }
        let library = try google.simulator.library
        let good = library.filter { !$0.isBad }.map(\.id)
        let results = try await google.client.batchGet(Array(good.prefix(49)) + ["unknown"])
        let missing = results.indices.filter { (try? results[$0].get()) == nil }
        #expect(results.count == 50 && missing.count == 2 && missing.last == 49)
        #expect(throws: PhotosError.self) { try results[49].get() }
        for (result, id) in zip(results, good) {
            if case .success(let item) = result { #expect(item.id == id && item.baseURL != nil) }
        }
        let bad = try #require(library.first { $0.isBad }).id
        let error = await failure { () async throws(PhotosError) in try await google.client.batchGet([good[0], bad]) }
        #expect(error?.code == .unavailable(retryAfter: nil))
        #expect(try await google.client.get(good[0]).id == good[0])
        #expect(
            await failure { () async throws(PhotosError) in try await google.client.get("unknown") }?.code == .notFound
        )
    }

    @Test func renditionsArriveByteForByteAndRedirectsSeeNoToken() async throws {
        let google = try Google(20, sizes: 100_000...600_000)
        let entries = Dictionary(uniqueKeysWithValues: try google.simulator.library.map { ($0.id, $0) })
        for item in try await google.list() {
            let entry = try #require(entries[item.id])
            let isVideo = entry.kind == "video"
            let expected = try #require(isVideo ? entry.video : entry.download)
            let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 1 << 20), allowance: 1 << 20)
            let head = try await google.client.download(
                try #require(item.baseURL),
                isVideo ? .video : .still,
                into: buffer
            )
            try await buffer.waitForEnd()
            #expect(buffer.received == expected.size && buffer.crc32c.value == expected.crc32c)
            #expect(head.contentLength == expected.size)
        }
        #expect(google.simulator.counters.redirectAuthorizations == 0)
    }

    @Test func expiredBaseURLsAndTokensAreToldApart() async throws {
        let google = try Google(3)
        let old = try #require(try await google.list().first)
        google.simulator.expireTokens()
        google.simulator.expireBaseURLs()
        let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 1 << 20), allowance: 1 << 20)
        let base = try #require(old.baseURL)
        let error = await failure { () async throws(PhotosError) in
            try await google.client.download(base, .still, into: buffer)
        }
        #expect(error?.code == .baseURLExpired)
        #expect(try await google.client.get(old.id).baseURL != nil, "with a fresh token")
    }

    @Test func aLoginWithARemovedScopeIsExplained() async throws {
        let google = try Google(3) { $0.hasRemovedScopes = true }
        let error = await failure { () async throws(PhotosError) in try await google.client.list(pageToken: nil) }
        #expect(error?.code == .insufficientScopes)
        let single = await failure { () async throws(PhotosError) in try await google.client.get("x") }
        #expect(single?.code == .insufficientScopes)
    }

    @Test func aTokenOfAnotherListingIsABadPageToken() async throws {
        let google = try Google(150)
        let token = try await google.client.list(pageToken: nil).nextPageToken
        let error = await failure { () async throws(PhotosError) in
            try await google.client.search(since: "2000-01-01", until: nil, pageToken: token)
        }
        #expect(token != nil && error?.code == .badPageToken)
    }

    @Test func aQuotaSaysHowLong() async throws {
        let google = try Google(3)
        var rule = FaultRule(on: "*", .status)
        rule.status = 429
        rule.retryAfter = 45
        let item = try #require(try await google.list().first)
        google.simulator.setFaults([rule])
        let error = await failure { () async throws(PhotosError) in try await google.client.list(pageToken: nil) }
        #expect(error?.code == .quota(retryAfter: .seconds(45)))
        let buffer = try await BodyBuffer(budget: ByteBudget(bytes: 1 << 20), allowance: 1 << 20)
        let base = try #require(item.baseURL)
        let media = await failure { () async throws(PhotosError) in
            try await google.client.download(base, .still, into: buffer)
        }
        #expect(media?.code == .quota(retryAfter: .seconds(45)))
    }
}
