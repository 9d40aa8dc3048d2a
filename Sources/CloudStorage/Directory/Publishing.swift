#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Ways to give a finished file its name without ever overwriting, best first.
enum Publishing: CaseIterable {
    /// One atomic step (Linux renameat2(2) RENAME_NOREPLACE, macOS renamex_np(2) RENAME_EXCL); not on every file system.
    case exclusiveRename
    /// A second name, which fails where the name is taken, then the first one removed; not on FAT.
    case link
    /// An empty file made with O_EXCL takes the name, then the real one replaces it. A crash in between leaves the empty file,
    /// which its manifest line gives away.
    case placeholder

    enum Outcome { case published, taken, unsupported }

    func publish(_ temporary: String, as target: String) throws(StorageError) -> Outcome {
        switch self {
        case .exclusiveRename:
            #if canImport(Glibc)
            guard let result = renameNoReplace(temporary, target) else { return .unsupported }
            #else
            let result = renamex_np(temporary, target, UInt32(RENAME_EXCL))
            #endif
            if result == 0 { return .published }
            return try outcome(errno, target, unsupported: [EINVAL, ENOSYS, ENOTSUP])
        case .link:
            if hardLink(temporary, target) == 0 {
                // The name stands; a leftover of the other one is cleaned up like any temporary file.
                unlink(temporary)
                return .published
            }
            return try outcome(errno, target, unsupported: [EPERM, ENOSYS, ENOTSUP, EMLINK])
        case .placeholder:
            let placeholder = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if placeholder < 0 { return try outcome(errno, target, unsupported: []) }
            close(placeholder)
            if rename(temporary, target) == 0 { return .published }
            let error = errno
            unlink(target)
            throw fileError(error, "Naming \(target)")
        }
    }

    private func outcome(_ error: Int32, _ target: String, unsupported: [Int32]) throws(StorageError) -> Outcome {
        if error == EEXIST { return .taken }
        if unsupported.contains(error) { return .unsupported }
        throw fileError(error, "Naming \(target)")
    }

    /// The first of the ways that the file system has.
    static func publish(_ temporary: String, as target: String, ways: [Publishing] = allCases) throws(StorageError)
        -> Bool
    {
        for way in ways {
            switch try way.publish(temporary, as: target) {
            case .published: return true
            case .taken: return false
            case .unsupported: continue
            }
        }
        throw fileError(ENOTSUP, "Naming \(target)")
    }
}

#if canImport(Glibc)
/// renameat2(2) with RENAME_NOREPLACE; nil if the C library has none (glibc before 2.28).
///
/// Looked up by name, since its declaration hides behind _GNU_SOURCE, which Swift's Glibc module does not set.
private func renameNoReplace(_ from: String, _ to: String) -> Int32? {
    typealias Function = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
    guard let symbol = dlsym(nil, "renameat2") else { return nil }
    // linux/fs.h: RENAME_NOREPLACE is bit 0.
    return unsafeBitCast(symbol, to: Function.self)(AT_FDCWD, from, AT_FDCWD, to, 1)
}
#endif

/// link(2), whose name an enum case hides.
private func hardLink(_ from: String, _ to: String) -> Int32 { link(from, to) }
