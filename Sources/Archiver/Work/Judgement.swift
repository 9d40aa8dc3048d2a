import JobQueue
import Media

/// What the bytes of a whole body mean for the part that asked for them: a pure function, so that its test is a table.
enum Judgement: Sendable, Equatable {
    /// Worth storing, with how true it is.
    case store(Fidelity)
    /// Believed only when a fresh URL says it again.
    case doubt(Doubt)
    /// Not what was asked for: download again from a fresh URL, then dead with this.
    case refuse(Refusal)

    /// Why a body is not archived.
    struct Refusal: Error, Sendable, Equatable {
        /// Short and stable, what `failures` groups by.
        let reason: String
        /// A sentence.
        let message: String
        /// Whether `accept` by the owner lets it pass.
        let isAcceptable: Bool
    }

    /// What makes a body suspicious, and what a second download must show for it to be stored all the same.
    struct Doubt: Sendable, Equatable {
        enum Proof: Sendable, Equatable {
            /// The very same bytes.
            case sameBytes
            /// The very same bytes, twice in a try after the first: whatever gives a picture for another one may do so for
            /// seconds.
            case sameBytesApart
            /// The very same bytes in a try after the first, and the owner's word: whatever cut a body may cut it alike for
            /// long.
            case sameBytesLater
            /// A picture of the same size: Google may transcode a video anew for every download.
            case sameSize
        }

        let reason: String
        let message: String
        let proof: Proof
        /// What it is stored as once it is believed.
        let fidelity: Fidelity
    }

    /// Fraction of a side below which a picture is clearly smaller, and by which shapes may differ: rounding of odd sizes and
    /// crops of a few lines pass.
    private static let clearlySmaller = 0.97
    /// Longest side of what a base URL gives without a suffix (Library API, access media items).
    private static let previewSide = 512

    /// - Parameters:
    ///   - report: what the inspector saw of the whole body.
    ///   - job: what was asked for.
    ///   - isFramed: whether Content-Length or chunking vouched for the end of the body.
    /// - Returns: whether to store it.
    static func of(_ report: MediaReport, for job: ClaimedJob, isFramed: Bool) -> Judgement {
        if let refusal = wrongKind(report, job) { return .refuse(refusal) }
        let judgement = ending(report, isFramed) ?? picture(report, job)
        guard job.acceptReduced else { return judgement }
        // The owner looked at it.
        switch judgement {
        case .refuse(let refusal) where refusal.isAcceptable:
            return .store(refusal.reason == "reduced" ? .reduced : .unrecognised)
        // A body that was cut just now is not the one that was looked at: that one comes twice the same.
        case .doubt(let doubt) where doubt.proof != .sameBytesLater: return .store(doubt.fidelity)
        default: return judgement
        }
    }

    /// What the front of a video shows already, before anything is sent on: a whole download less for a doubt of its size.
    static func early(_ report: MediaReport, for job: ClaimedJob) -> Doubt? {
        guard job.kind == .video, !job.acceptReduced, report.kind.isVideo, case .doubt(let doubt) = picture(report, job)
        else { return nil }
        return doubt
    }

    private static func wrongKind(_ report: MediaReport, _ job: ClaimedJob) -> Refusal? {
        if report.kind.isRefused {
            let what = report.kind == .empty ? "an empty body" : "a page of \(report.kind.rawValue)"
            return Refusal(
                reason: "not-media",
                message: "Google answered with \(what) instead of the \(job.kind.rawValue).",
                isAcceptable: false
            )
        }
        let isWrong: Bool
        switch job.kind {
        case .still, .file: isWrong = report.kind.isVideo
        case .video, .motion: isWrong = report.kind.isStill
        }
        guard isWrong else { return nil }
        let what = report.kind.isVideo ? "video" : "picture"
        return Refusal(
            reason: "wrong-kind",
            message: "Google answered with a \(what) (\(report.kind.rawValue)) instead of the \(job.kind.rawValue).",
            isAcceptable: false
        )
    }

    /// What is wrong with the end of a body; nil if nothing is.
    private static func ending(_ report: MediaReport, _ isFramed: Bool) -> Judgement? {
        let kind = report.kind.rawValue
        if report.isHollow {
            return .refuse(
                Refusal(
                    reason: "incomplete",
                    message: "The answer is the beginning of a file of the kind \(kind), without any picture in it.",
                    isAcceptable: true
                )
            )
        }
        let why: String
        switch (report.isComplete, isFramed) {
        case (true?, _), (nil, true): return nil
        case (false?, _): why = "The \(kind) data does not end where the file says that it should."
        case (nil, false):
            why = "The answer had neither length nor chunking, and \(kind) data does not tell where it ends."
        }
        return .doubt(
            Doubt(
                reason: "incomplete",
                message: why + " Each of its tries asks for it again.",
                proof: .sameBytesLater,
                fidelity: .unrecognised
            )
        )
    }

