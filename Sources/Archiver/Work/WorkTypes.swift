package import JobQueue

/// Whether stills are asked for the clip of a motion photo.
package enum MotionMode: String, Sendable, CaseIterable {
    /// Where XMP or the file name says that there is one.
    case auto
    /// For every still; a plain one ends as skipped.
    case always
    case never
}

/// How many transfers a worker has in hand at once.
package enum SlotSetting: Sendable, Equatable {
    /// Finds its level: grows while throughput grows, halves on errors of a service.
    case auto
    /// Exactly this many, from 1 to 64.
    case fixed(Int)
    /// Most slots of one worker: each needs up to 384 KiB of the byte budget for a large body.
    package static let most = 64
}

/// How long one try of a part took.
package struct PartTime: Sendable, Equatable {
    package let kind: PartKind
    /// Whether the part is in the archive now; else the try failed.
    package let isStored: Bool
    package let duration: Duration

    package init(kind: PartKind, isStored: Bool, duration: Duration) {
        self.kind = kind
        self.isStored = isStored
        self.duration = duration
    }
}

/// What a worker was asked to do.
package struct WorkerOptions: Sendable {
    package var slots = SlotSetting.auto
    package var motion = MotionMode.auto
    /// Ends when no job of its sources is left; otherwise works until stopped.
    package var drain = false
    /// With `drain`: longest time in which nothing can be done; nil waits for the last job however long that takes.
    package var maxWait: Duration?
    /// With `drain`: when it ends, whatever is under way; nil: no limit.
    package var endsBy: ContinuousClock.Instant?
    /// After a graceful stop: time for transfers in hand, then they are given back.
    package var grace = Duration.seconds(25)
    /// Gets every try of a part that stored it or failed, with its time; called from any thread.
    package var timed: (@Sendable (PartTime) -> Void)?
    package init() {}
}

/// How far a worker is; sent about twice a second.
package struct WorkerProgress: Sendable, Equatable {
    /// Parts that this worker stored, and their bytes.
    package var stored = 0
    package var storedBytes: Int64 = 0
    /// Parts stored before that were fetched again, since another item has the same bytes, and are the same.
    package var confirmed = 0
    /// Tries that failed, and parts that ended dead.
    package var failures = 0
    package var dead = 0
    package var skipped = 0
    /// Transfers in hand.
    package var busy = 0
    package var slots = 0
    package init() {}

    /// Adds what another worker of the same run did.
    mutating func add(_ other: WorkerProgress) {
        stored += other.stored
        storedBytes += other.storedBytes
        confirmed += other.confirmed
        failures += other.failures
        dead += other.dead
        skipped += other.skipped
    }
}

/// What a worker did, and how the queue stood when it ended.
package struct WorkSummary: Sendable, Equatable {
    package var progress: WorkerProgress
    /// Jobs left: after a stop or `maxWait`, or without `drain`.
    package let left: Int64
    /// Whether it ended by `maxWait` or `endsBy`.
    package let isOutOfTime: Bool

    package init(progress: WorkerProgress, left: Int64, isOutOfTime: Bool = false) {
        self.progress = progress
        self.left = left
        self.isOutOfTime = isOutOfTime
    }
}
