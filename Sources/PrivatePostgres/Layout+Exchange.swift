import Foundation
import Logging

/// Putting a newer cluster in the place of an older one, so that a process killed in between leaves one that is whole.
extension Layout {
    /// Held by pg_upgrade and by the servers that it starts, which a killed coldroll process leaves behind.
    static let upgradeLock = "upgrade.lock"

    /// Waits for such processes, which end by themselves; until then the cluster must not be started.
    func waitForUpgrade(_ logger: Logger) async throws {
        let lock = try FileLock(path(Self.upgradeLock))
        try await lock.acquire {
            logger.log(
                .warning,
                "pg_upgrade of a coldroll process that was killed still runs: waiting for its end",
                ["directory": .string(directory)]
            )
        }
        lock.release()
    }

    /// Name of a cluster that is whole and not in its place: an older one that is kept, or a newer one on its way.
    static func name(version: Int) -> String { "data.\(version)" }

    /// File that says that an exchange goes on, and with which version's cluster.
    ///
    /// Without it, nothing in the cluster's place means that its owner took it away, whatever is kept beside it.
    static let exchangeMark = "exchange"

    /// Puts `data.new`, which is complete, in the place of the cluster, which is kept under its version's name.
    ///
    /// - Throws: `PrivatePostgresError`.
    func exchange(old: Int, new: Int) throws {
        try markExchange(new)
        try move("data.new", to: Self.name(version: new))
        try move("data", to: Self.name(version: old))
        try move(Self.name(version: new), to: "data")
        try remove(Self.exchangeMark)
    }

    /// Ends an exchange that was broken off while nothing was in the place.
    ///
    /// - Throws: `PrivatePostgresError`.
    func finishExchange() throws {
        // pg_upgrade's own, and its words would remove what took the older cluster's place.
        unlink(path("delete_old_cluster.sh"))
        guard FileManager.default.fileExists(atPath: path(Self.exchangeMark)) else { return }
        if !FileManager.default.fileExists(atPath: path("data")) {
            let file = path(Self.exchangeMark)
            guard let text = try? String(contentsOfFile: file, encoding: .utf8),
                let version = Int(text.prefix { $0.isNumber })
            else {
                throw PrivatePostgresError(
                    "\(file) cannot be read, which says which cluster belongs in \(path("data")): name the newest of the "
                        + "\(path("data")).N so, and remove that file"
                )
            }
            try move(Self.name(version: version), to: "data")
        }
        try remove(Self.exchangeMark)
    }

    /// Written before the first rename, whole or not at all.
    private func markExchange(_ new: Int) throws {
        let name = Self.exchangeMark + ".new"
        let descriptor = Foundation.open(path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        defer { if descriptor >= 0 { close(descriptor) } }
        let bytes = Array("\(new)\n".utf8)
        guard descriptor >= 0, write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw PrivatePostgresError("\(path(name)) cannot be written: \(String(cString: strerror(errno)))")
        }
        giveToOwner(of: directory, descriptor)
        try move(name, to: Self.exchangeMark)
    }

    private func remove(_ name: String) throws {
        guard unlink(path(name)) == 0 else {
            throw PrivatePostgresError("\(path(name)) cannot be removed: \(String(cString: strerror(errno)))")
        }
        syncDirectory()
    }

    private func move(_ name: String, to other: String) throws {
        guard rename(path(name), path(other)) == 0 else {
            throw PrivatePostgresError(
                "\(path(name)) cannot be renamed to \(other): \(String(cString: strerror(errno)))"
            )
        }
        syncDirectory()
    }

    /// So that a new name survives a power cut.
    func syncDirectory() {
        let descriptor = Foundation.open(directory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
