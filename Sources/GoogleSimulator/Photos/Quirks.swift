/// Odd ways of the Library API that users have reported; each can be switched on.
package enum Quirk: String, Sendable, CaseIterable {
    /// Pages without `mediaItems` but with a next token, and a last page that is `{}` (gphotos-sync issues 173 and 179).
    case emptyPages = "empty-pages"
    /// The first item of a page is the last one of the page before (rclone's googlephotos backend skips it).
    case repeatAcrossPages = "repeat-across-pages"
    /// One item in seven lacks a field: file name, type, time, size or base URL (gphotos-sync issue 171).
    case missingFields = "missing-fields"
    /// One item in a hundred, and the second of all, answers 500 and takes its whole batch with it (gphotos-sync issue 33).
    case badID = "bad-id"
    /// One item in a hundred, and the third of all, comes back from batchGet as an empty result.
    case emptyResults = "empty-results"
    /// Page tokens live for half a minute only, unless a lifetime is given.
    case pageTokenExpiry = "page-token-expiry"
}

extension Set<Quirk> {
    /// Whether an item is one that answers 500.
    func isBad(_ reference: Int32) -> Bool { contains(.badID) && ordinal(reference) % 100 == 1 }

    /// Whether batchGet gives nothing for an item.
    func isEmptyResult(_ reference: Int32) -> Bool { contains(.emptyResults) && ordinal(reference) % 100 == 2 }

    /// Which field an item lacks: 0 to 4 (file name, type, creation time, width and height, base URL), nil for none.
    func missingField(_ reference: Int32) -> Int? {
        guard contains(.missingFields), ordinal(reference) % 7 == 3 else { return nil }
        return ordinal(reference) / 7 % 5
    }

    private func ordinal(_ reference: Int32) -> Int { reference < 0 ? Int(-1 - reference) : Int(reference) }
}
