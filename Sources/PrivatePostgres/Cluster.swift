import Foundation
import Logging

/// Making a cluster: all of it, or nothing.
struct Cluster: Sendable {
    /// Database of the ledger.
    static let database = "coldroll"
    /// Role that owns it; may make roles, because the migrations make those of readers and operators.
    static let owner = "coldroll"

    let layout: Layout
    let account: ServerAccount
    let programs: ServerPrograms

    /// Runs initdb beside the place of the cluster and moves the result there when it is complete.
    ///
    /// What an earlier attempt left is removed. The caller sees to it that nobody else does the same.
    /// - Throws: `PrivatePostgresError`.
    func make() async throws {
        let new = layout.path("data.new")
        try remove(new)
        do {
            try await initialize()
            try configure(new + "/postgresql.conf")
            try await makeDatabase()
            guard rename(new, layout.path("data")) == 0 else {
                throw PrivatePostgresError("\(new) cannot be moved to its place: \(String(cString: strerror(errno)))")
            }
            layout.syncDirectory()
        } catch {
            try? remove(new)
            throw error
        }
    }

    /// Runs initdb for a cluster that an older one's content will be put into, at `data.new`; what was there is removed.
    ///
    /// - Parameter locale: of the older one.
    /// - Throws: `PrivatePostgresError`.
    func makeEmpty(locale: String) async throws {
        try remove(layout.path("data.new"))
        let outcome = try await initdb(locale: locale)
        guard outcome.status == 0 else {
            throw PrivatePostgresError(
                "initdb of PostgreSQL \(programs.version) could not make a database in \(layout.directory): "
                    + Words.gist(outcome.output)
            )
        }
        try configure(layout.path("data.new/postgresql.conf"))
    }

    /// From here on in PostgreSQL's own configuration file, where its owner may change it.
    static let settings = """

        # Set by coldroll when it made this cluster.
        listen_addresses = ''
        unix_socket_permissions = 0700
        cluster_name = 'coldroll'
        max_connections = 100
        shared_buffers = 128MB
        max_wal_size = 1GB
        autovacuum_naptime = 10s
        jit = off
        log_timezone = 'UTC'
        timezone = 'UTC'
        log_checkpoints = off
        log_line_prefix = '%m [%p] %q%u@%d %a '

        """

    private func initialize() async throws {
        // C.UTF-8 knows letters beyond ASCII; where the system lacks it, C sorts the same way.
        var outcome = try await initdb(locale: "C.UTF-8")
        if outcome.status != 0, outcome.output.contains("locale") {
            try remove(layout.path("data.new"))
            outcome = try await initdb(locale: "C")
        }
        guard outcome.status == 0 else {
            throw PrivatePostgresError(
                "initdb could not make a database in \(layout.directory): \(Words.gist(outcome.output))"
            )
        }
    }

    private func initdb(locale: String) async throws -> Program.Outcome {
        try await run(
            "initdb",
            [
                "--pgdata=data.new", "--username=postgres", "--encoding=UTF8", "--locale=\(locale)", "--data-checksums",
                "--auth-local=trust", "--auth-host=reject",
            ]
        )
    }

    private func configure(_ file: String) throws {
        do {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(Self.settings.utf8))
            try handle.synchronize()
            try handle.close()
        } catch {
            throw PrivatePostgresError("\(file) cannot be written: \(error.reason)")
        }
    }

    /// Makes roles and database in single-user mode, one command a line (postgres(1)).
    ///
    /// So no half-made cluster is ever served.
    private func makeDatabase() async throws {
        let commands = """
            CREATE ROLE \(Self.owner) LOGIN CREATEROLE;
            CREATE ROLE \(PrivatePostgres.readerRole) LOGIN;
            GRANT \(PrivatePostgres.readerRole) TO \(Self.owner);
            CREATE DATABASE \(Self.database) OWNER \(Self.owner);

            """
        let arguments = ["--single", "-D", "data.new", "-c", "exit_on_error=true", "postgres"]
        let outcome = try await run("postgres", arguments, input: commands)
        guard outcome.status == 0 else {
            throw PrivatePostgresError("the database could not be made: \(Words.gist(outcome.output))")
        }
    }

    private func run(_ program: String, _ arguments: [String], input: String = "") async throws -> Program.Outcome {
        let command = try account.command(programs.path(program), arguments)
        return try await Program.run(command.program, command.arguments, in: layout.directory, input: input)
    }

    func remove(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw PrivatePostgresError("\(path), left by an earlier attempt, cannot be removed: \(error.reason)")
        }
    }
}
