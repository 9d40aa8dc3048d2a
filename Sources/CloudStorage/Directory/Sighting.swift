import Checksums

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A file under a name, and what the manifest last said about that name.
struct Sighting: Sendable {
    let name: String
    let path: String
    let status: FileStatus
    let line: ManifestLine?

    /// Whether every byte must be read to know what it is: size and time do not tell.
    var needsHash: Bool { known == nil }

    private var known: StoredObject? {
        guard let line, line.size == status.size, line.modifiedSeconds == status.modified.seconds,
            line.modifiedNanoseconds == status.modified.nanoseconds
        else { return nil }
        return line.stored
    }

    /// The object, reading the file where it must be.
    ///
    /// A copy that lost its time is still recognised by its checksum; anything else has no identity, and its generation is its time.
    func settled() throws(StorageError) -> StoredObject {
        if let known { return known }
        let sum = try OpenFile(path, O_RDONLY).checksum().value
        if let line, line.size == status.size, line.checksum == sum, let stored = line.stored { return stored }
        return StoredObject(
            name: name,
            generation: status.generation,
            size: status.size,
            crc32c: sum,
            md5: nil,
            contentType: nil,
            metadata: [:]
        )
    }
}
