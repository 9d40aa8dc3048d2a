/// One page of a listing.
package struct MediaPage: Sendable, Equatable {
    /// An entry without an id that could be kept: nothing can be asked for by it.
    package struct Unreadable: Sendable, Equatable {
        /// As Google has it, for a person to look for; nil if the entry has none.
        package let filename: String?

        package init(filename: String?) {
            self.filename = filename
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
    /// the longer answer has more entries than there are items. The second answer's token goes on, if it has one.
    package func joined(with second: MediaPage) -> MediaPage {
        var ids = Set(items.map(\.id))
        let mine = ids.count
        let union = items + second.items.filter { ids.insert($0.id).inserted }
        let entries = max(mine + unreadable.count, Set(second.items.map(\.id)).count + second.unreadable.count)
        let left = max(min(unreadable.count, second.unreadable.count), entries - ids.count)
        let named = unreadable.count >= left ? unreadable : second.unreadable
        return MediaPage(
            items: union,
            unreadable: Array(named.prefix(max(0, left))),
            nextPageToken: second.nextPageToken ?? nextPageToken
        )
    }
}
