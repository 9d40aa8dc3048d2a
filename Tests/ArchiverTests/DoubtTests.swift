import CloudStorage
import Foundation
import GoogleSimulator
import JobQueue
import TestSupport
import Testing

@testable import Archiver

/// Transfers of bodies that may be cut, or another item's, from a simulated Google that serves them so.
@Suite(.migratedDatabase, .timeLimit(.minutes(2))) struct DoubtTests {
    private static let formats = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/formats")

    private static func file(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: formats.appending(path: name)))
    }

    /// A JPEG of 81 × 61 pixels with a comment that makes it another picture of the same size.
    private static func picture(_ comment: String) throws -> [UInt8] {
        let bytes = try file("restarts.jpg")
        return bytes.prefix(2) + [0xFF, 0xFE, 0, UInt8(comment.utf8.count + 2)] + Array(comment.utf8)
            + bytes.dropFirst(2)
    }

    /// The movie with another size in the headers of its tracks.
    private static func movie(_ width: Int, _ height: Int) throws -> [UInt8] {
        var bytes = try file("moov-first.mp4")
        func size(_ width: Int, _ height: Int) -> [UInt8] {
            [width, height].flatMap { [UInt8($0 >> 8), UInt8($0 & 255), 0, 0] }
        }
        let old = size(176, 144)
        for index in 0..<(bytes.count - 8) where bytes[index..<index + 8].elementsEqual(old) {
            bytes.replaceSubrange(index..<index + 8, with: size(width, height))
        }
        return bytes
    }

    /// A bench whose library was scanned, and whose jobs one worker holds.
    private struct Desk {
        let bench: Bench
        let transfer: Transfer
        private let jobs: [String: ClaimedJob]

        /// - Parameters:
        ///   - library: files by name.
        ///   - failures: counted before.
        ///   - isAccepted: whether the owner accepts what is doubtful.
        /// - Throws: what the database or the simulator refuses.
        init(_ library: [String: [UInt8]], failures: Int = 0, isAccepted: Bool = false) async throws {
            bench = try await Bench(library: library)
            _ = try await bench.scan().run()
            try await bench.fixture.sql("UPDATE coldroll.job SET attempt = \(failures), accept_reduced = \(isAccepted)")
            let worker = try await bench.fixture.worker()
            transfer = bench.transfer(worker)
            let claimed = try await bench.fixture.claim(worker, 50)
            jobs = Dictionary(uniqueKeysWithValues: claimed.map { ($0.filename ?? "", $0) })
        }

        func perform(_ name: String) async throws -> Ending {
            await transfer.perform(try #require(jobs[name]))
        }

        /// What was stored, and the bytes that stand in the archive.
        func stored(_ name: String) async throws -> (record: ObjectRecord, bytes: [UInt8]) {
            let job = try #require(jobs[name])
            let ending = await transfer.perform(job)
            guard case .complete(.stored(let record, _)) = ending else {
                throw Unstored(ending: "\(ending)")
            }
            return (record, try #require(try await bench.context.archive.read(job.objectName)).bytes)
        }

        func downloads(_ operation: String = "download") -> Int {
            bench.simulator.counters.requests[operation, default: 0]
        }

        func fault(_ on: String, _ actions: FaultRule.Action..., times: Int? = nil, factor: Double = 0.5) {
            bench.simulator.setFaults(
                actions.map { action in
                    var rule = FaultRule(on: on, action)
                    rule.times = times
                    rule.factor = factor
                    return rule
                }
            )
        }

        /// How often each of the faults struck.
        var struck: [Int] { bench.simulator.faults.map(\.struck) }

        func isArchiveEmpty() async throws -> Bool {
            try await bench.context.archive.list(prefix: "", pageToken: nil).objects.isEmpty
        }
    }

    private struct Unstored: Error {
        let ending: String
    }

    private func reason(_ ending: Ending) -> String? {
        if case .fail(let reason, _, _) = ending { reason } else { nil }
    }

    @Test(arguments: [false, true])
    func `a body cut once is fetched again from a fresh URL, whatever its framing`(_ isFramed: Bool) async throws {
        let picture = try Self.file("progressive.jpg")
        let desk = try await Desk(["a.jpg": picture])
        if isFramed {
            desk.fault("download", .resized, times: 1, factor: 0.7)
        } else {
            desk.fault("download", .resized, .noLength, times: 1, factor: 0.7)
        }
        let (record, bytes) = try await desk.stored("a.jpg")
        #expect(bytes == picture && record.fidelity == .rendition)
        #expect(desk.struck.allSatisfy { $0 == 1 } && desk.downloads() == 2)
    }

    @Test(arguments: [(0, false), (1, false), (6, false), (0, true), (1, true)])
    func `a file that ends oddly in the library itself is stored, marked, once the owner accepts it`(
        _ failures: Int,
        _ isAccepted: Bool
    ) async throws {
        let odd = Array(try Self.file("progressive.jpg").dropLast(2))
        let desk = try await Desk(["a.jpg": odd], failures: failures, isAccepted: isAccepted)
        if failures == 0 || !isAccepted {
            #expect(reason(try await desk.perform("a.jpg")) == "incomplete")
            #expect(desk.downloads() >= 2)
            #expect(try await desk.isArchiveEmpty())
        } else {
            let (record, bytes) = try await desk.stored("a.jpg")
            #expect(bytes == odd && record.fidelity == .unrecognised)
            #expect(desk.downloads() == 2)
        }
    }

    @Test func `bodies that are cut and never the same are not stored`() async throws {
        let desk = try await Desk(["a.jpg": try Self.file("progressive.jpg")], failures: 5)
        desk.fault("download", .different, .resized, factor: 0.7)
        #expect(reason(try await desk.perform("a.jpg")) == "incomplete")
        #expect(desk.struck.allSatisfy { $0 == 3 })
        #expect(try await desk.isArchiveEmpty())
    }

    @Test func `the head of a video without its pictures is not stored however often it comes`() async throws {
        let movie = try Self.file("moov-last.mp4")
        let desk = try await Desk(["a.mp4": movie], failures: 5)
        desk.fault("redirectTarget", .resized, factor: 24.5 / Double(movie.count))
        #expect(reason(try await desk.perform("a.mp4")) == "incomplete")
        #expect(desk.struck == [2])
        #expect(try await desk.isArchiveEmpty())
    }

    @Test func `another item's picture of another size is noticed, and the right one stored`() async throws {
        let small = try Self.picture("small")
        let desk = try await Desk(["a.jpg": try Self.file("progressive.jpg"), "b.jpg": small])
        desk.fault("download", .wrongItem, times: 1)
        let (record, bytes) = try await desk.stored("b.jpg")
        #expect(bytes == small && record.fidelity == .rendition)
        #expect(desk.struck == [1] && desk.downloads() == 2)
    }

    @Test func `another item's picture of the same size is noticed once that one was stored`() async throws {
        let (a, b) = (try Self.picture("one"), try Self.picture("two"))
        let desk = try await Desk(["a.jpg": a, "b.jpg": b])
        #expect(try await desk.stored("a.jpg").bytes == a)
        desk.fault("download", .wrongItem, times: 1)
        #expect(try await desk.stored("b.jpg").bytes == b)
        #expect(desk.struck == [1] && desk.downloads() == 3)
    }

    @Test func `the same picture under two items is stored twice, and told`() async throws {
        let picture = try Self.picture("same")
        let desk = try await Desk(["a.jpg": picture, "b.jpg": picture])
        #expect(try await desk.stored("a.jpg").record.fidelity == .rendition)
        #expect(try await desk.stored("b.jpg").record.fidelity == .rendition)
        #expect(desk.downloads() == 3)
        await desk.bench.log.wait(for: "two items have the same bytes")
    }

    @Test func `a preview in place of a picture of unknown size is not believed once`() async throws {
        // The simulator reads no size from a BMP, so its Library API tells none.
        let picture = try Self.file("windows.bmp")
        let desk = try await Desk(["a.bmp": picture])
        desk.fault("download", .smaller, times: 1)
        let (record, bytes) = try await desk.stored("a.bmp")
        #expect(bytes == picture && record.fidelity == .unrecognised)
        #expect(desk.struck == [1] && desk.downloads() == 3)
    }

    @Test func `a size that Google tells only now is what a picture is compared with`() async throws {
        let picture = try Self.file("progressive.jpg")
        let desk = try await Desk(["a.jpg": picture])
        let wrong = try #require(try await desk.bench.fixture.texts("SELECT width::text FROM coldroll.item").first)
        #expect(wrong == "240")
        try await desk.bench.fixture.sql("UPDATE coldroll.item SET width = 4032, height = 3024")
        #expect(try await desk.stored("a.jpg").record.fidelity == .rendition)
        #expect(desk.downloads() == 1)
    }

    @Test(arguments: [1, nil] as [Int?])
    func `a video that is too small once is fetched again at its front, and stored as it is the second time`(
        _ times: Int?
    ) async throws {
        let (small, large) = (try Self.file("moov-first.mp4"), try Self.movie(352, 288))
        let desk = try await Desk(["a.mp4": small, "b.mp4": large])
        desk.fault("redirectTarget", .wrongItem, times: times)
        let (record, bytes) = try await desk.stored("b.mp4")
        #expect(bytes == (times == 1 ? large : small))
        #expect(record.fidelity == (times == 1 ? .rendition : .reduced))
        #expect(desk.struck == [times ?? 2] && desk.downloads("redirectTarget") == 2)
    }
}
