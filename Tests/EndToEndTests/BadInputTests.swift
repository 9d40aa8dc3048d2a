import Foundation
import GoogleSimulator
import TestSupport
import Testing

/// What the world outside gives that it should not: each is told in a sentence, and no part is lost by it.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct BadInputTests {
    private func synthetic(
        _ count: Int,
        archive: String? = nil,
        _ change: (inout SimulatorConfiguration) -> Void = { _ in }
    ) throws -> Stage {
        try Stage(archive: archive) { configuration in
            configuration.synthesis = SynthesisOptions(count: count, sizes: 20_000...90_000, videoPercent: 0)
            change(&configuration)
        }
    }

    /// Every part still has its job, and none was charged for what was not its fault.
    private func proveNothingIsLost(_ stage: Stage, _ count: Int64, sourceLocation: SourceLocation = #_sourceLocation)
        async throws
    {
        let kept = try await stage.number(
            "SELECT (SELECT count(*) FROM coldroll.job WHERE attempt = 0) + (SELECT count(*) FROM coldroll.object)"
        )
        #expect(kept == count, sourceLocation: sourceLocation)
        #expect(
            try await stage.number("SELECT sum(unaccounted)::bigint FROM coldroll.balance") == 0,
            sourceLocation: sourceLocation
        )
    }

    // MARK: Directories

    @Test func `a directory of another host under the archive's path is refused before anything is stored in it`()
        async throws
    {
        let stage = try Stage(archive: "file://DIRECTORY/archive") { configuration in
            configuration.synthesis = SynthesisOptions(count: 8, sizes: 20_000...90_000, videoPercent: 0)
        }
        let archive = stage.directory + "/archive"
        #expect(try await stage.run("setup").status == 0)
        #expect(try await stage.run("scan").status == 0)
        // The other host's disk: as empty as this one, where nothing is stored yet.
        try FileManager.default.moveItem(atPath: archive, toPath: archive + "-here")
        let bare = try await stage.run("setup")
        #expect(
            bare.status == 1 && bare.output.contains("several hosts need one that all of them reach"),
            "\(bare.output)"
        )
        try FileManager.default.createDirectory(atPath: archive, withIntermediateDirectories: false)
        for command in ["setup", "run", "scan", "work"] {
            let end = try await stage.run(command)
            #expect(end.status == 1, "\(end.output)")
            #expect(
                end.output.contains("not the archive of this ledger, but another one under the same path"),
                "\(end.output)"
            )
        }
        #expect(try FileManager.default.subpathsOfDirectory(atPath: archive).allSatisfy { $0.hasPrefix(".coldroll") })
        try FileManager.default.removeItem(atPath: archive)
        try FileManager.default.moveItem(atPath: archive + "-here", toPath: archive)
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 8)
    }

    @Test func `a name that was mistyped does not bind the ledger`() async throws {
        let stage = try synthetic(2)
        #expect(try await stage.run("run", changing: ["COLDROLL_ARCHIVE": "gs://nowhere"]).status == 1)
        #expect(try await stage.run("run", changing: ["COLDROLL_ARCHIVE": "file:///nonexistent/photos"]).status == 1)
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        try stage.proveEverythingIsStored()
    }

    @Test func `a watch ends when nobody reads it any more, and a setup without a source says what is missing`()
        async throws
    {
        let stage = try synthetic(2)
        let watch = try await Program(
            "/bin/sh",
            ["-c", "'\(Stage.programs)/coldroll' status --watch --json | head -n 1"],
            stage.environment,
            output: stage.directory + "/watch"
        ).end()
        #expect(watch.status == 0 && watch.output.hasPrefix("{"), "\(watch.output)")
        let setup = try await stage.run("setup", changing: ["COLDROLL_SOURCE": ""])
        #expect(setup.status == 0, "\(setup.output)")
        #expect(setup.output.contains("set COLDROLL_SOURCE to library or picker"), "\(setup.output)")
    }

    @Test func `a pause lets what is in hand end and begins nothing that was claimed before it`() async throws {
        // Enough for minutes, so that the middle of it cannot be missed.
        let stage = try synthetic(1000)
        #expect(try await stage.run("scan").status == 0)
        var slow = FaultRule(on: "download", .latency)
        slow.milliseconds = 1000
        stage.simulator.setFaults([slow])
        let worker = try stage.start("work", "--drain", "--slots", "8")
        let running = "SELECT count(*) FROM coldroll.job WHERE state = 'running'"
        try await stage.until("more is claimed than is begun") {
            let stored = try await stage.number("SELECT count(*) FROM coldroll.object")
            let held = try await stage.number(running)
            return stored >= 1 && held > 8
        }
        let lane = try await stage.number("SELECT id FROM coldroll.lane WHERE kind = 'photo'")
        #expect(try await stage.run("pause", "\(lane)").status == 0)
        let before = try await stage.number("SELECT count(*) FROM coldroll.object")
        try await stage.until("nothing is in hand any more") { try await stage.number(running) == 0 }
        let after = try await stage.number("SELECT count(*) FROM coldroll.object")
        #expect(after <= before + 8, "\(before), \(after)")
        try await Task.sleep(for: .seconds(3))
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == after)
        #expect(try await stage.number("SELECT coalesce(max(attempt), 0)::bigint FROM coldroll.job") == 0)
        stage.simulator.setFaults([])
        #expect(try await stage.run("resume", "\(lane)").status == 0)
        let end = try await worker.end()
        #expect(end.status == 0, "\(end.output)")
        try stage.proveEverythingIsStored()
    }

    // MARK: Slots

    @Test(arguments: ["0", "65", "10000", "-4", "many"])
    func `a number of slots that cannot be is refused with the range, before anything is asked`(slots: String)
        async throws
    {
        let stage = try synthetic(2)
        for end in [
            try await stage.run("run", "--slots", slots),
            try await stage.run("run", changing: ["COLDROLL_SLOTS": slots]),
        ] {
            #expect(end.status == 1, "\(end.output)")
            #expect(end.output.contains("'\(slots)'; expected 'auto' or a whole number from 1 to 64"), "\(end.output)")
        }
        #expect(stage.simulator.counters.requests.isEmpty)
    }

    @Test(arguments: ["1", "64"])
    func `the fewest and the most slots store everything`(slots: String) async throws {
        let stage = try Stage { configuration in
            configuration.synthesis = SynthesisOptions(count: 60, sizes: 20_000...90_000, videoPercent: 40)
        }
        let end = try await stage.run("run", "--slots", slots)
        #expect(end.status == 0, "\(end.output)")
        try stage.proveEverythingIsStored()
        let most = stage.simulator.counters.mostAtOnce
        #expect(slots == "1" ? most <= 4 : most > 4, "\(most) requests at once")
    }

    // MARK: Buckets

    @Test(arguments: ["setup", "run"])
    func `a bucket that does not exist is named with how to make it`(command: String) async throws {
        let stage = try synthetic(2)
        let end = try await stage.run(command, changing: ["COLDROLL_ARCHIVE": "gs://nowhere"])
        #expect(end.status == 1, "\(end.output)")
        let words =
            command == "setup"
            ? "agree to what is shown above by 'coldroll setup --yes'"
            : "There is no bucket gs://nowhere. 'coldroll setup'"
        #expect(end.output.contains(words), "\(end.output)")
        #expect(stage.simulator.counters.requests["bucketInsert"] == nil)
    }

    @Test(arguments: ["setup", "run"])
    func `a bucket that may not be written is told with the missing permission`(command: String) async throws {
        let stage = try synthetic(2) { $0.readOnlyBuckets = ["archive"] }
        let end = try await stage.run(command)
        #expect(end.status == 3, "\(end.output)")
        #expect(end.output.contains("storage.objects.create") && end.output.contains("gs://archive"), "\(end.output)")
        #expect(stage.simulator.counters.requests["bucketPermissions", default: 0] > 0)
    }

    @Test func `a bucket that is closed in mid-run ends the run, and the next one stores everything`() async throws {
        let stage = try synthetic(12)
        var closed = FaultRule(on: "uploadMultipart", .status)
        closed.status = 403
        closed.after = 4
        closed.body = """
            {"error":{"code":403,"message":"simulator does not have storage.objects.create access","errors":[
            {"message":"no","domain":"global","reason":"forbidden"}]}}
            """
        stage.simulator.setFaults([closed])
        let end = try await stage.run("run")
        #expect(end.status == 3, "\(end.output)")
        #expect(end.output.contains("give the account the permission storage.objects.create on gs://archive"))
        #expect(stage.simulator.faults[0].struck > 0)
        try await proveNothingIsLost(stage, 12)
        stage.simulator.setFaults([])
        #expect(try await stage.run("run").status == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `a bucket that answers 429 for a minute costs no part an attempt`() async throws {
        let stage = try synthetic(20)
        var busy = FaultRule(on: "uploadMultipart,uploadStart", .status)
        busy.status = 429
        busy.forSeconds = 60
        stage.simulator.setFaults([busy])
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.faults[0].struck > 20)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.outcome") == 0)
        #expect(try await stage.number("SELECT coalesce(max(attempt), 0) FROM coldroll.job_error") == 0)
        try stage.proveEverythingIsStored()
    }

    // MARK: Logins

    @Test func `a revoked login says how to go on, before a scan and in the middle of the work`() async throws {
        let stage = try synthetic(6)
        #expect(try await stage.run("scan").status == 0)
        stage.simulator.revokePhotosLogin()
        for command in ["setup", "run", "scan", "work"] {
            let end = try await stage.run(command)
            #expect(end.status == 3, "\(command): \(end.output)")
            #expect(end.output.contains("it has expired or was revoked"), "\(command): \(end.output)")
            #expect(end.output.contains("Log in again"), "\(command): \(end.output)")
        }
        try await proveNothingIsLost(stage, 6)
    }

    // MARK: Answers

    @Test(arguments: [
        "[]", "{\"mediaItems\": 7}", "{\"mediaItems\": [7]}", "<html>Sign in</html>", "", "{\"mediaItems\": [{\"id\": ",
    ])
    func `a listing that is not what the API promises is asked for again, and is told`(body: String) async throws {
        let stage = try synthetic(120)
        var nonsense = FaultRule(on: "list", .status)
        nonsense.status = 200
        nonsense.body = body
        nonsense.contentType = "application/json"
        nonsense.nth = [2]
        stage.simulator.setFaults([nonsense])
        let end = try await stage.run("scan")
        #expect(end.status == 0, "\(end.output)")
        // An entry that is no item is asked for again without a wait.
        #expect(end.output.contains("listing waits") || body == "{\"mediaItems\": [7]}", "\(end.output)")
        #expect(stage.simulator.faults[0].struck == 1)
        stage.simulator.setFaults([])
        let run = try await stage.run("run")
        #expect(run.status == 0, "\(run.output)")
        try stage.proveEverythingIsStored()
    }

    @Test(arguments: ["batchGet", "get", "uploadMultipart", "objectGet", "token"])
    func `an answer that is not what its API promises loses nothing`(operation: String) async throws {
        let stage = try synthetic(12)
        #expect(try await stage.run("scan").status == 0)
        var nonsense = FaultRule(on: operation, .status)
        nonsense.status = 200
        nonsense.body = "{\"surprise\": [1, null, {}]}"
        nonsense.contentType = "application/json"
        nonsense.times = 2
        // Single gets happen only where something else went wrong before, looks at objects where some are stored.
        var stumble = FaultRule(on: "batchGet", .status)
        stumble.times = 3
        if operation == "objectGet" { #expect(try await stage.run("run").status == 0) }
        stage.simulator.setFaults(operation == "get" ? [nonsense, stumble] : [nonsense])
        // A run's own scan may bring the base URLs before a worker asks for them; a worker alone must ask.
        let asks = operation == "batchGet" || operation == "get"
        let end = asks ? try await stage.run("work", "--drain") : try await stage.run("run")
        // An archive that cannot be looked at is not relied upon; everything else is asked again.
        #expect(end.status == (operation == "objectGet" ? 4 : 0), "\(end.output)")
        #expect(stage.simulator.faults[0].struck > 0, "\(end.output)")
        stage.simulator.setFaults([])
        #expect(try await stage.run("run").status == 0)
        try stage.proveEverythingIsStored()
    }

    // MARK: Names

    static let names = [
        "a/b.jpg", "../../etc/passwd", "..", ".", "/", "C:\\photos\\x.jpg", "nul\u{0}byte.jpg", "new\nline.jpg",
        "tab\tbell\u{7}.jpg",
        String(repeating: "long ", count: 60) + ".jpg", String(repeating: "é", count: 150) + ".jpg",
        "K\u{61}\u{308}yra\u{308}.jpg",
        "K\u{E4}yr\u{E4}.jpg", "👩‍👩‍👧 at the sea 🏖️.jpg", "\u{202E}gpj.exe", "\u{200F}right\u{200E}.jpg", "Same.JPG",
        "same.jpg",
        "SAME.jpg", "CON.jpg", "trailing dot.", " ", "", "-rf.jpg", "%2e%2e%2f.jpg", ".hidden.jpg", "#[]*?.jpg",
    ]

    @Test(arguments: [nil, "file://DIRECTORY/archive"])
    func `hostile filenames are stored under harmless names, each once`(archive: String?) async throws {
        let stage = try synthetic(1, archive: archive)
        for name in Self.names { try stage.simulator.addPhoto(named: name) }
        #expect(try await stage.run("setup").status == 0)
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        let stored = try await stage.texts("SELECT object_name FROM coldroll.part")
        #expect(stored.count == Self.names.count + 1)
        #expect(Set(stored.map { $0.precomposedStringWithCanonicalMapping.lowercased() }).count == stored.count)
        for name in stored {
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            #expect(parts.count == 2 && !parts[1].isEmpty && parts[1] != ".." && parts[1].utf8.count <= 255, "\(name)")
            let isHarmless = name.unicodeScalars.allSatisfy { scalar in
                scalar.properties.generalCategory != .control && !(0x202A...0x202E).contains(scalar.value)
                    && scalar.value != 0x200F && scalar.value != 0x200E
            }
            #expect(isHarmless, "\(name)")
        }
        // What the owner sees is steered by none of them either.
        let isPlain = end.output.unicodeScalars.allSatisfy { $0.value >= 32 || $0 == "\n" }
        #expect(isPlain)
        if archive == nil {
            try stage.proveEverythingIsStored()
            let originals = Set(stage.simulator.objects().compactMap { $0.metadata["coldroll-filename"] })
            #expect(originals.isSuperset(of: ["Same.JPG", "same.jpg", "SAME.jpg", "CON.jpg"]))
        } else {
            for name in stored { #expect(FileManager.default.fileExists(atPath: stage.directory + "/archive/" + name)) }
            let above = try FileManager.default.contentsOfDirectory(atPath: stage.directory)
            #expect(!above.contains("etc") && !above.contains("passwd"), "\(above)")
        }
    }

    // MARK: Disks

    @Test func `a full disk ends the run in a sentence, and the next one goes on`() async throws {
        let stage = try Stage(archive: "file://DIRECTORY/archive") {
            $0.synthesis = SynthesisOptions(count: 8, sizes: 3_000_000...3_000_000, videoPercent: 0)
        }
        let disk = try TinyDisk(stage.directory + "/archive", megabytes: 10)
        defer { disk.unmount() }
        let end = try await stage.run("run")
        #expect(end.status == 4, "\(end.output)")
        #expect(end.output.contains("disk is full"), "\(end.output)")
        try await proveNothingIsLost(stage, 8)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") < 8)
        try disk.grow(to: 64)
        let next = try await stage.run("run")
        #expect(next.status == 0, "\(next.output)")
        let files = try FileManager.default.subpathsOfDirectory(atPath: stage.directory + "/archive")
        #expect(files.filter { $0.hasSuffix(".jpg") }.count == 8, "\(files)")
    }

    @Test func `a private database whose disk is full is told, and nothing is lost when there is room again`()
        async throws
    {
        let stage = try synthetic(300)
        // initdb and the server's user pass through the home, which root gives away.
        let disk = try TinyDisk(stage.directory + "/home", megabytes: 160)
        defer { disk.unmount() }
        chmod(stage.directory, 0o711)
        let own = ["COLDROLL_DATABASE_URL": ""]
        let setup = try await stage.run("setup", changing: own)
        #expect(setup.status == 0, "\(setup.output)")
        try disk.fill()
        let full = try await stage.run("setup", changing: own)
        let scan = try stage.start("scan", changing: own)
        try await stage.until("the scan notices") {
            let said = try scan.output
            return said.contains("o space left") || said.contains("is full") || said.contains("scan complete")
        }
        scan.signal(SIGTERM)
        let end = try await scan.end()
        #expect(end.output.contains("o space left") || end.output.contains("is full"), "\(full.output)\n\(end.output)")
        try disk.empty()
        let run = try await stage.run("run", changing: own)
        #expect(run.status == 0, "\(run.output)")
        try stage.proveEverythingIsStored()
    }
}

/// A file system of a few megabytes.
final class TinyDisk: Sendable {
    private let path: String

    init(_ path: String, megabytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Self.run("mount", "-t", "tmpfs", "-o", "size=\(megabytes)m,mode=711", "tmpfs", path)
    }

    func grow(to megabytes: Int) throws { try Self.run("mount", "-o", "remount,size=\(megabytes)m", path) }

    /// Leaves no byte free.
    func fill() throws {
        try Self.run("sh", "-c", "cat /dev/zero > '\(path)/filler' 2>/dev/null || true")
    }

    func empty() throws { try FileManager.default.removeItem(atPath: path + "/filler") }

    func unmount() { try? Self.run("umount", "-l", path) }

    private static func run(_ words: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(words.joined(separator: " ")) failed")
    }
}
