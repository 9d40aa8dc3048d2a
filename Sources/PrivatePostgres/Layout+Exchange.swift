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

    /// Versions of the clusters beside the place.
    func otherVersions() -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.compactMap { name in
            guard name.hasPrefix("data."), let version = Int(name.dropFirst(5)), name == Self.name(version: version)
            else { return nil }
            return version
        }
    }

    /// Puts `data.new`, which is complete, in the place of the cluster, which is kept under its version's name.
    ///
    /// - Throws: `PrivatePostgresError`.
    func exchange(old: Int, new: Int) throws {
        // From here on it is known to be complete.
        try move("data.new", to: Self.name(version: new))
        try move("data", to: Self.name(version: old))
        try move(Self.name(version: new), to: "data")
    }

    /// Ends an exchange that was broken off while nothing was in the place: the newest cluster belongs there.
    ///
    /// - Throws: `PrivatePostgresError`.
    func finishExchange() throws {
        // pg_upgrade's own, and its words would remove what took the older cluster's place.
        unlink(path("delete_old_cluster.sh"))
        guard !FileManager.default.fileExists(atPath: path("data")), let newest = otherVersions().max() else { return }
        try move(Self.name(version: newest), to: "data")
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
