import Checksums
import CloudStorage
package import JobQueue

/// Who an object is: the same in every ledger, on every host, whatever its name.
///
/// It travels in the object's metadata.
package struct Identity: Sendable, Equatable {
    /// Kind and label of the source, for example `library:default`.
    package let source: String
    /// The source's own id of the item.
    package let item: String
    package let part: PartKind

    /// - Parameters:
    ///   - source: from `sourceLabel`.
    ///   - item: the source's own id.
    ///   - part: which file of the item.
    package init(source: String, item: String, part: PartKind) {
        self.source = source
        self.item = item
        self.part = part
    }

    /// The label that metadata carries for a source; ids of the ledger's rows mean nothing to another ledger.
    package static func sourceLabel(kind: String, account: String) -> String { "\(kind):\(account)" }

    /// Keys of the custom metadata; a listing with these rebuilds the ledger.
    enum Key {
        static let source = "coldroll-source"
        static let item = "coldroll-item"
        static let part = "coldroll-part"
        static let filename = "coldroll-filename"
        static let captureTime = "coldroll-capture-time"
        static let fidelity = "coldroll-fidelity"
    }

    /// Reads the identity of an object; nil where coldroll did not make it.
    init?(metadata: [String: String]) {
        guard let source = metadata[Key.source], let item = metadata[Key.item],
            let part = metadata[Key.part].flatMap(PartKind.init(rawValue:))
        else { return nil }
        self.init(source: source, item: item, part: part)
    }

    /// Custom metadata of a new object; below the 8 KiB that Cloud Storage allows for all keys and values.
    func metadata(filename: String?, captureTime: String?, fidelity: Fidelity?) -> [String: String] {
        var metadata = [Key.source: source, Key.item: item, Key.part: part.rawValue]
        metadata[Key.filename] = filename.map { ObjectName.truncate($0, toBytes: 2048) }
        metadata[Key.captureTime] = captureTime
        metadata[Key.fidelity] = fidelity?.rawValue
        return metadata
    }

    /// A pure function of the identity: `length` characters of `a`…`z`, `2`…`7` (base32 of a SHA-256).
    func suffix(length: Int) -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
        let digest = sha256(Array("\(source)\u{0}\(item)\u{0}\(part.rawValue)".utf8))
        var text = ""
        var buffer: UInt32 = 0
        var bits = 0
        for byte in digest {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 5, text.count < length {
                bits -= 5
                text.append(alphabet[Int(buffer >> UInt32(bits) & 31)])
            }
        }
        return text
    }
}
