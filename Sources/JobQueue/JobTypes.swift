/// One claim of one job: the fence that every later write names.
package struct JobReference: Sendable, Hashable {
    /// The part, which is the job's key.
    package let part: PartID
    /// Number of the claim; never used again.
    package let lease: Int64

    package init(part: PartID, lease: Int64) {
        self.part = part
        self.lease = lease
    }
}

/// A job as the claim hands it out, with what the worker needs joined in.
package struct ClaimedJob: Sendable, Equatable {
    /// What every write that ends the job names.
    package let reference: JobReference
    /// Which file of the item to fetch.
    package let kind: PartKind
    /// Key of the source.
    package let source: Int64
    /// Key of the lane.
    package let lane: Int64
    /// Counted failures of the part itself, this try included (1 on the first).
    package let attempt: Int
    /// Times its worker vanished.
    package let crashes: Int
    /// The owner accepted that it is reduced.
    package let acceptReduced: Bool
    /// Name in the archive, folder included.
    package let objectName: String
    /// `YYYYMM`, or `undated`.
    package let folderMonth: String
    /// The source's own id of the item.
    package let sourceItem: String
    /// As reported.
    package let filename: String?
    /// As reported.
    package let mimeType: String?
    /// RFC 3339 in UTC with microseconds; nil if unknown.
    package let captureTime: String?
    /// Pixels as reported.
    package let width: Int64?
    /// Pixels as reported.
    package let height: Int64?
    /// Whether an earlier claim left a half-done upload: ask for it with `takeUpload`.
    package let hasUpload: Bool
    /// Whether it is stored already, with bytes that another item has too: compare it with `doubt(of:)`.
    package let isDoubted: Bool
    /// Whether its part was renamed since it was claimed.
    package let isRenamed: Bool

    package init(
        reference: JobReference,
        kind: PartKind,
        source: Int64,
        lane: Int64,
        attempt: Int,
        crashes: Int,
        acceptReduced: Bool,
        objectName: String,
        folderMonth: String,
        sourceItem: String,
        filename: String?,
        mimeType: String?,
        captureTime: String?,
        width: Int64?,
        height: Int64?,
        hasUpload: Bool = false,
        isDoubted: Bool = false,
        isRenamed: Bool = false
    ) {
        self.reference = reference
        self.kind = kind
        self.source = source
        self.lane = lane
        self.attempt = attempt
        self.crashes = crashes
        self.acceptReduced = acceptReduced
        self.objectName = objectName
        self.folderMonth = folderMonth
        self.sourceItem = sourceItem
        self.filename = filename
        self.mimeType = mimeType
        self.captureTime = captureTime
        self.width = width
        self.height = height
        self.hasUpload = hasUpload
        self.isDoubted = isDoubted
        self.isRenamed = isRenamed
    }
}

/// A counted failure of the part itself.
package struct Failure: Sendable, Equatable {
    /// Which claim failed.
    package let job: JobReference
    /// Short and stable: what `failures` groups by, for example `reduced`, `cut`, `html`.
    package let reason: String
    /// A sentence.
    package let message: String
    /// Pause until the next try, at least; nil: backoff by policy.
    package let retryAfter: Duration?

    package init(job: JobReference, reason: String, message: String, retryAfter: Duration? = nil) {
        self.job = job
        self.reason = reason
        self.message = message
        self.retryAfter = retryAfter
    }
}

/// A job given back without counting an attempt.
package struct Release: Sendable, Equatable {
    /// Which claim is given back.
    package let job: JobReference
    /// Pause until it may be claimed again; zero: ready at once.
    package let delay: Duration
    /// nil on shutdown; else a sentence kept for the owner (`video is still processing`).
    package let note: String?

    package init(job: JobReference, delay: Duration = .zero, note: String? = nil) {
        self.job = job
        self.delay = delay
        self.note = note
    }
}

/// What a heartbeat learned.
package struct BeatAnswer: Sendable, Equatable {
    /// False: the database gave up on this worker; stop everything, register anew.
    package let alive: Bool
    /// Held here but not this worker's any more: stop these transfers.
    ///
    /// May name jobs that were ended here while the beat was under way; ignore those.
    package let lost: [JobReference]
    /// This worker's in the database but not held here (claim whose answer was lost): release.
    package let orphaned: [JobReference]
}
