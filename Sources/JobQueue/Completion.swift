/// How true the stored bytes are.
///
/// Raw values are the words in the database.
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
    /// Generation of the object.
    package let generation: Int64
    /// Bytes.
    package let size: Int64
    /// CRC32C of the bytes.
    package let crc32c: UInt32
    /// Base64; nil where the bucket gives none.
    package let md5: String?
    /// How true the bytes are.
    package let fidelity: Fidelity
    /// Sniffed media kind, for the owner.
    package let mediaKind: String
    /// True where the object of this identity was already there.
    package let adopted: Bool
    /// Its name, where the claim that stored it renamed the part; nil else.
    package let newName: String?

    package init(
        generation: Int64,
        size: Int64,
        crc32c: UInt32,
        md5: String?,
        fidelity: Fidelity,
        mediaKind: String,
        adopted: Bool,
        newName: String? = nil
    ) {
        self.generation = generation
        self.size = size
        self.crc32c = crc32c
        self.md5 = md5
        self.fidelity = fidelity
        self.mediaKind = mediaKind
        self.adopted = adopted
        self.newName = newName
    }
}

/// The end of a job.
package struct Completion: Sendable, Equatable {
    /// How it ended.
    package enum Result: Sendable, Equatable {
        /// Stored; `motion` is recorded, with its job, in the same statement, unless the item has one already.
        case stored(ObjectRecord, motion: NewPart?)
        /// Was stored and doubted, and another download brought the same bytes.
        case confirmed
        /// Left out on purpose.
        case skipped(reason: String)
        /// Never to be tried again by itself.
        case dead(reason: String)
    }

    /// Which claim ended.
    package let job: JobReference
    /// How it ended.
    package let result: Result

    package init(job: JobReference, result: Result) {
        self.job = job
        self.result = result
    }
}
