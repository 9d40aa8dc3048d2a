import Foundation
import GoogleSimulator
import Postgres
import TestSupport
import Testing

/// The folder of real photos and videos that the project ships.
let samples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Samples").path

@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct ArchiveTests {
    private func synthetic(
        _ count: Int,
        _ sizes: ClosedRange<Int64> = 50_000...400_000,
        _ change: (inout SimulatorConfiguration) -> Void = { _ in }
    ) throws -> Stage {
        try Stage { configuration in
            configuration.synthesis = SynthesisOptions(count: count, sizes: sizes, videoPercent: 20)
            change(&configuration)
        }
    }

    @Test func `real photos and videos arrive bit for bit, motion clips too, and a second run uploads nothing`()
        async throws
    {
        let stage = try Stage { $0.libraries = [samples] }
        let first = try await stage.run("run")
        #expect(first.status == 0, "\(first.output)")
        try stage.proveEverythingIsStored()
        #expect(try stage.simulator.library.contains { $0.kind == "photo" && $0.video != nil }, "no motion photo")
        #expect(try await stage.number("SELECT sum(unaccounted)::bigint FROM coldroll.balance") == 0)

        let date = try String(
            contentsOfFile: stage.directory + "/state/execution/last_execution_date.txt",
            encoding: .utf8
        )
        #expect(date.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n/) != nil)

        stage.simulator.resetCounters()
        let second = try await stage.run("run")
        #expect(second.status == 0, "\(second.output)")
        let requests = stage.simulator.counters.requests
        for operation in ["download", "downloadVideo", "uploadMultipart", "uploadStart", "uploadData"] {
            #expect(requests[operation, default: 0] == 0, "\(operation)")
        }
        // Two objects are looked for, whatever the size of the library.
        #expect(requests["objectGet", default: 0] <= 3)
        // The bucket's settings are looked at once, and its policy where public access is not prevented.
        #expect(requests["bucketGet"] == 1 && requests["bucketPolicy"] == 1, "\(requests)")
    }

    @Test func `a directory receives the same bytes`() async throws {
        let stage = try Stage(archive: "file://DIRECTORY/archive") { $0.libraries = [samples] }
        try FileManager.default.createDirectory(
            atPath: stage.directory + "/archive",
            withIntermediateDirectories: true
        )
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        var stored: [Data: Int] = [:]
        let files = FileManager.default.enumerator(atPath: stage.directory + "/archive")
        while let name = files?.nextObject() as? String {
            guard !name.hasPrefix(".coldroll"),
                let data = FileManager.default.contents(atPath: stage.directory + "/archive/" + name)
            else { continue }
            stored[data, default: 0] += 1
        }
        for entry in try stage.simulator.library where entry.kind == "photo" {
            let path = try #require(entry.path)
            let bytes = try #require(FileManager.default.contents(atPath: path))
            #expect(stored[bytes, default: 0] >= 1, "\(entry.filename)")
        }
    }

    @Test func `cut bodies, refusing buckets and error pages with 200 lose nothing and store nothing wrong`()
        async throws
    {
        let stage = try synthetic(150)
        var cut = FaultRule(on: "download,redirectTarget", .cut)
        cut.rate = 0.05
        cut.at = 0.5
        var page = FaultRule(on: "download", .html)
        page.rate = 0.04
        var refused = FaultRule(on: "uploadMultipart,uploadStart,uploadData", .status)
        refused.rate = 0.05
        var lost = FaultRule(on: "uploadMultipart", .loseAnswer)
        lost.rate = 0.03
        stage.simulator.setFaults([cut, page, refused, lost])
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        for fault in stage.simulator.faults { #expect(fault.struck > 0, "\(fault.rule)") }
        try stage.proveEverythingIsStored()
    }

    @Test func `pages without items, repeated items and empty batch results are survived`() async throws {
        let stage = try synthetic(250) { $0.quirks = [.emptyPages, .repeatAcrossPages, .emptyResults] }
        let scan = try await stage.run("scan")
        #expect(scan.status == 0, "\(scan.output)")
        let work = try await stage.run("work", "--drain")
        #expect(work.status == 0, "\(work.output)")
        try stage.proveEverythingIsStored()
    }

    @Test func `items without name, type, time or size are archived`() async throws {
        // The 32nd item would lack its base URL for ever.
        let stage = try synthetic(30) { $0.quirks = [.missingFields] }
        let end = try await stage.run("run")
        #expect(end.status == 0, "\(end.output)")
        #expect(stage.simulator.objects().contains { $0.name.hasPrefix("undated/") })
        try stage.proveEverythingIsStored()
    }

    @Test func `an item that fails its whole batch holds nobody else up`() async throws {
        let stage = try synthetic(60) { $0.quirks = [.badID] }
        #expect(try await stage.run("scan").status == 0)
        let work = try stage.start("work", "--drain")
        try await stage.until("everybody else's end") {
            try await stage.number("SELECT count(*) FROM coldroll.object") == 59
        }
        work.signal(SIGTERM)
        _ = try await work.end()
        #expect(try stage.simulator.library.filter(\.isBad).count == 1)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job") == 1)
    }

    @Test func `a foreign object under our name is left alone, and the photo gets a longer name`() async throws {
        let stage = try synthetic(12)
        let first = try await stage.run("scan")
        #expect(first.status == 0, "\(first.output)")
        let names = try await stage.texts("SELECT object_name FROM coldroll.part ORDER BY id LIMIT 1")
        let name = try #require(names.first)
        try await stage.upload("not ours", as: name)
        let end = try await stage.run("work", "--drain")
        #expect(end.status == 0, "\(end.output)")
        let foreign = try #require(stage.simulator.objects().first { $0.name == name })
        #expect(foreign.size == 8 && foreign.metadata.isEmpty)
        try stage.proveEverythingIsStored(foreign: [name])
    }

    @Test func `a smaller picture is dead until the owner accepts it`() async throws {
        let stage = try synthetic(5) { $0.synthesis?.videoPercent = 0 }
        stage.simulator.setFaults([FaultRule(on: "download", .smaller)])
        let run = try await stage.run("run")
        #expect(run.status == 2, "\(run.output)")
        #expect(stage.simulator.objects().filter { $0.bucket == "archive" }.isEmpty)
        let parts = try await stage.texts("SELECT part::text FROM coldroll.failures")
        #expect(parts.count == 5)
        for name in try await stage.texts("SELECT object_name FROM coldroll.failures") {
            let told = run.output.split(separator: "\n").filter { $0.contains("part is dead") && $0.contains(name) }
            #expect(told.count == 1, "\(run.output)")
        }
        for part in parts { #expect(try await stage.run("accept", part).status == 0) }
        let work = try await stage.run("work", "--drain")
        #expect(work.status == 0, "\(work.output)")
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object WHERE fidelity = 'reduced'") == 5)
    }

    @Test func `a lost ledger beside its archive stops before it stores anything`() async throws {
        let stage = try synthetic(5)
        #expect(try await stage.run("run").status == 0)
        let before = stage.simulator.objects()
        // What an empty database looks like, with and without the marker in the state store.
        try await stage.texts("DROP SCHEMA coldroll CASCADE")
        let setup = try await stage.run("setup")
        #expect(setup.status == 2, "\(setup.output)")
        #expect(setup.output.contains("Restore the database"), "\(setup.output)")
        let marked = try await stage.run("run")
        #expect(marked.status == 2, "\(marked.output)")
        #expect(marked.output.contains("Restore the database"), "\(marked.output)")
        try FileManager.default.removeItem(atPath: stage.directory + "/state/coldroll/marker.json")
        let unmarked = try await stage.run("run")
        #expect(unmarked.status == 2, "\(unmarked.output)")
        #expect(unmarked.output.contains("Nothing was stored"), "\(unmarked.output)")
        #expect(stage.simulator.objects() == before)
    }

    @Test func `an archive that was emptied or is not mounted is noticed before a run says that all is stored`()
        async throws
    {
        let stage = try Stage(archive: "file://DIRECTORY/archive") {
            $0.synthesis = SynthesisOptions(count: 5, sizes: 5_000...9_000, videoPercent: 0)
        }
        let archive = stage.directory + "/archive"
        try FileManager.default.createDirectory(atPath: archive, withIntermediateDirectories: true)
        #expect(try await stage.run("run").status == 0)
        try FileManager.default.moveItem(atPath: archive, toPath: archive + ".away")
        let gone = try await stage.run("run")
        #expect(gone.status == 1, "\(gone.output)")
        try FileManager.default.createDirectory(atPath: archive, withIntermediateDirectories: true)
        let empty = try await stage.run("run")
        #expect(empty.status == 1, "\(empty.output)")
        #expect(empty.output.contains("not the archive of this ledger"), "\(empty.output)")
        // A copy without any of its photos, but with all that coldroll keeps there.
        try FileManager.default.removeItem(atPath: archive)
        try FileManager.default.createDirectory(atPath: archive, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: archive + ".away/.coldroll", toPath: archive + "/.coldroll")
        let hollow = try await stage.run("run")
        #expect(hollow.status == 2, "\(hollow.output)")
        #expect(hollow.output.contains("not there"), "\(hollow.output)")
        try FileManager.default.removeItem(atPath: archive)
        try FileManager.default.moveItem(atPath: archive + ".away", toPath: archive)
        #expect(try await stage.run("run").status == 0)
    }

    @Test func `a disk that is unmounted in the middle of a run ends it as one that was not mounted`() async throws {
        let stage = try Stage(archive: "file://DIRECTORY/archive") {
            $0.synthesis = SynthesisOptions(count: 5, sizes: 5_000...9_000, videoPercent: 0)
        }
        let archive = stage.directory + "/archive"
        try FileManager.default.createDirectory(atPath: archive, withIntermediateDirectories: true)
        var late = FaultRule(on: "download", .latency)
        late.milliseconds = 15_000
        late.nth = [3]
        stage.simulator.setFaults([late])
        let run = try stage.start("run", "--slots", "1")
        try await stage.until("the third download") { stage.simulator.faults[0].struck == 1 }
        try FileManager.default.moveItem(atPath: archive, toPath: archive + ".away")
        try FileManager.default.createDirectory(atPath: archive, withIntermediateDirectories: true)
        let end = try await run.end()
        #expect(end.status == 1 && end.output.contains("is the disk still mounted?"), "\(end.output)")
        #expect(try FileManager.default.subpathsOfDirectory(atPath: archive).isEmpty)
        try FileManager.default.removeItem(atPath: archive)
        try FileManager.default.moveItem(atPath: archive + ".away", toPath: archive)
        #expect(try await stage.run("run").status == 0)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 5)
        #expect(try await stage.number("SELECT count(*) FROM coldroll.job_error") == 0)
    }

    @Test func `a first try that stored nothing locks no other ledger out`() async throws {
        let stage = try synthetic(3)
        #expect(try await stage.run("scan").status == 0)
        #expect(FileManager.default.fileExists(atPath: stage.directory + "/state/coldroll/marker.json"))
        try await stage.texts("DROP SCHEMA coldroll CASCADE")
        #expect(try await stage.run("setup").status == 0)
        #expect(try await stage.run("run").status == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `a login without the scope is told why, and what else there is`() async throws {
        let stage = try synthetic(3) { $0.hasRemovedScopes = true }
        let end = try await stage.run("run")
        #expect(end.status == 3, "\(end.output)")
        #expect(end.output.contains("31 March 2025") && end.output.contains("Takeout"), "\(end.output)")
    }

    @Test func `a database that is down is told in a sentence`() async throws {
        let stage = try synthetic(3)
        let end = try await stage.run(
            "run",
            changing: ["COLDROLL_DATABASE_URL": "postgresql://127.0.0.1:1/none?connect_timeout=2"]
        )
        #expect(end.status == 4, "\(end.output)")
    }
}
