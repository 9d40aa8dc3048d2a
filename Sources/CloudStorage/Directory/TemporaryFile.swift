import Blocking
import Checksums

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A file being written beside its later name, on a queue of its own: a slow disk holds up nobody else.
///
/// It stays locked while its writer lives, so that whoever cleans up can tell a dead process's file from a busy one's.
actor TemporaryFile {
    private let queue = SerialQueueExecutor(label: "coldroll.file")
    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    nonisolated let path: String
    private let root: String
    private var descriptor: Int32 = -1
    private var sum = CRC32C()
    private var size: Int64 = 0

    /// Nothing is made yet.
    ///
    /// `target` is a path below `root`.
    init(for target: String, below root: String) {
        path = "\(folder(of: target))/\(DirectoryNames.temporary)\(getpid())-\(UInt64.random(in: 0 ... .max))"
        self.root = root
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Makes the folders and the empty file.
    func create() throws(StorageError) {
        try makeFolders(for: path, below: root)
        // Shared with other writers; the cleaner takes it alone and so never sees a file between its birth and its lock.
        let gate = try OpenFile(Self.gate(of: root), O_RDWR | O_CREAT)
        while flock(gate.descriptor, LOCK_SH) < 0, errno == EINTR {}
        let path = path
        descriptor = try systemCall("Making \(path)") { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
        // Where locks do not exist, age decides.
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
    }

    func append(_ bytes: [UInt8]) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            done += try systemCall("Writing \(path)") {
                bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + done, $0.count - done) }
            }
        }
        sum.consume(bytes.span.bytes)
        size += Int64(bytes.count)
    }

    /// What was written, safe on the disk.
    struct Finished: Sendable {
        let size: Int64
        let crc32c: CRC32C
        let modified: CaptureTime
    }

    /// Gives it its time and flushes it; the time comes back as the file system keeps it.
    func finish(modified: CaptureTime) throws(StorageError) -> Finished {
        let time = timespec(tv_sec: Int(modified.seconds), tv_nsec: modified.nanoseconds)
        _ = withUnsafePointer(to: (time, time)) {
            // A file system that cannot hold the time (FAT: before 1980) keeps the one it has.
            $0.withMemoryRebound(to: timespec.self, capacity: 2) { futimens(descriptor, $0) }
        }
        try systemCall("Flushing \(path)") { fsync(descriptor) }
        var status = stat()
        try systemCall("Looking at \(path)") { fstat(descriptor, &status) }
        return Finished(size: size, crc32c: sum, modified: FileStatus(status).modified)
    }

    /// Removes it if it still has its temporary name.
    func discard() {
        guard descriptor >= 0 else { return }
        unlink(path)
    }

    /// The file whose lock separates writers that begin from the cleaner.
    static func gate(of root: String) -> String { "\(root)/\(DirectoryNames.own)/temporary.lock" }
}
