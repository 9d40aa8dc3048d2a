import GoogleAuth
import GooglePhotos
import JobQueue

/// The Library API: all that this OAuth client uploaded.
struct LibrarySource: ItemSource {
    let photos: PhotosClient

    var kind: String { "library" }
    var batch: Int { PhotosClient.batchLimit }

    func listing(for scan: Scan, _ ticket: ScanTicket) -> any Listing {
        LibraryListing(photos: photos, since: scan.since, until: scan.until)
    }

    func again(_ scan: Scan) -> (any Listing)? {
        LibraryListing(photos: photos, since: scan.since, until: scan.until)
    }

    func isFinal(_ error: PhotosError) -> Bool {
        switch error.code {
        case .insufficientScopes, .unauthenticated, .rejected, .foreignHost: true
        case .auth(let code): code != .unavailable && code != .untrusted
        default: false
        }
    }

    func items(_ ids: [String]) async throws -> [MediaItem] {
        try await photos.batchGet(ids).compactMap { try? $0.get() }
    }

    func item(_ id: String) async throws -> MediaItem { try await photos.get(id) }

    func probe() async throws(PhotosError) { try await photos.probeLibrary() }

    func settle() -> Bool { false }
}

/// All of it, or what was taken on some days.
private struct LibraryListing: Listing {
    let photos: PhotosClient
    let since: String?
    let until: String?

    // A search comes with the oldest first.
    var growsAtFront: Bool { since == nil && until == nil }
    var isShownOnce: Bool { false }

    func place(_ token: String?) -> PickPlace? { nil }

    func page(_ token: String?) async throws(PhotosError) -> MediaPage {
        guard since == nil, until == nil else {
            return try await photos.search(since: since, until: until, pageToken: token)
        }
        return try await photos.list(pageToken: token)
    }
}
