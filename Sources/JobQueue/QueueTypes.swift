/// Which file of an item is stored. Raw values are the words in the database.
package enum PartKind: String, Sendable, CaseIterable { case still, video, motion, file }

/// Key of a part, and so of its job.
package typealias PartID = Int64

/// One claim of one job: the fence that every later write names.
package struct JobReference: Sendable, Hashable {
    package let part: PartID
    package let lease: Int64
    package init(part: PartID, lease: Int64) { self.part = part; self.lease = lease }
}

/// A name in the archive and the key that must be unique: the casefolded NFC form of it.
package struct NameCandidate: Sendable, Equatable {
    package let name: String
    package let key: String
    package init(name: String, key: String) { self.name = name; self.key = key }
}

/// A part to record, with names to try in order of preference (plain, short suffix, long suffix; the last is unique by construction).
package struct NewPart: Sendable, Equatable {
    package let kind: PartKind
    /// `YYYYMM`, or `undated`.
    package let folderMonth: String
    package let names: [NameCandidate]
    package init(kind: PartKind, folderMonth: String, names: [NameCandidate]) { self.kind = kind; self.folderMonth = folderMonth; self.names = names }
}

/// An item of a page, ready to record.
package struct FoundItem: Sendable, Equatable {
    /// The source's own id.
    package let sourceItem: String
    package let filename: String?
    package let mimeType: String?
    /// RFC 3339; nil if unknown.
    package let captureTime: String?
    /// Where the capture time came from (`api`, `filename`, …, `none`).
    package let captureFrom: String
    package let width: Int64?
    package let height: Int64?
    /// True puts its jobs into the source's video lane.
    package let isVideo: Bool
    package let parts: [NewPart]
    package init(sourceItem: String, filename: String?, mimeType: String?, captureTime: String?, captureFrom: String, width: Int64?, height: Int64?, isVideo: Bool, parts: [NewPart]) {
        self.sourceItem = sourceItem; self.filename = filename; self.mimeType = mimeType; self.captureTime = captureTime; self.captureFrom = captureFrom
        self.width = width; self.height = height; self.isVideo = isVideo; self.parts = parts
    }
}

/// A job as the claim hands it out, with what the worker needs joined in.
package struct ClaimedJob: Sendable, Equatable {
    package let reference: JobReference
    package let kind: PartKind
    package let source: Int64
    package let lane: Int64
    /// Counted failures of the part itself, this try included (1 on the first).
    package let attempt: Int
    /// Times its worker vanished.
    package let crashes: Int
    /// The owner accepted that it is reduced.
    package let acceptReduced: Bool
    package let objectName: String
    package let folderMonth: String
    package let sourceItem: String
    package let filename: String?
    package let mimeType: String?
    package let captureTime: String?
    package let width: Int64?
    package let height: Int64?
    package init(reference: JobReference, kind: PartKind, source: Int64, lane: Int64, attempt: Int, crashes: Int, acceptReduced: Bool, objectName: String, folderMonth: String, sourceItem: String, filename: String?, mimeType: String?, captureTime: String?, width: Int64?, height: Int64?) {
        self.reference = reference; self.kind = kind; self.source = source; self.lane = lane; self.attempt = attempt; self.crashes = crashes
        self.acceptReduced = acceptReduced; self.objectName = objectName; self.folderMonth = folderMonth; self.sourceItem = sourceItem
        self.filename = filename; self.mimeType = mimeType; self.captureTime = captureTime; self.width = width; self.height = height
    }
}

/// How true the stored bytes are. Raw values are the words in the database.
package enum Fidelity: String, Sendable, CaseIterable {
    /// The uploaded file itself (Takeout).
    case original
    /// Google's download rendition at the size that the API reports.
    case rendition
    /// Smaller than reported, stored marked.
    case reduced
    /// Bytes of an unknown kind.
    case unrecognised
}

/// What the bucket answered for a part.
package struct ObjectRecord: Sendable, Equatable {
    package let generation: Int64
    package let size: Int64
    package let crc32c: UInt32
    package let md5: String?
    package let fidelity: Fidelity
    /// Sniffed media kind, for the owner.
    package let mediaKind: String
    /// True where the object of this identity was already there.
    package let adopted: Bool
    package init(generation: Int64, size: Int64, crc32c: UInt32, md5: String?, fidelity: Fidelity, mediaKind: String, adopted: Bool) {
        self.generation = generation; self.size = size; self.crc32c = crc32c; self.md5 = md5; self.fidelity = fidelity; self.mediaKind = mediaKind; self.adopted = adopted
    }
}

/// The end of a job.
package struct Completion: Sendable, Equatable {
    package enum Result: Sendable, Equatable {
        /// Stored; `motion` is recorded, with its job, in the same statement.
        case stored(ObjectRecord, motion: NewPart?)
        case skipped(reason: String)
        /// Never to be tried again by itself.
        case dead(reason: String)
    }
    package let job: JobReference
    package let result: Result
    package init(job: JobReference, result: Result) { self.job = job; self.result = result }
}

/// A counted failure of the part itself.
package struct Failure: Sendable, Equatable {
    package let job: JobReference
    /// Short and stable: what `failures` groups by, for example `reduced`, `cut`, `html`.
    package let reason: String
    /// A sentence.
    package let message: String
    /// nil: backoff by policy.
    package let retryAfter: Duration?
    package init(job: JobReference, reason: String, message: String, retryAfter: Duration? = nil) { self.job = job; self.reason = reason; self.message = message; self.retryAfter = retryAfter }
}

/// A job given back without counting an attempt.
package struct Release: Sendable, Equatable {
    package let job: JobReference
    /// zero: ready at once.
    package let delay: Duration
    /// nil on shutdown; else a sentence kept for the owner (`video is still processing`).
    package let note: String?
    package init(job: JobReference, delay: Duration = .zero, note: String? = nil) { self.job = job; self.delay = delay; self.note = note }
}

/// What a heartbeat learned.
package struct BeatAnswer: Sendable, Equatable {
    /// False: the database gave up on this worker; stop everything, register anew.
    package let alive: Bool
    /// Held here but not this worker's any more: stop these transfers.
    package let lost: [JobReference]
    /// This worker's in the database but not held here (claim whose answer was lost): release.
    package let orphaned: [JobReference]
}

/// Sums of parts by where they are.
package struct Totals: Sendable, Equatable {
    package var found: Int64 = 0, stored: Int64 = 0, duplicate: Int64 = 0, skipped: Int64 = 0, dead: Int64 = 0
    package var ready: Int64 = 0, scheduled: Int64 = 0, running: Int64 = 0, unaccounted: Int64 = 0
    package var storedBytes: Int64 = 0, originals: Int64 = 0, renditions: Int64 = 0
    /// Seconds until the next scheduled job is due; nil if none is scheduled.
    package var nextDue: Double?
    package init() {}
    package var live: Int64 { ready + scheduled + running }
}
