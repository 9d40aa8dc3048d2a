/// One photo or video as the Library API tells of it; every field but the id may be missing.
package struct MediaItem: Sendable, Equatable {
    /// Which renditions an item has: by its `photo` or `video` metadata, else by its media type.
    package enum Kind: Sendable, Equatable { case photo, video(VideoStatus), unknown }

    /// How far Google is with a video; only a ready one can be downloaded.
    package enum VideoStatus: Sendable, Equatable { case unspecified, processing, ready, failed, other(String) }

    /// Google's own, permanent; never empty.
    package var id: String
    /// As Google has it, which is as the uploader named it; U+0000, which PostgreSQL's text cannot hold, is U+FFFD.
    package var filename: String?
    package var mimeType: String?
    package var baseURL: BaseURL?
    /// Capture time as RFC 3339 in UTC, with at most six digits of a second, as PostgreSQL reads it.
    ///
    /// Nil if absent, unreadable or outside the years 1800 to 2200.
    package var creationTime: String?
    /// Pixels of the original; nil unless positive.
    package var width: Int64?
    /// As `width`.
    package var height: Int64?
    package var kind: Kind

    package init(
        id: String,
        filename: String? = nil,
        mimeType: String? = nil,
        baseURL: BaseURL? = nil,
        creationTime: String? = nil,
        width: Int64? = nil,
        height: Int64? = nil,
        kind: Kind = .unknown
    ) {
        self.id = id
        self.filename = filename
        self.mimeType = mimeType
        self.baseURL = baseURL
        self.creationTime = creationTime
        self.width = width
        self.height = height
        self.kind = kind
    }
}
