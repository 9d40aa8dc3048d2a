import Foundation
import Logging
import Postgres

/// Starting and stopping the server of one home; the caller holds the transition lock, or takes it here.
struct Server: Sendable {
    let layout: Layout
    let account: ServerAccount
    let logger: Logger

    /// How long processes of a killed predecessor may be in the way: a busy backend notices late that its postmaster is
    /// gone.
    private static let patience: Duration = .seconds(60)

    /// What an attempt to connect says of the server.
    private enum State {
        case up
        /// Recovering, or on its way down.
        case busy
        case down
    }

    /// Returns once connections are accepted; makes the cluster and starts the server if need be.
    ///
    /// - Parameter given: programs for a cluster that is there; nil looks for both.
    /// - Throws: `PrivatePostgresError`, `CancellationError`.
    func ensureRunning(_ given: ServerPrograms? = nil) async throws {
        var firstStart: ContinuousClock.Instant?
        var programs = given
        var hasTold = false
        while true {
            switch try await state() {
            case .up: return
            case .busy:
                if !hasTold { logger.log(.info, "the private PostgreSQL recovers from a crash: waiting for it") }
                hasTold = true
                try await Task.sleep(for: .milliseconds(100))
                continue
            case .down: break
            }
            if programs == nil { programs = try await prepare() }
            let began = firstStart ?? ContinuousClock.now
            firstStart = began
            guard let complaint = try await start(programs!) else {
                if ContinuousClock.now - began < Self.patience { continue }
                throw PrivatePostgresError(
                    "the private PostgreSQL started and cannot be reached: see \(layout.path("server.log"))"
                )
            }
            guard Words.blamesPredecessor(complaint), ContinuousClock.now - began < Self.patience else {
                throw PrivatePostgresError(
                    "the private PostgreSQL in \(layout.directory) does not start: \(Words.gist(complaint)); its log is "
                        + layout.path("server.log")
                )
            }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    /// Gives the membership back and stops the server where that was the last one.
    ///
    /// - Throws: `PrivatePostgresError`.
    func leave(_ membership: FileLock) async throws {
        let transition = try FileLock(layout.path("transition.lock"))
        try await transition.acquire {
            logger.log(.info, "another coldroll process starts or stops the private PostgreSQL: waiting for it")
        }
        defer { transition.release() }
        guard try membership.becomesExclusive() else { return }
        defer { membership.release() }
        try await stop()
    }

    /// Stops the server if it runs.
    ///
    /// - Throws: `PrivatePostgresError`.
    func stop() async throws {
        // Only a process that works in the cluster: the number in a stale file may be anybody's by now.
        guard let leader = Postmaster.number(in: layout), Postmaster.works(leader, in: layout) else { return }
        let programs = try await ServerPrograms.find(clusterVersion: try layout.clusterVersion())
        let outcome = try await control(programs, ["stop", "--mode=fast", "--wait", "--timeout=120"])
        guard outcome.status == 0 else { throw PrivatePostgresError(Words.gist(outcome.output)) }
        logger.log(.info, "stopped the private PostgreSQL")
    }

    private func state() async throws -> State {
        do {
            let connection = try await Connection.connect(layout.conninfo(role: Cluster.owner))
            await connection.close()
            return .up
        } catch {
            switch error.code {
            case .connectionLost: return .down
            // cannot_connect_now, admin_shutdown, crash_shutdown
            case .server("57P03"), .server("57P01"), .server("57P02"): return .busy
            // too_many_connections: it is up, and busy with others.
            case .server("53300"): return .up
            case .server("57014"): throw CancellationError()
            default:
                throw PrivatePostgresError(
                    "the private PostgreSQL in \(layout.directory) refuses coldroll: \(error.message)"
                )
            }
        }
    }

    private func prepare() async throws -> ServerPrograms {
        try await account.checkCanReach(layout.directory)
        try layout.finishExchange()
        let version = try layout.clusterVersion()
        let programs = try await ServerPrograms.find(clusterVersion: version)
        if version == nil {
            try await Cluster(layout: layout, account: account, programs: programs).make()
            logger.log(
                .info,
                "made a private PostgreSQL",
                ["directory": .string(layout.directory), "version": .integer(Int64(programs.version))]
            )
        }
        return programs
    }

    /// - Returns: nil where it started, else what it said.
    private func start(_ programs: ServerPrograms) async throws -> String? {
        try layout.prepareSocketDirectory(for: account)
        Postmaster.removeStaleFiles(in: layout, logger: logger)
        let log = ServerLog(path: layout.path("server.log"))
        log.rotate()
        let length = log.length
        // pg_ctl takes the server into a session of its own, and returns when it accepts connections. It hands its
        // options to a shell: the socket's directory has only plain characters, everything else is relative.
        let outcome = try await control(
            programs,
            [
                "start", "--wait", "--timeout=600", "--silent", "--log=server.log",
                "--options=-k \(layout.socketDirectory) -p \(Layout.port)",
            ]
        )
        guard outcome.status != 0 else {
            logger.log(.info, "started the private PostgreSQL", ["directory": .string(layout.directory)])
            return nil
        }
        let said = log.text(from: length)
        return said.isEmpty ? outcome.output : said
    }

    private func control(_ programs: ServerPrograms, _ arguments: [String]) async throws -> Program.Outcome {
        let command = try account.command(programs.path("pg_ctl"), arguments + ["--pgdata=\(layout.data)"])
        return try await Program.run(command.program, command.arguments, in: layout.directory)
    }
}
