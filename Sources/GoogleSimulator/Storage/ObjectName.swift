/// The name of an object, compared by bytes: NFC and NFD are two names (Cloud Storage: about object names).
struct ObjectName: Sendable, Hashable, Comparable {
    let text: String
    let bytes: [UInt8]

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    static func == (left: Self, right: Self) -> Bool { left.bytes == right.bytes }

    static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

    func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    func hasPrefix(_ prefix: [UInt8]) -> Bool { bytes.starts(with: prefix) }

    /// Refuses what Cloud Storage refuses.
    func validate() throws(StorageRefusal) {
        if bytes.isEmpty { throw StorageRefusal(status: 400, reason: "required", message: "Required") }
        let isBad =
            bytes.count > 1024 || bytes.contains(0x0A) || bytes.contains(0x0D) || text == "." || text == ".."
            || hasPrefix(Array(".well-known/acme-challenge/".utf8))
        if isBad { throw .invalid("Invalid object name.") }
    }
}
