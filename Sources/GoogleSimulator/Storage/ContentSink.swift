import Glibc

/// Takes the bytes of an object on their way in: hashes them and, if bytes are kept, writes them.
final class ContentSink {
    /// What a resumable upload keeps of a broken request is a multiple of this (Cloud Storage: 256 KiB).
    static let quantum: Int64 = 262_144
    /// Where only hashes are kept, an object up to this size is kept all the same: markers are read back.
    static let small = 65_536

    let digest: RunningDigest
    /// Where the bytes are; nil if only hashes are kept.
    let path: String?
    private let descriptor: Int32
    private var beginning: [UInt8] = []

    init(path: String?, hasMD5: Bool) throws(FileError) {
        self.path = path
        digest = RunningDigest(hasMD5: hasMD5)
        guard let path else {
            descriptor = -1
            return
        }
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw FileError("create", path) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    var count: Int64 { digest.count }

    /// Appends; marks each whole quantum on the way, so that `rewind` can drop what is behind the last.
    func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = unsafe bytes
        while rest.count > 0 {
            let room = Int(Self.quantum - count % Self.quantum)
            let piece = unsafe UnsafeRawBufferPointer(rebasing: rest[0..<min(room, rest.count)])
            try unsafe write(piece)
            unsafe digest.consume(piece)
            if piece.count == room { digest.mark() }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
        }
    }

    /// Bytes up to the last whole quantum, or up to the end once the content was sealed and looked at.
    var safeCount: Int64 { digest.markedCount }

    /// Back to the last whole quantum.
    func rewind() { digest.rewind() }

    /// Cuts the file to what counts.
    func seal() throws(FileError) {
        guard let path else { return }
        if ftruncate(descriptor, Int(count)) != 0 { throw FileError("truncate", path) }
    }

    /// Deletes what was written.
    func discard() {
        if let path { _ = unsafe unlink(path) }
    }

    /// All bytes, if they are few and not in a file.
    var wholeIfSmall: [UInt8]? {
        path == nil && count <= Self.small ? Array(beginning.prefix(Int(count))) : nil
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        guard let path else {
            // Nothing is rewound within the first quantum but to its start.
            if count == 0 { beginning = [] }
            if count + Int64(bytes.count) <= Self.small { unsafe beginning += bytes }
            return
        }
        var done = 0
        while done < bytes.count {
            let written = unsafe pwrite(
                descriptor,
                bytes.baseAddress.map { unsafe $0 + done },
                bytes.count - done,
                Int(count) + done
            )
            if written < 0 { throw FileError("write", path) }
            done += written
        }
    }
}
