import CloudStorage
import JobQueue
import Media

/// Reads back from an object's metadata what the ledger wants to know of its bytes.
enum Adoption {
    /// Whether the still's XMP spoke of a clip (`1`) or not (`0`); absent where the object was made before all was seen.
    static let motionKey = "coldroll-motion"

    static func fidelity(_ object: StoredObject) -> Fidelity? {
        object.metadata[Identity.Key.fidelity].flatMap(Fidelity.init(rawValue:))
    }

    static func isMotion(_ object: StoredObject) -> Bool? {
        switch object.metadata[motionKey] {
        case "1": true
        case "0": false
        default: nil
        }
    }
}

extension StoredObject {
    /// The ledger's row for it, as what was stored for `job`.
    func record(
        of job: ClaimedJob,
        fidelity: Fidelity,
        mediaKind: MediaKind,
        adopted: Bool
    ) -> ObjectRecord {
        ObjectRecord(
            generation: generation,
            size: size,
            crc32c: crc32c,
            md5: md5,
            fidelity: fidelity,
            mediaKind: mediaKind.rawValue,
            adopted: adopted,
            newName: job.isRenamed ? job.objectName : nil
        )
    }
}

extension Completion.Result {
    /// Whether the item has another part to fetch by the same base URL.
    var hasClip: Bool {
        if case .stored(_, motion: .some) = self { true } else { false }
    }
}
