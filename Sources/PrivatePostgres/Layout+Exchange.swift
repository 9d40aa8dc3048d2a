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

    /// Puts `data.new`, which is complete, in the place of the cluster, which is kept under its version's name.
    ///
    /// - Throws: `PrivatePostgresError`.
    func exchange(old: Int, new: Int) throws {
        // From here on it is known to be complete.
        try move("data.new", to: Self.name(version: new))
        try beginExchange(new)
        try move("data", to: Self.name(version: old))
        try move(Self.name(version: new), to: "data")
        endExchange()
    }

    /// Ends an exchange that was broken off, perhaps while nothing was in the place.
    ///
    /// Only then: where a person moved the cluster away, the one that is kept beside it must not come back by itself.
    /// - Throws: `PrivatePostgresError`.
    func finishExchange() throws {
        // pg_upgrade's own, and its words would remove what took the older cluster's place.
        unlink(path("delete_old_cluster.sh"))
        guard let new = exchangedVersion else { return }
        if !FileManager.default.fileExists(atPath: path("data")) { try move(Self.name(version: new), to: "data") }
        endExchange()
    }

    /// The version that is being put in the place; nil: none is.
    var exchangedVersion: Int? {
        (try? String(contentsOfFile: path(Self.exchangeNote), encoding: .utf8)).flatMap {
            Int($0.prefix { $0.isNumber })
        }
    }

    private func beginExchange(_ version: Int) throws {
        let note = path(Self.exchangeNote)
        let descriptor = Foundation.open(note, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        let text = Array("\(version)\n".utf8)
        let isWritten = descriptor >= 0 && write(descriptor, text, text.count) == text.count && fsync(descriptor) == 0
        let reason = String(cString: strerror(errno))
        if descriptor >= 0 { close(descriptor) }
        guard isWritten else {
            unlink(note)
            throw PrivatePostgresError("\(note) cannot be written: \(reason)")
        }
        syncDirectory()
    }

    private func endExchange() {
        unlink(path(Self.exchangeNote))
        syncDirectory()
    }

    /// Holds the newer version's number from before the cluster leaves its place until the other one is there.
    private static let exchangeNote = "exchange"

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
