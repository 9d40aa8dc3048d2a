import GooglePhotos
import Synchronization

/// Items with base URLs that are still young, in memory only.
///
/// Google's base URLs live 60 minutes, some died after 30 to 40 (issuetracker 165028980): one is used up to 45.
final class BaseURLCache: Sendable {
    static let youngerThan = Duration.seconds(45 * 60)
    /// Entries at which pages of a scan are passed over, about a KiB each: a scan may run that far ahead of its workers.
    static let limit = 20_000

    private struct State {
        var items: [String: MediaItem] = [:]
        var lastCleaned: ContinuousClock.Instant?
    }
    private let state = Mutex(State())

    /// Keeps items that came with a base URL.
    ///
    /// - Parameters:
    ///   - found: items of a page or a batch.
    ///   - isWanted: whether jobs of this process wait for them; they are kept even beyond the limit, since each would be
    ///     asked for once more.
    func offer(_ found: [MediaItem], isWanted: Bool = false) {
        state.withLock { state in
            if state.items.count >= Self.limit { clean(&state) }
            for item in found where item.baseURL != nil {
                if !isWanted, state.items.count >= Self.limit, state.items[item.id] == nil { break }
                state.items[item.id] = item
            }
        }
    }

    /// Drops what is too old, at most once a minute: it reads all entries.
    private func clean(_ state: inout State) {
        if let last = state.lastCleaned, last.duration(to: .now) < .seconds(60) { return }
        state.items = state.items.filter { $0.value.baseURL.map(Self.isYoung) ?? false }
        state.lastCleaned = .now
    }

    private static func isYoung(_ url: BaseURL) -> Bool { url.received.duration(to: .now) < youngerThan }

    /// The item, if its base URL is young enough; old ones are dropped.
    func item(_ id: String) -> MediaItem? {
        state.withLock { state in
            guard let item = state.items[id], let url = item.baseURL else { return nil }
            guard Self.isYoung(url) else {
                state.items[id] = nil
                return nil
            }
            return item
        }
    }

    /// Forgets an item: its URL was refused, or it is done.
    func forget(_ id: String) {
        state.withLock { $0.items[id] = nil }
    }
}
