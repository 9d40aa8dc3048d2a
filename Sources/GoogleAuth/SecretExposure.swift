#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Why a file with a secret in it is not its reader's alone.
package enum SecretExposure: Sendable, Equatable {
    /// Its mode lets other users read or write it.
    case others
    /// It belongs to another user, by number, who can read and change it whatever its mode is.
    case owner(UInt32)

    /// As PostgreSQL judges key files: the reader's own, or root's, who may give it to a group that has to read it.
    init?(mode: mode_t, owner: uid_t, reader: uid_t) {
        if owner != reader, owner != 0 {
            self = .owner(owner)
        } else {
            let others: mode_t = owner == 0 && reader != 0 ? 0o037 : 0o077
            guard mode & others != 0 else { return nil }
            self = .others
        }
    }

    /// Judges a file for the user of this process; nil if it is that user's alone, or is not there.
    package init?(ofFile path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(mode: status.st_mode, owner: status.st_uid, reader: geteuid())
    }

    /// What is wrong, behind the file's name.
    package var words: String {
        switch self {
        case .others: "can be read or written by other users of this machine"
        case .owner(let owner): "belongs to another user of this machine (number \(owner)), who can read and change it"
        }
    }

    /// The command that mends it.
    package func remedy(_ path: String) -> String {
        switch self {
        case .others: "chmod 600 '\(path)'"
        case .owner: "chown \(geteuid()) '\(path)'"
        }
    }
}
