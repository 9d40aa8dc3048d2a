import Foundation
package import Logging
import Synchronization

/// The PostgreSQL that coldroll runs for itself in its home.
///
/// It listens on a Unix socket only, in a directory that only its own user (and root) may enter, and is shared by every
/// coldroll process of this home. Each of them holds a shared lock, which the system releases however the process ends;
/// the last one out stops the server. The server runs in a session of its own, so that Ctrl-C does not reach it.
package final class PrivatePostgres: Sendable {
    /// Role that may read the ledger and nothing else; the migrations grant it its rights.
    package static let readerRole = "coldroll_reader"

    /// libpq conninfo of the owner role; without a password, because whoever reaches the socket is trusted.
    package let conninfo: String
    /// The same for `readerRole`.
    package let readerConninfo: String

    private let server: Server
    private let logger: Logger
    /// Held shared while this process uses the server; nil once closed.
    private let membership: Mutex<FileLock?>

    private init(server: Server, membership: FileLock, logger: Logger) {
        conninfo = server.layout.conninfo(role: Cluster.owner)
        readerConninfo = server.layout.conninfo(role: Self.readerRole)
        self.server = server
        self.logger = logger
        self.membership = Mutex(membership)
    }

    /// Whether a cluster was made in this home; makes and starts nothing.
    ///
    /// A home that this user may not look into counts as having one: `open` then says what is wrong with it.
    package static func exists(home: String) -> Bool {
        var status = stat()
        if stat(home + "/postgresql/data", &status) == 0 || (errno != ENOENT && errno != ENOTDIR) { return true }
        return Layout(directory: home + "/postgresql").exchangedVersion != nil
    }

    /// Makes the cluster on first use, starts it if nobody has, joins it otherwise.
    ///
    /// Safe to call from any number of processes at once: one does the work, the others wait for it. As root, the
    /// programs run as the user `postgres`, or as whoever owns the cluster already.
    /// - Parameters:
    ///   - home: coldroll's data directory; made if it is missing.
    ///   - logger: hears of a first use, a start and a stop.
    /// - Returns: a running server, until `close`.
    /// - Throws: `PrivatePostgresError` for a person to read, `CancellationError`.
    package static func open(home: String, logger: Logger) async throws -> PrivatePostgres {
        let layout = try Layout(home: home)
        let account = try ServerAccount(for: layout)
        try layout.prepare(for: account)
        let membership = try FileLock(layout.path("in-use.lock"))
        let transition = try FileLock(layout.path("transition.lock"))
        try await transition.acquire {
            logger.log(.info, "another coldroll process starts or stops the private PostgreSQL: waiting for it")
        }
        defer { transition.release() }
        try await layout.waitForUpgrade(logger)
        // Free: only whoever stops the server takes it exclusively, and holds the other lock meanwhile.
        try await membership.acquireShared()
        let server = Server(layout: layout, account: account, logger: logger)
        try await server.ensureRunning()
        return PrivatePostgres(server: server, membership: membership, logger: logger)
    }

    /// Leaves it; the last process out stops the server cleanly.
    ///
    /// Runs to its end also in a cancelled task. Close the connections first: the last one out does not wait for them.
    package func close() async {
        guard let membership = self.membership.withLock({ $0.take() }) else { return }
        await Task.detached { [server, logger] in
            do {
                try await server.leave(membership)
            } catch {
                logger.log(.warning, "the private PostgreSQL goes on running", ["error": .string("\(error)")])
            }
        }.value
    }
}
