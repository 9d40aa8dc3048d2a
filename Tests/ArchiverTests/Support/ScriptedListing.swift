import GooglePhotos
import JobQueue
import Synchronization

@testable import Archiver

/// A listing whose answers are given, by what they are asked for with; the last of each is given again.
final class ScriptedListing: Listing {
    private let answers: [String?: [MediaPage]]
    private let asked = Mutex<[String?]>([])

    init(_ answers: [String?: [MediaPage]]) { self.answers = answers }

    var growsAtFront: Bool { true }
    var isShownOnce: Bool { false }
    func place(_ token: String?) -> PickPlace? { nil }

    /// What was asked for, in this order.
    var requests: [String?] { asked.withLock { $0 } }

    func page(_ token: String?) throws(PhotosError) -> MediaPage {
        let number = asked.withLock { asked in
            asked.append(token)
            return asked.count { $0 == token }
        }
        guard let pages = answers[token], let last = pages.last else {
            throw PhotosError(code: .badPageToken, message: "There is no such page.")
        }
        return number <= pages.count ? pages[number - 1] : last
    }
}

extension MediaPage {
    /// Photos of these names, entries without an id, and what follows.
    static func of(_ ids: [String], unreadable: Int = 0, next: String? = nil) -> MediaPage {
        MediaPage(
            items: ids.map { MediaItem(id: $0, filename: "\($0).jpg", mimeType: "image/jpeg") },
            unreadable: Array(repeating: Unreadable(), count: unreadable),
            nextPageToken: next
        )
    }

    static func ids(_ prefix: String, _ count: Int) -> [String] { (0..<count).map { "\(prefix)\($0)" } }
}
