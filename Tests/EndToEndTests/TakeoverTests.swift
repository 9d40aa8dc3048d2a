import Foundation
import GoogleSimulator
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A worker vanishes in the middle of a large upload, and another one goes on with it.
@Suite(.migratedDatabase, .timeLimit(.minutes(20))) struct TakeoverTests {
    /// A library of one video, and a worker that has uploaded some of it and does not get on.
    private struct Scene {
        let stage: Stage
        let victim: Program
        /// Body bytes of the victim's upload.
        let sent: Int64

        /// The victim's download stands still at the fraction `at` of what it gets; `rules` strike it too.
        init(
            _ size: Int64 = 64_000_000,
            at: Double = 0.5,
            archive: String? = nil,
            rules: [FaultRule] = [],
            factor: Double = 1
        ) async throws {
            let stage = try Stage(archive: archive) {
                $0.synthesis = SynthesisOptions(count: 1, sizes: size...size, videoPercent: 100)
                $0.hasMD5 = false
            }
            if archive != nil {
                try FileManager.default.createDirectory(
                    atPath: stage.directory + "/archive",
                    withIntermediateDirectories: true
                )
            }
            #expect(try await stage.run("scan").status == 0)
            var stall = FaultRule(on: "redirectTarget", .stall)
            stall.at = at
            stage.simulator.setFaults(rules + [stall])
            victim = try stage.start("work", "--slots", "2")
            self.stage = stage
            // A body of unknown length is kept once 32 MiB of it are safe.
            let wanted = Int64(Double(size) * factor * at) - 6_000_000
            if archive != nil {
                try await stage.until("the download") { stage.simulator.counters.requests("redirectTarget") > 0 }
            } else {
                try await stage.until("the middle of the upload") {
                    let sent = stage.simulator.counters.bytesIn["uploadData", default: 0]
                    guard sent > wanted else { return false }
                    return try await stage.number("SELECT count(*) FROM coldroll.upload") == 1
                }
            }
            sent = stage.simulator.counters.bytesIn["uploadData", default: 0]
            let whole = Double(size) * factor
            #expect(archive != nil || (whole * 0.1...whole * 0.9).contains(Double(sent)), "\(sent)")
            #expect(stage.simulator.objects().filter { $0.bucket == "archive" }.isEmpty)
            for fault in stage.simulator.faults { #expect(fault.struck > 0, "\(fault.rule)") }
        }

        /// Ends the victim without a chance to say a word.
        ///
        /// `isKnown` spares the test the time after which the database counts it as dead.
        func kill(isKnown: Bool = true) async throws {
            victim.signal(SIGKILL)
            expectNoSecret(try await victim.end())
            guard isKnown else { return }
            try await stage.texts(
                "UPDATE coldroll.worker SET state = 'dead', ended_at = now() WHERE state = 'alive'"
            )
        }

        /// Another worker does what is left; what it printed.
        @discardableResult
        func finish(_ rules: [FaultRule] = [], _ location: SourceLocation = #_sourceLocation) async throws -> String {
            stage.simulator.setFaults(rules)
            let end = try await stage.run("work", "--drain")
            #expect(end.status == 0, "\(end.output)", sourceLocation: location)
            for fault in stage.simulator.faults {
                #expect(fault.struck > 0, "\(fault.rule)", sourceLocation: location)
            }
            expectNoSecret(end, location)
            #expect(try await stage.number("SELECT count(*) FROM coldroll.object") == 1, sourceLocation: location)
            #expect(try await stage.number("SELECT count(*) FROM coldroll.upload") == 0, sourceLocation: location)
            #expect(try await stage.number("SELECT sum(unaccounted)::bigint FROM coldroll.balance") == 0)
            return end.output
        }

        private func expectNoSecret(_ end: Program.End, _ location: SourceLocation = #_sourceLocation) {
            #expect(!end.output.contains("upload_id"), sourceLocation: location)
        }

        func count(_ operation: String) -> Int { stage.simulator.counters.requests(operation) }

        /// Body bytes of all uploads.
        var allSent: Int64 { stage.simulator.counters.bytesIn["uploadData", default: 0] }
    }

    private let goesOn = "goes on with an upload that another worker began"

    @Test func `the upload of a killed worker is gone on with, and only what is missing is sent`() async throws {
        let size: Int64 = 240_000_000
        let scene = try await Scene(size)
        try await scene.kill(isKnown: false)
        #expect(try await scene.stage.number("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == 1)
        let output = try await scene.finish()
        #expect(output.contains(goesOn))
        #expect(scene.count("uploadStart") == 1)
        #expect(scene.allSent >= size && scene.allSent < size * 13 / 10, "\(scene.allSent)")
        // Ranges are not served: all of it was downloaded again.
        #expect(scene.count("redirectTarget") == 2)
        try scene.stage.proveEverythingIsStored()
    }

    @Test func `what a stopped worker began is gone on with too`() async throws {
        let size: Int64 = 64_000_000
        let scene = try await Scene(size)
        scene.victim.signal(SIGTERM)
        scene.victim.signal(SIGTERM)
        let end = try await scene.victim.end()
        #expect(end.status == 130, "\(end.output)")
        #expect(try await scene.stage.number("SELECT count(*) FROM coldroll.job WHERE state = 'ready'") == 1)
        #expect(try await scene.finish().contains(goesOn))
        #expect(scene.count("uploadStart") == 1)
        #expect(scene.allSent < size * 13 / 10, "\(scene.allSent)")
        try scene.stage.proveEverythingIsStored()
    }

    @Test func `bytes of two different downloads are refused by the bucket, and one download is stored whole`()
        async throws
    {
        var different = FaultRule(on: "redirectTarget", .different)
        different.at = 0.05
        let scene = try await Scene(rules: [different])
        try await scene.kill()
        #expect(try await scene.finish().contains(goesOn))
        // The mixture was offered, and refused.
        #expect(scene.stage.simulator.counters.statuses[400] == 1)
        #expect(scene.count("uploadStart") == 2)
        try scene.stage.proveEverythingIsStored()
    }

    @Test(
        "a second download of another length ends with one whole object",
        arguments: [(0.7, false, false), (0.7, true, true), (0.7, true, false), (1.8, false, false), (1.8, true, true)]
    )
    func resized(factor: Double, isChunked: Bool, isChunkedAgain: Bool) async throws {
        var resized = FaultRule(on: "redirectTarget", .resized)
        resized.factor = factor
        let chunked = FaultRule(on: "redirectTarget", .chunked)
        // At 0.8 × 1.8 the bucket has more than the second download gives.
        let scene = try await Scene(at: 0.8, rules: [resized] + (isChunked ? [chunked] : []), factor: factor)
        try await scene.kill()
        let output = try await scene.finish(isChunkedAgain ? [chunked] : [])
        // Only where no length was told at all may the first bytes be of use.
        #expect(output.contains(goesOn) == isChunkedAgain)
        #expect(scene.count("uploadStart") == (factor < 1 && isChunkedAgain ? 1 : 2))
        try scene.stage.proveEverythingIsStored()
    }

    @Test("an expired session is replaced without another download", arguments: [404, 410])
    func expired(status: Int) async throws {
        let scene = try await Scene()
        try await scene.kill()
        var expired = FaultRule(on: "uploadStatus", .status)
        expired.status = status
        expired.times = 1
        let output = try await scene.finish([expired])
        #expect(!output.contains(goesOn))
        #expect(scene.count("uploadStart") == 2)
        #expect(scene.count("redirectTarget") == 2)
        try scene.stage.proveEverythingIsStored()
    }

    @Test func `a session makes no object under a name that the part does not have any more`() async throws {
        let scene = try await Scene()
        try await scene.kill()
        try await scene.stage.texts(
            "UPDATE coldroll.part SET object_name = '199901/renamed.mp4', name_key = '199901/renamed.mp4'"
        )
        #expect(try await !scene.finish().contains(goesOn))
        #expect(scene.count("uploadStart") == 2)
        #expect(
            scene.stage.simulator.objects().filter { $0.bucket == "archive" }.map(\.name) == ["199901/renamed.mp4"]
        )
        try scene.stage.proveEverythingIsStored()
    }

    @Test(
        "a session of another host or another archive is sent nothing",
        arguments: [
            "session_uri = 'http://127.0.0.1:1/upload/storage/v1/b/archive/o?upload_id=SECRET'",
            "archive_url = 'gs://another'",
        ]
    )
    func foreign(change: String) async throws {
        let scene = try await Scene()
        try await scene.kill()
        try await scene.stage.texts("UPDATE coldroll.upload SET \(change)")
        #expect(try await !scene.finish().contains(goesOn))
        #expect(scene.count("uploadStatus") == 0)
        #expect(scene.count("uploadStart") == 2)
        try scene.stage.proveEverythingIsStored()
    }

    @Test func `an object that somebody else put under the name is left alone, and the part gets another name`()
        async throws
    {
        let scene = try await Scene()
        try await scene.kill()
        let name = try #require(try await scene.stage.texts("SELECT object_name FROM coldroll.part").first)
        try await scene.stage.upload("not ours", as: name)
        try await scene.finish()
        #expect(scene.stage.simulator.objects().first { $0.name == name }?.size == 8)
        try scene.stage.proveEverythingIsStored(foreign: [name])
    }

    @Test func `a frozen worker that wakes up after another one went on harms nothing`() async throws {
        let scene = try await Scene()
        scene.victim.signal(SIGSTOP)
        try await scene.stage.texts(
            "UPDATE coldroll.worker SET state = 'dead', ended_at = now() WHERE state = 'alive'"
        )
        #expect(try await scene.finish().contains(goesOn))
        scene.victim.signal(SIGCONT)
        scene.victim.signal(SIGTERM)
        scene.victim.signal(SIGTERM)
        _ = try await scene.victim.end()
        #expect(try await scene.stage.number("SELECT count(*) FROM coldroll.object") == 1)
        #expect(try await scene.stage.number("SELECT count(*) FROM coldroll.upload") == 0)
        try scene.stage.proveEverythingIsStored()
    }

    @Test func `small files are not kept as half-done uploads`() async throws {
        let stage = try Stage {
            $0.synthesis = SynthesisOptions(count: 12, sizes: 400_000...16_000_000, videoPercent: 50)
        }
        // Without a length, all but the smallest go up in pieces.
        var chunked = FaultRule(on: "download,redirectTarget", .chunked)
        chunked.rate = 0.5
        stage.simulator.setFaults([chunked])
        #expect(try await stage.run("run").status == 0)
        #expect(stage.simulator.counters.requests("uploadStart") > 0)
        #expect(stage.simulator.counters.requests("uploadMultipart") > 0)
        let count = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relid = 'coldroll.%'::regclass"
        // Statistics are told late: those of the objects say that the run's are there.
        try await stage.until("the statistics") {
            try await stage.number(count.replacing("%", with: "object")) == 12
        }
        #expect(try await stage.number(count.replacing("%", with: "upload")) == 0)
        try stage.proveEverythingIsStored()
    }

    @Test func `what a killed worker left half-written in a directory is cleaned up`() async throws {
        let scene = try await Scene(archive: "file://DIRECTORY/archive")
        let archive = scene.stage.directory + "/archive"
        func temporary() -> [Int] {
            let names = FileManager.default.enumerator(atPath: archive)?.compactMap { $0 as? String } ?? []
            return names.filter { $0.contains("/.coldroll-tmp-") && !$0.contains(".coldroll/") }.map {
                (try? FileManager.default.attributesOfItem(atPath: archive + "/" + $0)[.size] as? Int) ?? 0
            }
        }
        try await scene.stage.until("half of the file") { temporary().contains { $0 > 20_000_000 } }
        try await scene.kill()
        #expect(temporary().count == 1)
        try await scene.finish()
        #expect(temporary().isEmpty)
        let entry = try #require(try scene.stage.simulator.library.first?.video)
        let sizes = try await scene.stage.number("SELECT sum(size)::bigint FROM coldroll.object")
        #expect(sizes == entry.size)
    }
}
