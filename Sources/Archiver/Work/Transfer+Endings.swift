import CloudStorage
import GoogleAuth
import GooglePhotos
import HTTPClient
import JobQueue
import Media
import Postgres

/// The name belongs to an object that is not this part's: the part needs another.
struct NameTaken: Error {}

/// Google does not know the item any more.
struct ItemGone: Error {}

/// How often one try repeats in place before the queue's backoff takes over.
struct Patience {
    private var repeats = 2
    private var freshURLs = 1
    private var doubts = 2
    private var resumes = 20

    /// A cut or doubtful transfer: once more.
    mutating func again() -> Bool { take(\.repeats) }
    /// A refused or doubtful URL: true if a fresh one may be tried.
    mutating func freshURL() -> Bool { take(\.freshURLs) }
    /// A doubtful body: true if another download from a fresh URL may settle it.
    mutating func doubt() -> Bool { take(\.doubts) }
    /// An interrupted upload: each resumption keeps what the bucket has.
    mutating func resume() -> Bool { take(\.resumes) }

    private mutating func take(_ budget: WritableKeyPath<Patience, Int>) -> Bool {
        guard self[keyPath: budget] > 0 else { return false }
        self[keyPath: budget] -= 1
        return true
    }
}

extension Ending {
    /// Google gave no clip for a still: believed only when it says so in three tries, some time apart.
    static func noClip(_ job: ClaimedJob) -> Ending {
        guard job.attempt >= 3 else {
            return .fail(reason: "no-clip", message: "Google gave no clip for this still; it is asked again.")
        }
        return .complete(.skipped(reason: "no-clip: Google has no clip for this still"))
    }

    /// What follows when a fresh download was refused as well.
    static func refused(_ refusal: Judgement.Refusal, _ job: ClaimedJob) -> Ending {
        // `=dv` of a plain still: there is no clip.
        if job.kind == .motion, refusal.reason == "wrong-kind" { return noClip(job) }
        // A page or a body without its end may be a passing fault of a server; the others are what Google has.
        return switch refusal.reason {
        case "not-media", "incomplete": .fail(reason: refusal.reason, message: refusal.message)
        default: .complete(.dead(reason: "\(refusal.reason): \(refusal.message)"))
        }
    }
}

extension Transfer {
    /// Longest pause that a service may ask for while it is away; a larger Retry-After is a mistake.
    static let longestPause = Duration.seconds(3600)

    /// Google refused the URL, not the item.
    func isBaseURLRefused(_ error: any Error) -> Bool {
        guard let error = error as? PhotosError else { return false }
        return error.code == .baseURLExpired || error.code == .notFound
    }

    /// A transfer that another download may mend at once.
    func isCut(_ error: any Error) -> Bool {
        let code: HTTPError.Code
        switch error {
        case let error as HTTPError: code = error.code
        case let error as PhotosError:
            guard case .transport(let transport) = error.code else { return isBaseURLRefused(error) }
            code = transport
        default: return false
        }
        return code == .cut || code == .stalled || code == .bodyFailed
    }

    /// What an error means for the job.
    func ending(
        of error: any Error,
        _ job: ClaimedJob,
        _ service: Service,
        _ began: ContinuousClock.Instant
    ) -> Ending {
        switch error {
        case let error as PhotosError: photosEnding(error, job, service, began)
        case let error as StorageError: storageEnding(error)
        case let error as HTTPError: transportEnding(error.code, error.message, service)
        case let refusal as Judgement.Refusal: .refused(refusal, job)
        case let doubtful as Doubtful:
            .fail(
                reason: doubtful.doubt.reason,
                message: doubtful.doubt.message,
                after: doubtful.doubt.proof == .sameBytesApart ? context.queue.timing.secondLook : nil
            )
        // The database is away: the queue's own calls wait for it, the job is given back when it answers.
        case let error as PostgresError: .release(delay: .seconds(5), note: "the database was away: \(error.message)")
        case is ItemGone:
            .complete(.dead(reason: "gone: the item is not in Google Photos any more, or not this client's"))
        case is CancellationError: .cancelled
        default: .fail(reason: "unexpected", message: "\(error)")
        }
    }

    private func photosEnding(
        _ error: PhotosError,
        _ job: ClaimedJob,
        _ service: Service,
        _ began: ContinuousClock.Instant
    ) -> Ending {
        switch error.code {
        case .auth(.loginRequired): .fatal(ArchiverError(code: .login, message: error.message))
        case .insufficientScopes, .unauthenticated, .auth(.badCredentials):
            .fatal(ArchiverError(code: .credentials, message: error.message))
        case .auth(.untrusted): transportEnding(.untrusted, error.message, service)
        case .auth(.unavailable): stumble(service, nil, "unavailable", error.message)
        case .quota(let asked): slowDown(asked, nil, error.message, began)
        case .dailyQuota: slowDown(nil, service == .library ? .api : .media, error.message, began)
        case .budgetSpent(let duration): .park(max(duration, .seconds(1)), reason: error.message)
        case .unavailable(let retryAfter): stumble(service, retryAfter, "unavailable", error.message)
        case .notFound where job.kind == .motion:
            Ending.noClip(job)
        case .notFound: .fail(reason: "refused", message: "Google has the item, but answers 404 for its bytes.")
        case .sessionOver: .complete(.dead(reason: "\(Ledger.pickAgain): \(error.message)"))
        case .baseURLExpired:
            .fail(reason: "refused", message: "Google refused a fresh base URL of this item: \(error.message)")
        case .foreignHost: .fail(reason: "foreign-host", message: error.message)
        case .badPageToken, .malformed, .rejected, .notPicked, .noAccount:
            .fail(reason: "refused", message: error.message)
        case .transport(let code): transportEnding(code, error.message, service)
        }
    }

