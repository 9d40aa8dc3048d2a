import GooglePhotos
import JobQueue

/// One of Google's ways to its photos: lists items, and finds each again with a fresh base URL.
protocol ItemSource: Sendable {
    /// The word in the ledger.
    var kind: String { get }
    /// Most ids that `items` is to be asked for at once.
    var batch: Int { get }

    /// The pages of one pass; may wait for a person first.
    ///
    /// - Throws: also what `Scan.checkStop` and `Scan.check` throw.
    func listing(for scan: Scan, _ ticket: ScanTicket) async throws -> any Listing

    /// The same pages anew, without waiting for anybody; nil where a pass is not looked at again once it has ended.
    func again(_ scan: Scan) -> (any Listing)?

    /// Whether the same pass will fail with this error again however long one waits.
    func isFinal(_ error: PhotosError) -> Bool

    /// Items with fresh base URLs, as far as they come; some may come that were not asked for.
    ///
    /// - Throws: for all of them, also where nothing could be asked; `item` then tells which one is to blame.
    func items(_ ids: [String]) async throws -> [MediaItem]

    /// One item with a fresh base URL.
    ///
    /// - Throws: `PhotosError`, `.notFound` and `.sessionOver` among its codes; `PostgresError`.
    func item(_ id: String) async throws -> MediaItem

    /// Asks the API for the smallest thing there is: shows whether it answers at all.
    func probe() async throws(PhotosError)

    /// Ends at Google what all is stored of.
    ///
    /// - Returns: whether a listing that had seemed to end goes on, so that it is to be listed again.
    /// - Throws: `PhotosError`, `PostgresError`; it is tried again later.
    func settle() async throws -> Bool
}

/// The pages of one pass over a source.
protocol Listing: Sendable {
    /// Whether items that appear while it lasts come before where it began.
    var growsAtFront: Bool { get }

    /// Whether no later pass shows what this one leaves out: then it is not believed before it was looked through again.
    var isShownOnce: Bool { get }

    /// Through which page of a Picker session the items of a page can be fetched; nil where they need none.
    func place(_ token: String?) -> PickPlace?

    /// A page; `.badPageToken` if the listing must start over.
    func page(_ token: String?) async throws(PhotosError) -> MediaPage
}
