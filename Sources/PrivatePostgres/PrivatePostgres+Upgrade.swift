import Foundation
package import Logging
import Postgres

/// Carrying a cluster over to a newer major version of PostgreSQL.
extension PrivatePostgres {
    package enum Upgrade: Sendable, Equatable {
        /// There is no cluster, or none of a newer version is installed.
        case notNeeded
        /// A newer version is installed, and other processes use the server: nothing was changed.
        case inUse(from: Int, to: Int)
        /// It was carried over; the old cluster is kept in a directory.
        case done(from: Int, to: Int, kept: String)
    }

    /// Carries the cluster over to the newest version that is installed, by that version's pg_upgrade, which copies.
    ///
    /// The old cluster is not touched: it is put aside once the new one has started and `content` is the same in both.
    /// A process killed in between leaves the old one in its place, or the new one on its way there.
    /// - Parameters:
    ///   - home: coldroll's data directory.
    ///   - logger: hears of starts and stops.
    ///   - content: what must be the same before and after; called with the conninfo of either server.
    /// - Returns: what was done.
    /// - Throws: `PrivatePostgresError` that says which package is missing, or what pg_upgrade said; `content`'s errors.
    package static func upgrade<Content: Equatable & Sendable>(
        home: String,
        logger: Logger,
        content: (_ conninfo: String) async throws -> Content
    ) async throws -> Upgrade {
        guard exists(home: home) else { return .notNeeded }
        let layout = try Layout(home: home)
        let account = try ServerAccount(for: layout)
        try layout.prepare(for: account)
        let transition = try FileLock(layout.path("transition.lock"))
        try await transition.acquire {
            logger.log(.info, "another coldroll process starts or stops the private PostgreSQL: waiting for it")
        }
        defer { transition.release() }
        try await layout.waitForUpgrade(logger)
        try layout.finishExchange()
        guard let version = try layout.clusterVersion() else { return .notNeeded }
        let old = try await ServerPrograms.find(clusterVersion: version)
        let new = try await ServerPrograms.find(clusterVersion: nil)
        guard new.version > version else { return .notNeeded }
        let membership = try FileLock(layout.path("in-use.lock"))
        guard try membership.becomesExclusive() else { return .inUse(from: version, to: new.version) }
        defer { membership.release() }
        try await account.checkCanReach(layout.directory)
        let kept = layout.path(Layout.name(version: version))
        guard !FileManager.default.fileExists(atPath: kept) else {
            throw PrivatePostgresError(
                "\(kept) is in the way: the database of PostgreSQL \(version) would be kept there. Move it away, and run "
                    + "'coldroll setup' again"
            )
        }
        let upgrade = ClusterUpgrade(layout: layout, account: account, old: old, new: new, logger: logger)
        try await upgrade.run(content)
        return .done(from: version, to: new.version, kept: kept)
    }
}

/// One carrying over; the caller holds the locks.
private struct ClusterUpgrade {
    let layout: Layout
    let account: ServerAccount
    let old: ServerPrograms
    let new: ServerPrograms
    let logger: Logger

    private var cluster: Cluster { Cluster(layout: layout, account: account, programs: new) }

    func run<Content: Equatable & Sendable>(_ content: (String) async throws -> Content) async throws {
        guard access(new.path("pg_upgrade"), X_OK) == 0 else {
            throw PrivatePostgresError(
                "PostgreSQL \(new.version) in \(new.directory) is not complete, pg_upgrade is missing: install its server "
                    + "package (\(ServerPrograms.howToInstall))"
            )
        }
        logger.log(
            .info,
            "carrying the private PostgreSQL over to a newer version",
            ["from": .integer(Int64(old.version)), "to": .integer(Int64(new.version))]
        )
        // A server of an attempt that was killed: it was never used.
        try await Server(layout: layout.unfinished, account: account, logger: logger).stop()
        // A copy that an earlier attempt finished and did not put in its place; the old one may have gone on since.
        try cluster.remove(layout.path(Layout.name(version: new.version)))
        do {
            let (collation, before) = try await serving(layout, old) { connection in
                (try await locale(connection), try await content(layout.conninfo(role: Cluster.owner)))
            }
            try await cluster.makeEmpty(locale: collation)
            try await copy()
            let after = try await serving(layout.unfinished, new) { connection in
                // pg_upgrade leaves the planner without statistics before version 18.
                try await connection.script("ANALYZE", name: "upgrade.analyze")
                return try await content(layout.unfinished.conninfo(role: Cluster.owner))
            }
            guard before == after else {
                throw PrivatePostgresError(
                    "pg_upgrade of PostgreSQL \(new.version) made a database that differs from the one of "
                        + "\(old.version), so it was not kept; the old one is as it was"
                )
            }
        } catch {
            // A server that was just being started, say, when somebody pressed Ctrl-C.
            let server = Server(layout: layout.unfinished, account: account, logger: logger)
            await Task { try? await server.stop() }.value
            try? cluster.remove(layout.path("data.new"))
            throw error
        }
        try layout.exchange(old: old.version, new: new.version)
        rmdir(layout.unfinished.socketDirectory)
    }

    /// Starts a server, hands a connection to it over, and stops it in good order, which pg_upgrade wants.
    private func serving<R: Sendable>(
        _ layout: Layout,
        _ programs: ServerPrograms,
        _ body: (Connection) async throws -> R
    ) async throws -> R {
        let server = Server(layout: layout, account: account, logger: logger)
        try await server.ensureRunning(programs)
        let result: Result<R, any Error>
        do {
            let connection = try await Connection.connect(layout.conninfo(role: Cluster.owner))
            result = .success(try await body(connection))
            await connection.close()
        } catch {
            result = .failure(error)
        }
        try await server.stop()
        return try result.get()
    }

    private func locale(_ connection: Connection) async throws -> String {
        let statement = Statement("upgrade.locale", "SELECT datcollate FROM pg_database WHERE datname = 'template0'")
        guard let row = try await connection.run(statement).first else { return "C" }
        return try row.text(0)
    }

    private func copy() async throws {
        // Into a file: where its reader is killed, a pipe would end it with servers of its own still up.
        let command = try account.command(
            "/bin/sh",
            [
                "-c", #"exec "$@" > upgrade.log 2>&1"#, "sh", new.path("pg_upgrade"), "--old-bindir=\(old.directory)",
                "--new-bindir=\(new.directory)", "--old-datadir=data",
                "--new-datadir=data.new", "--socketdir=\(layout.unfinished.socketDirectory)",
                "--old-port=\(Layout.port)", "--new-port=\(Layout.port)", "--username=postgres",
            ]
        )
        try layout.unfinished.prepareSocketDirectory(for: account)
        // It goes on when this process is killed, and so do the servers that it starts: all of them hold the lock.
        let lock = try FileLock(layout.path(Layout.upgradeLock))
        try await lock.acquire {}
        defer { lock.release() }
        let outcome = try await Program.run(
            command.program,
            command.arguments,
            in: layout.directory,
            inheriting: lock
        )
        unlink(layout.path("delete_old_cluster.sh"))
        guard outcome.status == 0 else {
            let said = ServerLog(path: layout.path("upgrade.log")).text(from: 0) + outcome.output
            throw PrivatePostgresError(
                "pg_upgrade could not carry the private database over from PostgreSQL \(old.version) to "
                    + "\(new.version): \(Words.gist(said)); all that it said is in \(layout.path("upgrade.log")). The old "
                    + "one is as it was"
            )
        }
        unlink(layout.path("upgrade.log"))
    }
}
