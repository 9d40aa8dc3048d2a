import GooglePhotos
import JobQueue

/// Finds items with young base URLs: from the pages that a scan saw, in batches, or one by one.
struct ItemResolver: Sendable {
    let source: any ItemSource
    let cache: BaseURLCache
    let health: ServiceHealth

    /// Fills the cache for these jobs.
    ///
    /// Never throws: what is missing afterwards is asked for one by one, by the job
    /// that needs it, where a failure can be told apart.
    func prefetch(_ jobs: [ClaimedJob]) async {
        var wanted: [String] = []
        var seen: Set<String> = []
        // What is stored came from the old base URL, perhaps: a doubt needs another.
        for job in jobs where job.isDoubted { cache.forget(job.sourceItem) }
        for job in jobs where cache.item(job.sourceItem) == nil && seen.insert(job.sourceItem).inserted {
            wanted.append(job.sourceItem)
        }
        for start in stride(from: 0, to: wanted.count, by: source.batch) {
            let ids = Array(wanted[start..<min(start + source.batch, wanted.count)])
            // One bad id can fail a whole batch with a 500 (gphotos-sync issue 33): single gets sort it out.
            let began = ContinuousClock.now
            guard let items = try? await source.items(ids) else { continue }
            health.succeeded(.library, began: began)
            cache.offer(items, isWanted: true)
        }
    }

    /// The item with a base URL that may be used now.
    ///
    /// - Throws: as `ItemSource.item`; `.malformed` for an item without a base URL.
    func item(_ id: String) async throws -> MediaItem {
        if let item = cache.item(id) { return item }
        let began = ContinuousClock.now
        let item = try await source.item(id)
        health.succeeded(.library, began: began)
        guard item.baseURL != nil else {
            throw PhotosError(code: .malformed, message: "Google answered for this item without a base URL.")
        }
        cache.offer([item], isWanted: true)
        return item
    }
}
