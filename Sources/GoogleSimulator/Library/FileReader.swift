import FoundationEssentials
import Glibc

/// A file that could not be opened, read or written.
struct FileError: Error, CustomStringConvertible {
    let description: String

    init(_ action: String, _ path: String) {
        description = unsafe "cannot \(action) \(path): \(String(cString: strerror(errno)))"
    }
}

/// An open file that is read by position.
final class FileReader: Sendable {
    private let descriptor: Int32
    private let path: String

    init(_ path: String) throws(FileError) {
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        if descriptor < 0 { throw FileError("open", path) }
    }

    deinit { close(descriptor) }

    /// Fills the buffer as far as the file reaches, and says how far.
    func read(into buffer: UnsafeMutableRawBufferPointer, from offset: Int64) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = unsafe pread(
                descriptor,
                buffer.baseAddress.map { unsafe $0 + done },
                buffer.count - done,
                Int(offset) + done
            )
            if count < 0 { throw FileError("read", path) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Size in bytes and time of the last change, in whole seconds; nil if this is no plain file.
    func sizeAndTime() throws(FileError) -> (size: Int64, changed: Timestamp)? {
        var facts = stat()
        if unsafe fstat(descriptor, &facts) != 0 { throw FileError("look at", path) }
        guard facts.st_mode & S_IFMT == S_IFREG else { return nil }
        return (Int64(facts.st_size), Timestamp(microseconds: Int64(facts.st_mtim.tv_sec) * 1_000_000))
    }

    /// Up to `count` bytes from `offset`.
    func read(from offset: Int64, count: Int) throws -> [UInt8] {
        try unsafe Array(unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = try unsafe read(into: UnsafeMutableRawBufferPointer(buffer), from: offset)
        }
    }
}
