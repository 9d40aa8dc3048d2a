import GooglePhotos
import Synchronization

/// Items with base URLs that are still young, in memory only.
///
/// Google's base URLs live 60 minutes, some died after 30 to 40 (issuetracker 165028980): one is used up to 45.
final class BaseURLCache: Sendable {
    static let youngerThan = Duration.seconds(45 * 60)
    /// Entries kept at most, about 500 bytes each; a scan runs ahead of its workers by no more than this.
    static let limit = 20_000
    private let items = Mutex<[String: MediaItem]>([:])

    /// Keeps items that came with a base URL.
    func offer(_ found: [MediaItem]) {
        items.withLock { items in
            for item in found where item.baseURL != nil {
                if items.count >= Self.limit, items[item.id] == nil { break }
                items[item.id] = item
            }
        }
    }

    /// The item, if its base URL is young enough; old ones are dropped.
    func item(_ id: String) -> MediaItem? {
        items.withLock { items in
            guard let item = items[id], let url = item.baseURL else { return nil }
            guard url.received.duration(to: .now) < Self.youngerThan else {
                items[id] = nil
                return nil
            }
            return item
        }
    }

    /// Forgets an item: its URL was refused, or it is done.
    func forget(_ id: String) {
        items.withLock { $0[id] = nil }
    }
}
