/// One page of a listing.
package struct MediaPage: Sendable, Equatable {
    /// In the order of the answer; an id may come twice, on one page or on two.
    package let items: [MediaItem]
    /// Entries without an id, which cannot be archived; the scan counts and reports them.
    package let unreadable: Int
    /// Nil means last page; items may be empty while there is a token.
    package let nextPageToken: String?
}
