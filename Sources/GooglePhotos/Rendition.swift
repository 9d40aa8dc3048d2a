/// Which bytes of an item; each is what Google renders for download, not the original.
package enum Rendition: Sendable, Equatable {
    /// `=d`: a photo, or the still of a motion photo, without its location; of a video only a thumbnail.
    case still
    /// `=dv`: a video, or the clip of a motion photo, transcoded.
    case video

    /// What is appended to a base URL.
    var suffix: String {
        switch self {
        case .still: "=d"
        case .video: "=dv"
        }
    }
}
