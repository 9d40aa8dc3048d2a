import Foundation
import GoogleSimulator
import JobQueue
import Postgres
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A private PostgreSQL of an older major version, and real programs of a newer one.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct UpgradeTests {
    /// Settings with which a newer PostgreSQL is found besides the one that is installed: scripts/python-venv has it.
    private func newer() throws -> [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let places = path.split(separator: ":").map { $0 + "/../postgresql/bin" }
        let place = try #require(
            places.first { access($0 + "/pg_upgrade", X_OK) == 0 },
            "no newer PostgreSQL: run the tests with PATH=$(scripts/python-venv):$PATH"
        )
        return Stage.inPrivate.merging(["PATH": path + ":" + place]) { $1 }
    }

    private func stage(_ count: Int = 8) async throws -> Stage {
        let stage = try Stage { $0.synthesis = SynthesisOptions(count: count, sizes: 5_000...9_000, videoPercent: 0) }
        #expect(try await stage.run("setup", changing: Stage.inPrivate).status == 0)
        #expect(try await stage.run("run", changing: Stage.inPrivate).status == 0)
        return stage
    }

    private func expectStored(
        _ count: Int,
        _ stage: Stage,
        _ settings: [String: String],
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let status = try await stage.run("status", changing: settings)
        #expect(status.output.contains("stored    \(count) = "), "\(status.output)", sourceLocation: location)
    }

    @Test func `setup carries it over, also after a crash, and keeps the old one`() async throws {
        let newer = try newer()
        let stage = try await stage()
        let old = try #require(stage.version())
        let watch = try stage.start("status", "--watch", changing: Stage.inPrivate)
        try await stage.until("the status") { try watch.output.contains("stored") }
        try await stage.texts("CREATE TABLE public.mine AS SELECT 42 AS n", on: stage.privateConninfo)
        watch.signal(SIGKILL)
        _ = try await watch.end()
        kill(try #require(stage.postmaster), SIGKILL)
        // Its owner writes days otherwise, which the new one does not know of.
        let own = try FileHandle(forWritingTo: URL(fileURLWithPath: stage.privateDirectory + "/data/postgresql.conf"))
        try own.seekToEnd()
        try own.write(contentsOf: Data("timezone = 'Asia/Kolkata'\ndatestyle = 'German'\n".utf8))
        try own.close()

        // Until then the old one serves, although a newer one is installed.
        try await expectStored(8, stage, newer)
        #expect(stage.version() == old)

        // What keeps it from being carried over is told, and keeps nothing else.
        let obstacle = stage.privateDirectory + "/data.\(old)"
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
        let hindered = try await stage.run("setup", changing: newer)
        #expect(hindered.status == 4)
        #expect(hindered.output.contains("\(obstacle) is in the way"), "\(hindered.output)")
        #expect(hindered.output.contains("The database's schema is of version"), "\(hindered.output)")
        try FileManager.default.removeItem(atPath: obstacle)

        let setup = try await stage.run("setup", changing: newer)
        #expect(setup.status == 0, "\(setup.output)")
        let new = try #require(stage.version())
        #expect(Int(new)! > Int(old)!)
        #expect(
            setup.output.contains("carried over from PostgreSQL \(old) to \(new), and compared: nothing differs"),
            "\(setup.output)"
        )
        #expect(setup.output.contains("\(stage.privateDirectory)/data.\(old)"), "\(setup.output)")
        #expect(stage.version("data.\(old)") == old)
        let names = try FileManager.default.contentsOfDirectory(atPath: stage.privateDirectory)
        #expect(!names.contains("data.new") && !names.contains("run.new"))
        #expect(!names.contains { $0.hasSuffix(".sh") }, "pg_upgrade's script would remove the new cluster")
        try stage.simulator.addPhoto(named: "new.jpg")
        #expect(try await stage.run("run", changing: newer).status == 0)
        try await expectStored(9, stage, newer)
        let psql = try await stage.run(
            "psql",
            "--",
            "-Atc",
            "SELECT current_setting('server_version_num')::int / 10000, current_setting('data_checksums'), current_user",
            changing: newer
        )
        #expect(psql.output == "\(new)|on|coldroll_reader\n")
        #expect(try await !stage.run("setup", changing: newer).output.contains("carried"))
        try stage.proveEverythingIsStored()

        let missing = try await stage.run("status", changing: Stage.inPrivate)
        #expect(missing.status == 4)
        #expect(missing.output.contains("Install PostgreSQL \(new) beside it"), "\(missing.output)")
    }

    @Test func `while others use it, it stays as it is, and that is said`() async throws {
        let newer = try newer()
        let stage = try await stage()
        let old = try #require(stage.version())
        let watch = try stage.start("status", "--watch", changing: Stage.inPrivate)
        try await stage.until("the status") { try watch.output.contains("stored") }
        let setup = try await stage.run("setup", changing: newer)
        #expect(setup.status == 0, "\(setup.output)")
        #expect(setup.output.contains("other coldroll processes use it"), "\(setup.output)")
        #expect(stage.version() == old)
        watch.signal(SIGTERM)
        _ = try await watch.end()
    }

    /// Kills a setup while it looks at the new server; a machine that was too slow for that once gets another to kill.
    ///
    /// - Returns: the one whose setup was killed there.
    private func killedOverTheNewServer(_ first: Stage, _ newer: [String: String]) async throws -> Stage {
        var stage = first
        for _ in 0..<5 {
            let here = stage
            let setup = try here.start("setup", changing: newer)
            try await here.until("the new server") {
                // Before it was begun, the old one was asked whether it takes the archive.
                let output = try setup.output.components(separatedBy: "carrying the private PostgreSQL over")
                return output.count > 1
                    && output[1].components(separatedBy: "started the private PostgreSQL").count > 2
            }
            setup.signal(SIGKILL)
            _ = try await setup.end()
            if here.version("data.new") != nil { return here }
            stage = try await self.stage()
        }
        return try #require(nil as Stage?, "five setups were done before they were killed")
    }

    @Test func `killed in the middle, the old one goes on, and the next setup does it`() async throws {
        let newer = try newer()
        var stage = try await stage()
        let old = try #require(stage.version())

        // While pg_upgrade runs, which goes on by itself.
        let first = try stage.start("setup", changing: newer)
        let sign = stage.privateDirectory + "/data.new/pg_upgrade_output.d"
        try await stage.until("pg_upgrade") { FileManager.default.fileExists(atPath: sign) }
        first.signal(SIGKILL)
        #expect(try await first.end().status == SIGKILL)
        let status = try await stage.run("status", changing: Stage.inPrivate)
        #expect(!FileManager.default.fileExists(atPath: sign), "pg_upgrade was not waited for")
        #expect(status.output.contains("stored    8 = "), "\(status.output)")
        #expect(stage.version() == old)

        // While the new server is looked at.
        stage = try await killedOverTheNewServer(stage, newer)
        try stage.simulator.addPhoto(named: "new.jpg")
        #expect(try await stage.run("run", changing: Stage.inPrivate).status == 0)
        #expect(stage.version() == old)

        // Between two names.
        let setup = try await stage.run("setup", changing: newer)
        #expect(setup.output.contains("carried over"), "\(setup.output)")
        let new = try #require(stage.version())
        try await expectStored(9, stage, newer)
        let mark = stage.privateDirectory + "/exchange"
        #expect(!FileManager.default.fileExists(atPath: mark))
        try Data("\(new)\n".utf8).write(to: URL(fileURLWithPath: mark))
        try FileManager.default.moveItem(
            atPath: stage.privateDirectory + "/data",
            toPath: stage.privateDirectory + "/data.\(new)"
        )
        try await expectStored(9, stage, newer)
        #expect(stage.version() == new)
        #expect(stage.version("data.\(old)") == old)
        #expect(!FileManager.default.fileExists(atPath: mark))

        // Taken away by its owner: what is kept beside it is no answer.
        try FileManager.default.moveItem(
            atPath: stage.privateDirectory + "/data",
            toPath: stage.privateDirectory + "/mine"
        )
        let empty = try await stage.run("status", changing: newer)
        #expect(empty.status == 1)
        #expect(empty.output.contains("There is nothing in"), "\(empty.output)")
        #expect(stage.version("data.\(old)") == old)
    }

    @Test func `an upgrade that fails is told and counts, and everything else is done with the old one`() async throws {
        let stage = try await stage()
        let old = try #require(stage.version())
        // Programs of a version to come, which cannot even begin.
        let programs = stage.directory + "/newer"
        try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: true)
        for (name, script) in [
            ("postgres", "echo 'postgres (PostgreSQL) 99.1'"), ("pg_ctl", "exit 1"), ("pg_upgrade", "exit 1"),
            ("initdb", "echo 'initdb: error: no luck' >&2; exit 1"),
        ] {
            let path = programs + "/" + name
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(fileURLWithPath: path))
            chmod(path, 0o755)
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let broken = Stage.inPrivate.merging(["PATH": path + ":" + programs]) { $1 }
        let setup = try await stage.run("setup", changing: broken)
        #expect(setup.status == 4, "\(setup.output)")
        #expect(
            setup.output.contains(
                "was not carried over from PostgreSQL \(old) to 99, and goes on with \(old): initdb of"
            ),
            "\(setup.output)"
        )
        #expect(setup.output.contains("no luck"), "\(setup.output)")
        #expect(setup.output.contains("Correct that and run 'coldroll setup' again"), "\(setup.output)")
        #expect(setup.output.contains("The database's schema is of version"), "\(setup.output)")
        #expect(setup.output.contains("The ledger belongs to the archive"), "\(setup.output)")
        try await expectStored(8, stage, broken)
        #expect(stage.version() == old)
    }
}
