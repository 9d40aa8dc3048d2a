import Synchronization

/// How far a scan has come, as its holder counts it: the pages that the database has confirmed.
///
/// A page is recorded only behind all of them: the database may have forgotten what it confirmed.
final class ScanPosition: Sendable, Equatable {
    private let count: Atomic<Int64>
    /// Pages in a row that held nothing known.
    private let newPages = Atomic<Int64>(0)
    /// So many of them that the next one is thought to hold nothing known either.
    private let enough = Atomic<Int64>(5)

    init(_ pages: Int64) { count = Atomic(pages) }

    var pages: Int64 {
        get { count.load(ordering: .sequentiallyConsistent) }
        set { count.store(newValue, ordering: .sequentiallyConsistent) }
    }

    func recorded(pages: Int64, isAllNew: Bool) {
        self.pages = pages
        if isAllNew {
            newPages.wrappingAdd(1, ordering: .relaxed)
        } else {
            newPages.store(0, ordering: .relaxed)
        }
    }

    /// Whether the next page is worth a try without looking anything up: a first import is, and where new and known photos
    /// take turns a try that fails would cost more than those that succeed save.
    var expectsNew: Bool { newPages.load(ordering: .relaxed) >= enough.load(ordering: .relaxed) }

    /// A try failed: twice as many pages in a row are needed for the next one.
    func wasWrong() {
        newPages.store(0, ordering: .relaxed)
        enough.store(enough.load(ordering: .relaxed) * 2, ordering: .relaxed)
    }

    static func == (a: ScanPosition, b: ScanPosition) -> Bool { a.pages == b.pages }
}
