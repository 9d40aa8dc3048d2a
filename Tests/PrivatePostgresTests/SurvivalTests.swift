import Foundation
import Postgres
import PrivatePostgres
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct SurvivalTests {
    @Test func `a process that is killed leaves the server to the next one, who stops it`() async throws {
        try await Home.with { home in
            let member = try Member(home)
            try await member.opened()
            let postmaster = try home.postmaster()
            await member.killed()
            let server = try await home.open()
            #expect(try home.postmaster() == postmaster)
            await server.close()
            #expect(!home.exists("data/postmaster.pid"))
        }
    }

    @Test func `a killed server with a backend that is still busy is waited for, and has lost nothing`() async throws {
        try await Home.with { home in
            let first = try await home.open()
            try await home.query(first, "CREATE TABLE t AS SELECT 42 AS n")
            let backend = try await Connection.connect(first.conninfo)
            let started = try await Connection.connect(first.conninfo)
            let busy = Task {
                // Never looks up from its work, as a sort or a large scan.
                try await backend.script(
                    "DO 'BEGIN WHILE clock_timestamp() < now() + interval ''3 s'' LOOP END LOOP; END'",
                    name: "test.busy"
                )
            }
            let isBusy = Statement(
                "test.busy",
                "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'"
            )
            while try await started.run(isBusy).isEmpty { await Task.yield() }
            let postmaster = try home.postmaster()
            kill(postmaster, SIGKILL)

            let second = try await home.open()
            #expect(try home.postmaster() != postmaster)
            #expect(try await home.query(second, "SELECT n::text FROM t") == "42")
            _ = await busy.result
            let log = try String(contentsOfFile: home.file("server.log"), encoding: .utf8)
            #expect(log.contains("pre-existing shared memory block") || log.contains("already exists"))
            await first.close()
            await second.close()
            #expect(!home.exists("data/postmaster.pid"))
        }
    }

    @Test func `lock files whose number now belongs to another process do not keep the server down`() async throws {
        try await Home.with { home in
            let first = try await home.open()
            var lines = try String(contentsOfFile: home.file("data/postmaster.pid"), encoding: .utf8)
                .components(separatedBy: "\n")
            await first.close()

            // A process of the server's user, as after a restart of the machine.
            let number = try bystander()
            defer { kill(number, SIGKILL) }
            lines[0] = "\(number)"
            for name in ["data/postmaster.pid", "run/.s.PGSQL.5432.lock"] {
                let text = lines.joined(separator: "\n")
                try Data(text.utf8).write(to: URL(fileURLWithPath: home.file(name)))
            }
            let second = try await home.open()
            #expect(try home.postmaster() != number)
            #expect(kill(number, 0) == 0)
            await second.close()
            #expect(kill(number, 0) == 0, "stopping the server must not end a stranger")
        }
    }

    @Test func `a socket directory that is gone, and a socket without a server, are made anew`() async throws {
        try await Home.with { home in
            await (try home.open()).close()
            try FileManager.default.removeItem(atPath: home.file("run"))
            let second = try await home.open()
            kill(try home.postmaster(), SIGKILL)
            #expect(home.exists("run/.s.PGSQL.5432"))
            let third = try await home.open()
            #expect(try await home.query(third, "SELECT 1") == "1")
            await second.close()
            await third.close()
        }
    }

    @Test func `closing in a cancelled task stops the server all the same`() async throws {
        try await Home.with { home in
            let server = try await home.open()
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                await server.close()
            }
            await task.value
            #expect(!home.exists("data/postmaster.pid"))
        }
    }

    /// The number of a sleeping process of the server's user.
    private func bystander() throws -> pid_t {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        let sleep = "echo $$; exec sleep 300"
        process.arguments =
            geteuid() == 0
            ? ["-c", "exec setpriv --reuid=postgres --clear-groups --regid=postgres /bin/sh -c '\(sleep)'"]
            : ["-c", sleep]
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        return try #require(pid_t(line.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
}
