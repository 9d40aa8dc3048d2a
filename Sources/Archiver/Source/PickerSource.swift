import GooglePhotos
import JobQueue
import Logging
import Postgres

/// The Picker API: what a person picks, at most 2000 items a session.
///
/// An item can be had only through a session that it was picked in, and only while that lives: its page is listed again for
/// a fresh base URL. So the ledger keeps on which page of which session each item was last.
struct PickerSource: ItemSource {
    let client: PickerClient
    let ledger: Ledger
    /// Key of the source in the ledger.
    let source: Int64
    let desk: PickerDesk
    let cache: BaseURLCache
    let logger: Logger
    private let shelf: PageShelf

    init(
        client: PickerClient,
        ledger: Ledger,
        source: Int64,
        desk: PickerDesk,
        cache: BaseURLCache,
        logger: Logger
    ) {
        self.client = client
        self.ledger = ledger
        self.source = source
        self.desk = desk
        self.cache = cache
        self.logger = logger
        shelf = PageShelf(client: client)
    }

    static let kind = "picker"
    var kind: String { Self.kind }
    /// Of a session's pages any number of ids takes at most twenty requests.
    var batch: Int { 1000 }

    /// `settle` looks at the whole session again before it is ended.
    func again(_ scan: Scan) -> (any Listing)? { nil }

    /// A login that lacks something is no end: what was picked waits for the next one.
    func isFinal(_ error: PhotosError) -> Bool { error.code == .sessionOver || error.code == .noAccount }

    func items(_ ids: [String]) async throws -> [MediaItem] {
        let wanted = Set(ids)
        let places = Dictionary(grouping: try await ledger.pickPlaces(source: source, ids), by: \.place)
        guard !places.isEmpty else { throw Self.pickAgain }
        var found: [MediaItem] = []
        for (place, items) in places {
            // One page that cannot be had does not keep the others from coming.
            guard let session = items.first?.session, let page = try? await shelf.page(place, of: session) else {
                continue
            }
            found += page.items.filter { wanted.contains($0.id) }
            cache.offer(page.items)
        }
        guard !found.isEmpty else { throw Self.pickAgain }
        return found
    }

    func item(_ id: String) async throws -> MediaItem {
        // It may have been picked again, in another session, while the one that is known here was asked.
        for _ in 0..<3 {
            guard let picked = try await ledger.pickPlaces(source: source, [id]).first else { break }
            do {
                if let item = try await find(picked) { return item }
                // Given up for good: one answer that lost a page must not be the reason.
                try await Task.sleep(for: Self.pause)
                if let item = try await find(picked) { return item }
                try await ledger.forgetPick(source: source, id, session: picked.place.session)
            } catch let error as PhotosError where error.code == .sessionOver {
                try await confirmEnd(of: picked.session, picked.place.session)
            }
        }
        throw Self.pickAgain
    }

    /// The item from its page, or from another: nobody promises that their order stays; nil if the session has it no more.
    private func find(_ picked: PickedItem) async throws -> MediaItem? {
        do {
            let page = try await shelf.page(picked.place, of: picked.session)
            cache.offer(page.items)
            if let item = page.items.first(where: { $0.id == picked.sourceItem }) { return item }
        } catch let error as PhotosError where error.code == .badPageToken && picked.place.pageToken != nil {
            logger.log(.warning, "page token expired, looking through the session from its first page")
        }
        for page in try await pages(of: picked.session, row: picked.place.session) {
            cache.offer(page.items)
            if let item = page.items.first(where: { $0.id == picked.sourceItem }) { return item }
        }
        return nil
    }

    /// All pages of a session.
    ///
    /// - Throws: `.malformed` for pages that lead in a circle.
    func pages(of session: String, row: Int64) async throws -> [MediaPage] {
        try await allPages { token in try await shelf.page(PickPlace(session: row, pageToken: token), of: session) }
    }

    /// How long after one answer that something is gone for good the next one is asked for, so that both do not show the
    /// same passing fault.
    static let pause = Duration.seconds(2)

    /// Makes sure that a session is over before anything is given up for it, and notes it.
    ///
    /// - Throws: `.unavailable` if it is not.
    func confirmEnd(of session: String, _ row: Int64) async throws {
        try await Task.sleep(for: Self.pause)
        do throws(PhotosError) {
            _ = try await client.session(session)
        } catch {
            guard error.code == .sessionOver else { throw error }
            logger.log(.warning, "a picking session is over", ["session": .integer(row)])
            return try await ledger.endPick(row, .expired)
        }
        throw PhotosError(
            code: .unavailable(retryAfter: nil),
            message: "Google says of one picking session that it is over and that it is not."
        )
    }

    func probe() async throws(PhotosError) { _ = try await client.session("no-session-has-this-id") }

    /// Why an item cannot be had any more, and what to do.
    private static let pickAgain = PhotosError(
        code: .sessionOver,
        message:
            "the picking session that led to it is over, or has it no more. Pick it again: run 'coldroll run --source "
            + "picker'"
    )
}

/// All pages from the first one on, as `page` gives each.
///
/// - Throws: what `page` throws; `.malformed` for pages that lead in a circle.
func allPages(_ page: (_ token: String?) async throws -> MediaPage) async throws -> [MediaPage] {
    var pages: [MediaPage] = []
    var tokens: Set<String> = []
    var token: String?
    repeat {
        let next = try await page(token)
        pages.append(next)
        token = next.nextPageToken
        if let token, !tokens.insert(token).inserted {
            throw PhotosError(code: .malformed, message: "The pages of a picking session lead in a circle.")
        }
    } while token != nil
    return pages
}

/// Lists pages, one request for all who ask for the same page at the same time.
private actor PageShelf {
    private let client: PickerClient
    private var underWay: [PickPlace: Task<MediaPage, any Error>] = [:]

    init(client: PickerClient) { self.client = client }

    func page(_ place: PickPlace, of session: String) async throws -> MediaPage {
        if let task = underWay[place] { return try await task.value }
        let task: Task<MediaPage, any Error> = Task { [client] in
            try await client.list(session: session, pageToken: place.pageToken)
        }
        underWay[place] = task
        defer { underWay[place] = nil }
        return try await task.value
    }
}
