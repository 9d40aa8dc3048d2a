#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The file that says, object by object, what a directory holds; used on one blocking queue.
///
/// A line is written and flushed *before* its file gets its name, under a lock that every writer takes, so the last line of a name
/// describes the file under that name; a line whose file never came, or is another one, is told by size, time and checksum.
struct Manifest {
    let path: String
    /// Where the last line of each name begins, by the hash of the name's bytes in the line; the line is compared when read.
    private var places: [Int: Int64] = [:]
    private var indexed: Int64 = 0
    private var file: ino_t = 0

    init(path: String) { self.path = path }

    /// The last line about a name, whoever wrote it.
    mutating func line(for name: String) throws(StorageError) -> ManifestLine? {
        guard let manifest = try OpenFile.existing(path, O_RDONLY) else { return nil }
        try index(manifest)
        guard let place = places[Self.hash(ManifestLine.quoted(name)[...])] else { return nil }
        var bytes: [UInt8] = []
        while !bytes.contains(10) {
            let more = try manifest.read(4096, at: place + Int64(bytes.count))
            if more.isEmpty { break }
            bytes += more
        }
        guard let line = ManifestLine.decoded(bytes.prefix { $0 != 10 }), line.name.utf8.elementsEqual(name.utf8) else {
            return nil
        }
        return line
    }

    /// Reads what was added since the last time.
    private mutating func index(_ manifest: borrowing OpenFile) throws(StorageError) {
        var status = stat()
        try systemCall("Looking at \(path)") { fstat(manifest.descriptor, &status) }
        if status.st_ino != file || Int64(status.st_size) < indexed {
            places = [:]
            indexed = 0
            file = status.st_ino
        }
        var pending: [UInt8] = []
        while indexed + Int64(pending.count) < Int64(status.st_size) {
            pending += try manifest.read(1 << 20, at: indexed + Int64(pending.count))
            var start = pending.startIndex
            while let end = pending[start...].firstIndex(of: 10) {
                if let name = ManifestLine.quotedName(in: pending[start..<end]) {
                    places[Self.hash(name)] = indexed + Int64(start)
                }
                start = end + 1
            }
            indexed += Int64(start)
            pending.removeFirst(start)
            // A last line without its end is torn, or still being written.
            if start == 0, pending.count < 1 << 20 { break }
        }
    }

    private static func hash(_ bytes: ArraySlice<UInt8>) -> Int {
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    /// Adds a line in one write and flushes it; on failure the file is as long as before.
    ///
    /// The caller holds the lock.
    static func append(_ line: [UInt8], to manifest: borrowing OpenFile) throws(StorageError) {
        let size = try manifest.status().size
        let torn = size > 0 ? try manifest.read(1, at: size - 1) != [10] : false
        do throws(StorageError) {
            try manifest.append(torn ? [10] + line : line)
            try manifest.synchronize()
        } catch {
            // Even if this fails too: a torn line is skipped by every reader.
            _ = ftruncate(manifest.descriptor, off_t(size))
            throw error
        }
    }
}
