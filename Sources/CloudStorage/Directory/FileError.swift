#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What the file system refused, as the caller's next step.
///
/// `doing` begins the sentence and names the file.
func fileError(_ code: Int32, _ doing: String) -> StorageError {
    let reason = String(cString: strerror(code))
    switch code {
    case ENOSPC, EDQUOT:
        return StorageError(code: .noSpace, message: "\(doing): the disk is full (\(reason)). Make room, then go on.")
    case EROFS:
        return StorageError(code: .noSpace, message: "\(doing): the file system is read-only.")
    case EACCES, EPERM:
        return StorageError(code: .denied, message: "\(doing): \(reason). This user needs to read and write there.")
    case ENAMETOOLONG, EILSEQ, EINVAL, EFBIG, ELOOP:
        return StorageError(code: .rejected, message: "\(doing): this file system does not take it (\(reason)).")
    case ENOTDIR, EISDIR:
        return StorageError(
            code: .rejected,
            message: "\(doing): a file stands where a folder is needed, or a folder where a file is."
        )
    default:
        return StorageError(code: .unavailable(retryAfter: nil), message: "\(doing): \(reason).")
    }
}

/// Calls the system again while a signal interrupts it; throws its errno as a `StorageError`.
@discardableResult
func systemCall<Number: FixedWidthInteger>(
    _ doing: @autoclosure () -> String,
    _ call: () -> Number
) throws(StorageError) -> Number {
    while true {
        let result = call()
        if result >= 0 { return result }
        if errno != EINTR { throw fileError(errno, doing()) }
    }
}
