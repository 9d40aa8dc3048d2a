import Checksums

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// An open file that closes itself; used on one blocking queue only.
struct OpenFile: ~Copyable {
    let descriptor: Int32
    /// For errors.
    let path: String

    init(_ path: String, _ flags: Int32, mode: mode_t = 0o666) throws(StorageError) {
        self.path = path
        descriptor = try systemCall("Opening \(path)") { open(path, flags | O_CLOEXEC, mode) }
    }

    /// nil if there is nothing under that path.
    static func existing(_ path: String, _ flags: Int32) throws(StorageError) -> OpenFile? {
        let descriptor = open(path, flags | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT || errno == ENOTDIR { return nil }
        if descriptor < 0 { throw fileError(errno, "Opening \(path)") }
        return OpenFile(owning: descriptor, path: path)
    }

    private init(owning descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Size, kind and times.
    func status() throws(StorageError) -> FileStatus {
        var status = stat()
        try systemCall("Looking at \(path)") { fstat(descriptor, &status) }
        return FileStatus(status)
    }

    /// Writes all of it at the end.
    func append(_ bytes: [UInt8]) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            done += try systemCall("Writing \(path)") {
                bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + done, $0.count - done) }
            }
        }
    }

    /// Up to `count` bytes from `offset`; fewer only at the end.
    func read(_ count: Int, at offset: Int64) throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = try systemCall("Reading \(path)") {
                bytes.withUnsafeMutableBytes {
                    pread(descriptor, $0.baseAddress! + done, count - done, off_t(offset) + off_t(done))
                }
            }
            if got == 0 { break }
            done += got
        }
        bytes.removeLast(count - done)
        return bytes
    }

    /// Makes what was written survive a power cut.
    func synchronize() throws(StorageError) {
        try systemCall("Flushing \(path)") { fsync(descriptor) }
    }

    /// The checksum of everything in it.
    func checksum() throws(StorageError) -> CRC32C {
        var sum = CRC32C()
        var offset: Int64 = 0
        while true {
            let piece = try read(1 << 20, at: offset)
            sum.consume(piece.span.bytes)
            offset += Int64(piece.count)
            if piece.count < 1 << 20 { return sum }
        }
    }
}

/// The parts of `stat` that are used here.
struct FileStatus: Sendable, Equatable {
    let size: Int64
    let isFile: Bool
    let isFolder: Bool
    let modified: CaptureTime

    init(_ status: stat) {
        size = Int64(status.st_size)
        isFile = status.st_mode & S_IFMT == S_IFREG
        isFolder = status.st_mode & S_IFMT == S_IFDIR
        #if canImport(Glibc)
        modified = CaptureTime(seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec))
        #else
        modified = CaptureTime(
            seconds: Int64(status.st_mtimespec.tv_sec),
            nanoseconds: Int(status.st_mtimespec.tv_nsec)
        )
        #endif
    }

    /// nil if there is nothing; a link at the end is not followed.
    static func ofLink(_ path: String) throws(StorageError) -> FileStatus? {
        var status = stat()
        if lstat(path, &status) == 0 { return FileStatus(status) }
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw fileError(errno, "Looking at \(path)")
    }

    /// Of a file that has no manifest line: microseconds of its modification, as a number that grows; never 0.
    var generation: Int64 { max(1, modified.seconds * 1_000_000 + Int64(modified.nanoseconds / 1000)) }
}

/// The folder that a path names a file in.
func folder(of path: String) -> String {
    String(
        decoding: path.utf8.prefix(upTo: path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.utf8.startIndex),
        as: UTF8.self
    )
}

/// Makes a folder's entries survive a power cut.
func synchronizeFolder(_ path: String) throws(StorageError) {
    // Some file systems (FUSE, SMB) refuse to flush a folder; then there is nothing more to do.
    let folder = try OpenFile(path, O_RDONLY | O_DIRECTORY)
    if fsync(folder.descriptor) < 0, errno != EINVAL, errno != ENOTSUP, errno != EBADF {
        throw fileError(errno, "Flushing \(path)")
    }
}

/// Makes the folders between `root` and the file, which is below it.
func makeFolders(for path: String, below root: String) throws(StorageError) {
    var known = root
    for component in path.dropFirst(root.count).split(separator: "/").dropLast() {
        let folder = "\(known)/\(component)"
        if mkdir(folder, 0o777) == 0 {
            try synchronizeFolder(known)
        } else if errno != EEXIST {
            throw fileError(errno, "Making the folder \(folder)")
        }
        known = folder
    }
}