    private func storageEnding(_ error: StorageError) -> Ending {
        switch error.code {
        case .unavailable(let retryAfter): stumble(.storage, retryAfter, "bucket", error.message)
        case .denied: .fatal(ArchiverError(code: .credentials, message: error.message))
        case .noBucket: .fatal(ArchiverError(code: .noArchive, message: error.message))
        case .noSpace: .fatal(ArchiverError(code: .noSpace, message: error.message))
        case .interrupted, .sessionLost: stumble(.storage, nil, "bucket", error.message)
        case .checksumMismatch: .fail(reason: "checksum", message: error.message)
        case .sourceFailed: stumble(.media, nil, "cut", error.message)
        case .rejected, .malformed: .fail(reason: "bucket-refused", message: error.message)
        }
    }

    private func transportEnding(
        _ code: HTTPError.Code,
        _ message: String,
        _ service: Service
    ) -> Ending {
        switch code {
        case .cancelled: .cancelled
        case .untrusted, .badURL: .fatal(ArchiverError(code: .unavailable, message: message))
        case .cannotConnect, .stalled: stumble(service, nil, "stalled", message)
        case .cut, .bodyFailed: stumble(service, nil, "cut", message)
        case .tooLarge: .fail(reason: "cut", message: message)
        }
    }

    private func stumble(_ service: Service, _ retryAfter: Duration?, _ reason: String, _ message: String) -> Ending {
        .stumble(Ending.Stumble(service: service, retryAfter: retryAfter, reason: reason, message: message))
    }

    private func slowDown(
        _ asked: Duration?,
        _ daily: RequestKind?,
        _ message: String,
        _ began: ContinuousClock.Instant
    ) -> Ending {
        .slowDown(
            Ending.Slowdown(asked: asked.map { max($0, .seconds(1)) }, sent: began, daily: daily, reason: message)
        )
    }

    /// Decides who pays when a service stumbled; other endings stay what they are.
    func settled(_ ending: Ending, _ job: ClaimedJob) async -> Ending {
        guard case .stumble(let stumble) = ending else { return ending }
        let verdict = await health.judge(
            stumble.service,
            part: job.reference.part,
            isVideo: job.kind.rendition == .video
        )
        guard !Task.isCancelled else { return .cancelled }
        let asked = min(stumble.retryAfter ?? .zero, Self.longestPause)
        return switch verdict {
        case .part: .fail(reason: stumble.reason, message: stumble.message)
        case .passing: .release(delay: max(asked, .seconds(Int.random(in: 3...9))), note: stumble.message)
        // Nothing is begun while the breaker is open: ready for whoever sees it closed first.
        case .outage: .release(delay: .zero, note: stumble.message)
        }
    }
}

extension PartKind {
    /// The suffix that asks for it.
    var rendition: Rendition {
        switch self {
        case .still, .file: .still
        case .video, .motion: .video
        }
    }
}

extension Judgement.Refusal {
    /// No name is left for a part.
    static func nameTaken(_ job: ClaimedJob) -> Judgement.Refusal {
        Judgement.Refusal(
            reason: "name-taken",
            message: "Every name for this part is taken by something that is not coldroll's, the last one "
                + "\(job.objectName). Move that away, then retry the part.",
            isAcceptable: false
        )
    }
}

extension ClaimedJob {
    /// The same job under another object name.
    func named(_ name: String) -> ClaimedJob { with(name, width, height, isRenamed: true) }

    /// The same job with the size that the item has now, if Google tells one.
    func sized(_ width: Int64?, _ height: Int64?) -> ClaimedJob {
        guard let width, let height else { return self }
        return with(objectName, width, height, isRenamed: isRenamed)
    }

    private func with(_ name: String, _ width: Int64?, _ height: Int64?, isRenamed: Bool) -> ClaimedJob {
        ClaimedJob(
            reference: reference,
            kind: kind,
            source: source,
            lane: lane,
            attempt: attempt,
            crashes: crashes,
            acceptReduced: acceptReduced,
            objectName: name,
            folderMonth: folderMonth,
            sourceItem: sourceItem,
            filename: filename,
            mimeType: mimeType,
            captureTime: captureTime,
            width: width,
            height: height,
            hasUpload: hasUpload,
            isDoubted: isDoubted,
            isRenamed: isRenamed
        )
    }
}
