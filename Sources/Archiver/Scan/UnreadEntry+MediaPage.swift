import Checksums
import GooglePhotos
import JobQueue

extension UnreadEntry {
    /// What the ledger keeps of an entry that has no id.
    init(_ entry: MediaPage.Unreadable) {
        let facts = [
            entry.filename, entry.mimeType, entry.creationTime, entry.width.map(String.init),
            entry.height.map(String.init),
            entry.isVideo.map { $0 ? "video" : "photo" }, entry.productURL,
        ]
        // Each with its length: two entries that differ are never written the same way.
        let text = facts.map { $0.map { "\($0.utf8.count):\($0)" } ?? "-" }.joined(separator: " ")
        self.init(
            identity: facts.allSatisfy { $0 == nil } ? "" : sha256(Array(text.utf8)).hex,
            filename: entry.filename,
            captureTime: entry.creationTime
        )
    }
}

extension MediaPage {
    /// What it has without an id, and how often.
    var unread: [UnreadEntry: Int] {
        Dictionary(unreadable.map { (UnreadEntry($0), 1) }) { $0 + $1 }
    }
}

extension [UInt8] {
    fileprivate var hex: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
