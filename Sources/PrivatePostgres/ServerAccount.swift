import Foundation

/// The user that PostgreSQL's programs run as: PostgreSQL refuses to run as root.
struct ServerAccount: Sendable {
    private let user: uid_t
    private let group: gid_t
    /// Name for `runuser`; nil where it is this process's own user.
    let name: String?

    /// - Throws: `PrivatePostgresError` where root finds no user to run it as.
    init(for layout: Layout) throws {
        guard geteuid() == 0 else {
            (user, group, name) = (geteuid(), getegid(), nil)
            return
        }
        // Whoever made it first keeps it, so that a cluster of one user can be used by root.
        var status = stat()
        let isOwned = lstat(layout.directory, &status) == 0 && status.st_uid != 0
        guard let entry = isOwned ? getpwuid(status.st_uid) : getpwnam("postgres") else {
            throw PrivatePostgresError(
                isOwned
                    ? "\(layout.directory) belongs to user \(status.st_uid), who has no entry in /etc/passwd"
                    : "PostgreSQL does not run as root, and there is no user 'postgres' to run it as: install "
                        + "PostgreSQL from its package (\(ServerPrograms.howToInstall)), or run coldroll as another user"
            )
        }
        (user, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
        name = String(cString: entry.pointee.pw_name)
    }

    /// The program and arguments that run a program as this user.
    ///
    /// - Throws: `PrivatePostgresError` where `runuser` is missing.
    func command(_ program: String, _ arguments: [String]) throws -> (program: String, arguments: [String]) {
        guard let name else { return (program, arguments) }
        let places = ["/usr/sbin/runuser", "/sbin/runuser", "/usr/bin/runuser"]
        guard let runuser = places.first(where: { access($0, X_OK) == 0 }) else {
            throw PrivatePostgresError(
                "PostgreSQL does not run as root, and runuser (package util-linux) is missing: run coldroll as another "
                    + "user, or set COLDROLL_DATABASE_URL"
            )
        }
        return (runuser, ["-u", name, "--", program] + arguments)
    }

    /// Makes sure that a directory is this user's alone.
    ///
    /// - Throws: `PrivatePostgresError` where it is somebody else's, or no directory.
    func own(_ directory: String) throws {
        var status = stat()
        guard lstat(directory, &status) == 0 else {
            throw PrivatePostgresError("\(directory) cannot be used: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw PrivatePostgresError("\(directory) is not a directory: move it away")
        }
        if status.st_uid == 0, geteuid() == 0, user != 0 {
            guard lchown(directory, user, group) == 0 else {
                throw PrivatePostgresError(
                    "\(directory) cannot be given to user '\(name ?? "\(user)")': \(String(cString: strerror(errno)))"
                )
            }
        } else if status.st_uid != user {
            let owner = getpwuid(status.st_uid).map { String(cString: $0.pointee.pw_name) } ?? "\(status.st_uid)"
            throw PrivatePostgresError(
                "\(directory) belongs to user '\(owner)': run coldroll as that user, or set COLDROLL_HOME to another "
                    + "directory"
            )
        }
        if status.st_mode & 0o077 != 0 {
            guard chmod(directory, 0o700) == 0 else {
                throw PrivatePostgresError("\(directory) cannot be made private: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Names the first directory on the way that this user may not pass through.
    ///
    /// - Throws: `PrivatePostgresError`.
    func checkCanReach(_ directory: String) async throws {
        guard let name else { return }
        var ancestors = ["/"]
        for component in directory.split(separator: "/").dropLast() {
            ancestors.append((ancestors.last! == "/" ? "" : ancestors.last!) + "/" + component)
        }
        let script = #"for d; do test -x "$d" || { printf %s "$d"; exit 1; }; done"#
        let command = try command("/bin/sh", ["-c", script, "sh"] + ancestors)
        let outcome = try await Program.run(command.program, command.arguments, in: "/")
        guard outcome.status != 0 else { return }
        throw PrivatePostgresError(
            "PostgreSQL runs as user '\(name)', who may not pass through \(outcome.output) to \(directory): "
                + "chmod o+x \(outcome.output), or set COLDROLL_HOME to a directory such as /var/lib/coldroll"
        )
    }
}

/// Gives a file that root made to the owner of its directory, who uses it too when it is not root that runs coldroll.
func giveToOwner(of directory: String, _ descriptor: Int32) {
    var (owner, file) = (stat(), stat())
    guard geteuid() == 0, stat(directory, &owner) == 0, fstat(descriptor, &file) == 0, file.st_uid == 0 else { return }
    _ = fchown(descriptor, owner.st_uid, owner.st_gid)
}