    private static func picture(_ report: MediaReport, _ job: ClaimedJob) -> Judgement {
        if report.kind == .unrecognised { return unrecognised(job) }
        switch job.kind {
        case .still, .file: return still(report, job)
        case .video: return video(report, job)
        // A clip has a size of its own.
        case .motion: return .store(.rendition)
        }
    }

    private static func still(_ report: MediaReport, _ job: ClaimedJob) -> Judgement {
        switch Sizes(report, job) {
        case .smaller(let words, _):
            return .refuse(
                Refusal(
                    reason: "reduced",
                    message: "The picture is \(words); it is not archived unless you accept it.",
                    isAcceptable: true
                )
            )
        case .other(let words):
            return doubt(
                "other-size",
                "The picture is \(words): it may be another one's.",
                .sameBytesApart,
                .unrecognised
            )
        case .same: break
        case .unknown(let side):
            guard let side, side <= previewSide else { break }
            return doubt(
                "no-size",
                "The picture is no larger than Google's previews (\(side) pixels), and Google does not say how large it is.",
                .sameBytes,
                .unrecognised
            )
        }
        guard let type = job.mimeType?.lowercased(), let kinds = kinds[type], !kinds.contains(report.kind) else {
            return .store(.rendition)
        }
        return doubt(
            "other-kind",
            "Google says \(type), and the bytes are \(report.kind.rawValue): they may be another picture's.",
            .sameBytes,
            .rendition
        )
    }

    private static func video(_ report: MediaReport, _ job: ClaimedJob) -> Judgement {
        switch Sizes(report, job) {
        case .smaller(let words, let isSameShape):
            // What Google's transcoding gives is all that there is: stored and marked.
            return doubt("reduced", "The video is \(words).", .sameSize, isSameShape ? .reduced : .unrecognised)
        case .other(let words):
            return doubt("other-size", "The video is \(words): it may be another one's.", .sameSize, .unrecognised)
        case .same, .unknown: return .store(.rendition)
        }
    }

    private static func doubt(
        _ reason: String,
        _ message: String,
        _ proof: Doubt.Proof,
        _ fidelity: Fidelity
    ) -> Judgement {
        let whenBelieved = "It is stored once a fresh download brings the same again, and none did."
        return .doubt(Doubt(reason: reason, message: "\(message) \(whenBelieved)", proof: proof, fidelity: fidelity))
    }

    /// Bytes of no known kind: stored and marked, but not where the source names a kind that would have been known.
    private static func unrecognised(_ job: ClaimedJob) -> Judgement {
        guard let type = job.mimeType?.lowercased(), kinds[type] != nil || knownVideos.contains(type) else {
            return .store(.unrecognised)
        }
        return .refuse(
            Refusal(reason: "not-media", message: "Google says \(type), and the bytes are not.", isAcceptable: true)
        )
    }

    /// What a picture of a media type may be; HEIC and AVIF are also given as JPEG (photoprism issue 4421).
    private static let kinds: [String: Set<MediaKind>] = [
        "image/jpeg": [.jpeg], "image/png": [.png], "image/gif": [.gif], "image/webp": [.webp],
        "image/heic": [.heic, .avif, .jpeg], "image/heif": [.heic, .avif, .jpeg], "image/avif": [.avif, .heic, .jpeg],
    ]

    private static let knownVideos: Set<String> = ["video/mp4", "video/quicktime"]
}

extension Judgement {
    /// A picture's size beside the one that the source reports.
    private enum Sizes {
        /// One of the two is not known; the longest side of the bytes' picture if that is.
        case unknown(side: Int?)
        case same
        /// Clearly smaller, in words, and whether the shape is right all the same.
        case smaller(String, isSameShape: Bool)
        /// Larger, or of another shape: in words.
        case other(String)

        init(_ report: MediaReport, _ job: ClaimedJob) {
            guard let width = report.width, let height = report.height else {
                self = .unknown(side: nil)
                return
            }
            guard let apiWidth = job.width, let apiHeight = job.height, apiWidth > 0, apiHeight > 0 else {
                self = .unknown(side: max(width, height))
                return
            }
            // EXIF and irot turn pictures: sides compare without order.
            let short = Double(min(width, height)) / Double(min(apiWidth, apiHeight))
            let long = Double(max(width, height)) / Double(max(apiWidth, apiHeight))
            let least = Judgement.clearlySmaller
            let words = "\(width) × \(height) where Google says \(apiWidth) × \(apiHeight)"
            if min(short, long) < least {
                self = .smaller(words, isSameShape: min(short, long) >= least * max(short, long))
            } else {
                self = max(short, long) * least > 1 ? .other(words) : .same
            }
        }
    }
}
