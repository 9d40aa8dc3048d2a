/// One photo or video of the simulated library.
struct LibraryItem: Sendable {
    enum Kind: Sendable, Equatable {
        case photo
        case video
    }

    /// Where its bytes come from.
    enum Content: Sendable {
        case file(path: String, size: Int64)
        case synthetic(SyntheticMedia)
    }

    /// The clip that trails a motion photo, in the file itself.
    struct Clip: Sendable, Equatable {
        let offset: Int64
        let count: Int64
    }

    /// What the camera wrote.
    struct Camera: Sendable, Equatable {
        var make: String?
        var model: String?
        var focalLength: Double?
        var apertureFNumber: Double?
        var isoEquivalent: Int64?
        var exposureSeconds: Double?
    }

    let id: String
    let filename: String
    let mimeType: String
    let kind: Kind
    let width: Int64?
    let height: Int64?
    let creation: Timestamp
    /// False if the time is only the file's: date filters then pass over a photo (Library API: apply filters).
    let hasCaptureTime: Bool
    let camera: Camera
    let content: Content
    let clip: Clip?
    /// When a video is done with processing; nil if it is.
    let readyAt: Timestamp?
    let isFailed: Bool

    /// Bytes of the whole file.
    var size: Int64 {
        switch content {
        case .file(_, let size): size
        case .synthetic(let media): media.size
        }
    }

    /// `PROCESSING`, `READY` or `FAILED`.
    var videoStatus: String {
        if isFailed { return "FAILED" }
        return readyAt.map { $0 > .now } ?? false ? "PROCESSING" : "READY"
    }
}
