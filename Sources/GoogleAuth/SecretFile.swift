#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A file with a secret in it, which must be its owner's alone.
struct SecretFile {
    let path: String
    /// What it is, with "The" before it.
    let noun: String
    /// What to do where others may have read it, a sentence.
    let remedy: String

    /// Its first bytes; nil if there is no such file.
    ///
    /// - Throws: `.badCredentials` if it cannot be read, is no file, or others may read it.
    func read(atMost limit: Int) throws(AuthError) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else {
            let reason = errno
            if reason == ENOENT { return nil }
            throw fault("cannot be read: \(unsafe String(cString: strerror(reason))).")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw fault("is no file.")
        }
        switch SecretExposure(mode: status.st_mode, owner: status.st_uid, reader: geteuid()) {
        case nil: break
        case .others:
            throw fault(
                "can be read or written by other users of this machine: run 'chmod 600 \(path)'. If others may have read it, "
                    + remedy
            )
        case .owner(let owner):
            throw fault(
                "belongs to another user of this machine (number \(owner)), who can read and change it: where that is you, make it "
                    + "a file of the user that coldroll runs as, number \(geteuid()) ('chown \(geteuid()) \(path)'). Otherwise "
                    + remedy
            )
        }
        var content = [UInt8](repeating: 0, count: limit)
        let count = unsafe Glibc.read(descriptor, &content, content.count)
        guard count >= 0 else { throw fault("cannot be read: \(unsafe String(cString: strerror(errno))).") }
        return Array(content.prefix(count))
    }

    func fault(_ words: String) -> AuthError {
        AuthError(code: .badCredentials, message: "The \(noun) \(path) \(words)")
    }
}
