import Synchronization

/// Pages of a scan that the database has confirmed, as its holder counts them.
///
/// A page is recorded only behind all of them: the database may have forgotten what it confirmed.
final class ScanPosition: Sendable, Equatable {
    private let count: Atomic<Int64>

    init(_ pages: Int64) { count = Atomic(pages) }

    var pages: Int64 {
        get { count.load(ordering: .sequentiallyConsistent) }
        set { count.store(newValue, ordering: .sequentiallyConsistent) }
    }

    static func == (a: ScanPosition, b: ScanPosition) -> Bool { a.pages == b.pages }
}
