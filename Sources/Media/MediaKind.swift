/// What bytes are, by themselves, whatever name or content type they came under.
package enum MediaKind: String, Sendable, Equatable, CaseIterable {
    case jpeg, png, gif, webp, heic, avif, tiff, bmp
    case mp4, quicktime, matroska, avi, mpegTransportStream, mpegProgramStream
    case html, json, xml, text, gzip, empty, unrecognised

    /// True for html, json, xml, text, gzip (a page that was packed on its way) and empty: never a photo or a video.
    package var isRefused: Bool {
        switch self {
        case .html, .json, .xml, .text, .gzip, .empty: true
        default: false
        }
    }

    /// True for the kinds that hold a still image; camera raw files built on TIFF are among them.
    package var isStill: Bool {
        switch self {
        case .jpeg, .png, .gif, .webp, .heic, .avif, .tiff, .bmp: true
        default: false
        }
    }

    /// True for the kinds that hold moving pictures; an animated GIF, WebP or HEIC is still a still here.
    package var isVideo: Bool {
        switch self {
        case .mp4, .quicktime, .matroska, .avi, .mpegTransportStream, .mpegProgramStream: true
        default: false
        }
    }

    /// Media type to store, as IANA registers it; nil for unrecognised and empty, which say nothing.
    package var contentType: String? {
        switch self {
        case .jpeg: "image/jpeg"
        case .png: "image/png"
        case .gif: "image/gif"
        case .webp: "image/webp"
        case .heic: "image/heic"
        case .avif: "image/avif"
        case .tiff: "image/tiff"
        case .bmp: "image/bmp"
        case .mp4: "video/mp4"
        case .quicktime: "video/quicktime"
        case .matroska: "video/matroska"
        case .avi: "video/vnd.avi"
        case .mpegTransportStream: "video/mp2t"
        case .mpegProgramStream: "video/mpeg"
        case .html: "text/html"
        case .json: "application/json"
        case .xml: "application/xml"
        case .text: "text/plain"
        case .gzip: "application/gzip"
        case .empty, .unrecognised: nil
        }
    }
}
