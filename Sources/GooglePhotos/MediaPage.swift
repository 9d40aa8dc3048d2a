/// One page of a listing.
package struct MediaPage: Sendable, Equatable {
    /// An entry without an id that could be kept: nothing can be asked for by it.
    ///
    /// All that the listing says of it, so that it is known again in the next one; without the base URL, which is a secret
    /// and another one each time.
    package struct Unreadable: Sendable, Hashable {
        /// As Google has it, for a person to look for; nil if the entry has none.
        package var filename: String?
        package var mimeType: String?
        /// As `MediaItem.creationTime`.
        package var creationTime: String?
        /// Pixels of the original; nil unless positive.
        package var width: Int64?, height: Int64?
        /// Nil if nothing shows it.
        package var isVideo: Bool?
        /// Its page in Google Photos.
        package var productURL: String?

        package init(
            filename: String? = nil,
            mimeType: String? = nil,
            creationTime: String? = nil,
            width: Int64? = nil,
            height: Int64? = nil,
            isVideo: Bool? = nil,
            productURL: String? = nil
        ) {
            self.filename = filename
            self.mimeType = mimeType
            self.creationTime = creationTime
            self.width = width
            self.height = height
            self.isVideo = isVideo
            self.productURL = productURL
        }
    }

    /// In the order of the answer; an id may come twice, on one page or on two.
    package let items: [MediaItem]
    /// Entries without an id, which cannot be archived; the scan counts and reports them.
    package let unreadable: [Unreadable]
    /// Nil means last page; items may be empty while there is a token.
    package let nextPageToken: String?

    package init(items: [MediaItem], unreadable: [Unreadable], nextPageToken: String?) {
        self.items = items
        self.unreadable = unreadable
        self.nextPageToken = nextPageToken
    }

    /// This page and a second answer to the same request as one: every item of either.
    ///
    /// An entry counts as unreadable unless the other answer shows that it has an id: as many as both have, and as many as
    /// the longer answer has more entries than there are items. Those that both name come first, then what the second one
    /// alone names. The second answer's token goes on, if it has one; but that of an answer without entries leads on behind what
    /// it should have had, and is second to one that came with some.
    package func joined(with second: MediaPage) -> MediaPage {
        var ids = Set(items.map(\.id))
        let mine = ids.count
        let union = items + second.items.filter { ids.insert($0.id).inserted }
        let entries = max(mine + unreadable.count, Set(second.items.map(\.id)).count + second.unreadable.count)
        let left = max(min(unreadable.count, second.unreadable.count), entries - ids.count)
        return MediaPage(
            items: union,
            unreadable: Array(named(with: second).prefix(max(0, left))),
            nextPageToken: second.isEmpty && !isEmpty
                ? nextPageToken ?? second.nextPageToken : second.nextPageToken ?? nextPageToken
        )
    }

    /// Whether it has no entry of any kind.
    package var isEmpty: Bool { items.isEmpty && unreadable.isEmpty }

    /// Entries without an id, in the order in which they are believed.
    private func named(with second: MediaPage) -> [Unreadable] {
        var single: [Unreadable: Int] = [:]
        for entry in unreadable { single[entry, default: 0] += 1 }
        func take(_ entry: Unreadable) -> Bool {
            guard let count = single[entry], count > 0 else { return false }
            single[entry] = count - 1
            return true
        }
        var both: [Unreadable] = [], later: [Unreadable] = []
        for entry in second.unreadable {
            if take(entry) { both.append(entry) } else { later.append(entry) }
        }
        return both + later + unreadable.filter(take)
    }
}
