/// Which file of an item is stored.
///
/// Raw values are the words in the database.
package enum PartKind: String, Sendable, CaseIterable { case still, video, motion, file }

/// Key of a part, and so of its job.
package typealias PartID = Int64

/// A name in the archive and the key that must be unique: the casefolded NFC form of it.
package struct NameCandidate: Sendable, Equatable {
    /// The object's name, folder included, 1 to 1024 bytes.
    package let name: String
    /// What must be unique in the whole ledger.
    package let key: String

    package init(name: String, key: String) {
        self.name = name
        self.key = key
    }
}

/// What came of giving a part another name.
package enum Renaming: Sendable, Equatable {
    case renamed
    /// The job is not this claim's any more: stop.
    case leaseLost
    /// Another part of the ledger has the name: try the next one.
    case taken
}

/// A part to record, with names to try in order of preference.
///
/// Plain, short suffix, long suffix; the last is unique by construction: a part without a free name refuses its page.
package struct NewPart: Sendable, Equatable {
    /// Which file of its item it is.
    package let kind: PartKind
    /// `YYYYMM`, or `undated`.
    package let folderMonth: String
    /// At least one.
    package let names: [NameCandidate]

    package init(kind: PartKind, folderMonth: String, names: [NameCandidate]) {
        self.kind = kind
        self.folderMonth = folderMonth
        self.names = names
    }
}

/// An item of a page, ready to record.
package struct FoundItem: Sendable, Equatable {
    /// The source's own id.
    package let sourceItem: String
    /// As reported.
    package let filename: String?
    /// As reported.
    package let mimeType: String?
    /// RFC 3339; nil if unknown.
    package let captureTime: String?
    /// Where the capture time came from (`api`, `filename`, …, `none`).
    package let captureFrom: String
    /// Pixels as reported.
    package let width: Int64?
    /// Pixels as reported.
    package let height: Int64?
    /// True puts its jobs into the source's video lane.
    package let isVideo: Bool
    /// At least one, kinds not repeated: an item without parts would vanish, and refuses its page.
    package let parts: [NewPart]

    package init(
        sourceItem: String,
        filename: String?,
        mimeType: String?,
        captureTime: String?,
        captureFrom: String,
        width: Int64?,
        height: Int64?,
        isVideo: Bool,
        parts: [NewPart]
    ) {
        self.sourceItem = sourceItem
        self.filename = filename
        self.mimeType = mimeType
        self.captureTime = captureTime
        self.captureFrom = captureFrom
        self.width = width
        self.height = height
        self.isVideo = isVideo
        self.parts = parts
    }
}
