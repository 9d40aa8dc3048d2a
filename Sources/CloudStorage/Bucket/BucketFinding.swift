/// What a bucket is for, which decides what it must be like.
package enum BucketUse: String, Sendable, CaseIterable {
    case archive
    case state

    /// As a sentence names it.
    package var words: String { self == .archive ? "archive" : "state store" }
}

/// Something about a bucket that its owner should know.
package struct BucketFinding: Sendable, Equatable {
    package enum Gravity: Sendable, Equatable {
        /// Photos could be lost, or seen by others: coldroll is not to use it like this.
        case refusal
        /// It works, and may cost more, or be less safe, than it could.
        case warning
        /// Something to think about.
        case advice
    }

    package enum Kind: Sendable, Equatable {
        case isPublic, mayBecomePublic, unknownReaders, accessLists
        case lifecycleDeletes, lifecycleChangesClass, autoclass, storageClass
        case retention, hold, softDelete, sameBucket
        case requesterPays, customerKey, folders
        case missingRights, excessRights
    }

    package let kind: Kind
    package let gravity: Gravity
    /// A sentence with the bucket in it.
    package let message: String
    /// What to do, a sentence or a command line; nil where nothing must be done.
    package let fix: String?

    init(_ kind: Kind, _ gravity: Gravity, _ message: String, fix: String?) {
        self.kind = kind
        self.gravity = gravity
        self.message = message
        self.fix = fix
    }
}
