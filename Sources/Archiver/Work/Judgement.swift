import JobQueue
import Media

/// What the bytes of a whole body mean for the part that asked for them: a pure function, so that its test is a table.
enum Judgement: Sendable, Equatable {
    /// Worth storing, with how true it is.
    case store(Fidelity)
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

    /// Fraction of a side below which a picture is clearly smaller: rounding of odd sizes and crops of a few lines pass.
    private static let clearlySmaller = 0.97

    /// - Parameters:
    ///   - report: what the inspector saw of the whole body.
    ///   - job: what was asked for.
    ///   - isFramed: whether Content-Length or chunking vouched for the end of the body.
    /// - Returns: whether to store it.
    static func of(_ report: MediaReport, for job: ClaimedJob, isFramed: Bool) -> Judgement {
        if report.kind.isRefused {
            let what = report.kind == .empty ? "an empty body" : "a page of \(report.kind.rawValue)"
            return refuse("not-media", "Google answered with \(what) instead of the \(job.kind.rawValue).")
        }
        if !isFramed, report.isComplete != true {
            return refuse(
                "incomplete",
                "The answer had neither length nor chunking, and its \(report.kind.rawValue) data does not end properly."
            )
        }
        switch job.kind {
        case .still, .file: return still(report, job)
        case .video, .motion: return video(report, job)
        }
    }

    private static func still(_ report: MediaReport, _ job: ClaimedJob) -> Judgement {
        if report.kind.isVideo {
            return refuse("wrong-kind", "Google answered with a video (\(report.kind.rawValue)) instead of the still.")
        }
        if report.kind == .unrecognised { return unrecognised(job) }
        guard let smaller = isSmaller(report, job) else { return .store(.rendition) }
        if job.acceptReduced { return .store(.reduced) }
        return .refuse(
            Refusal(
                reason: "reduced",
                message: "The picture is \(smaller); it is not archived unless you accept it.",
                isAcceptable: true
            )
        )
    }

    private static func video(_ report: MediaReport, _ job: ClaimedJob) -> Judgement {
        if report.kind.isStill {
            return refuse(
                "wrong-kind",
                "Google answered with a picture (\(report.kind.rawValue)) instead of the \(job.kind.rawValue)."
            )
        }
        if report.kind == .unrecognised { return unrecognised(job) }
        // What Google's transcoding gives is all that there is: stored and marked. A clip has a size of its own.
        return .store(job.kind == .video && isSmaller(report, job) != nil ? .reduced : .rendition)
    }

    /// Bytes of no known kind: stored and marked, but not where the source names a kind that would have been known.
    private static func unrecognised(_ job: ClaimedJob) -> Judgement {
        guard let type = job.mimeType?.lowercased(), knownTypes.contains(type), !job.acceptReduced else {
            return .store(.unrecognised)
        }
        return .refuse(
            Refusal(reason: "not-media", message: "Google says \(type), and the bytes are not.", isAcceptable: true)
        )
    }

    private static let knownTypes: Set<String> = [
        "image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "image/heif", "video/mp4",
        "video/quicktime",
    ]

    /// In words how a picture is smaller than the source says; nil if it is not, or if nobody knows.
    private static func isSmaller(_ report: MediaReport, _ job: ClaimedJob) -> String? {
        guard let width = report.width, let height = report.height, let apiWidth = job.width,
            let apiHeight = job.height,
            apiWidth > 0, apiHeight > 0
        else { return nil }
        // EXIF and irot turn pictures: sides compare without order.
        let got = (short: Double(min(width, height)), long: Double(max(width, height)))
        let want = (short: Double(min(apiWidth, apiHeight)), long: Double(max(apiWidth, apiHeight)))
        guard got.short < want.short * clearlySmaller || got.long < want.long * clearlySmaller else { return nil }
        return "\(width) × \(height) where Google says \(apiWidth) × \(apiHeight)"
    }

    private static func refuse(_ reason: String, _ message: String) -> Judgement {
        .refuse(Refusal(reason: reason, message: message, isAcceptable: false))
    }
}
