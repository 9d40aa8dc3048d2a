import Checksums
import Foundation
import HTTPClient
import Testing

@testable import CloudStorage

/// What only a directory can get wrong.
@Suite(.timeLimit(.minutes(5))) struct DirectoryTests {
    let folder: Folder
    let bench: Bench

    init() throws {
        folder = try Folder()
        bench = try Bench(store: DirectoryObjectStore(root: folder.path), http: HTTPClient())
    }

    private var manifest: String { folder.path + "/.coldroll/manifest.jsonl" }

    private func lines() throws -> [ManifestLine] {
        try [UInt8](Data(contentsOf: URL(filePath: manifest))).split(separator: 10).compactMap {
            ManifestLine.decoded($0)
        }
    }

    private func temporaries() throws -> [String] {
        var walk = DirectoryWalk(root: folder.path, temporaries: true)
        try walk.run()
        return walk.found
    }

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        let path = URL(filePath: "\(folder.path)/\(name)")
        try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: path)
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: "\(folder.path)/\(name)")))
    }

    @Test func aFileHasItsCaptureTimeAndALineInTheManifest() async throws {
        let object = NewObject("201907/a.jpg", customTime: "2019-07-14T18:03:21.25+02:00")
        let created = try #require(try await bench.put(object, [1, 2, 3]).created)
        let status = try #require(try FileStatus.ofLink(folder.path + "/201907/a.jpg"))
        #expect(status.modified == CaptureTime(seconds: 1_563_120_201, nanoseconds: 250_000_000))
        let line = try #require(try lines().first)
        #expect(line.stored == created)
        #expect(line.customTime == object.customTime)
        #expect(try temporaries() == [])
    }

    @Test func theFirstBytesOfALineAreItsName() throws {
        let line = ManifestLine(
            name: "a/\"b\\\"\u{1}é\n",
            size: 3,
            crc32c: "AAAAAA==",
            generation: 7,
            modifiedSeconds: -1,
            modifiedNanoseconds: 5,
            contentType: "image/png",
            customTime: nil,
            metadata: ["k": "v"]
        )
        let bytes = try line.encoded()
        #expect(bytes.last == 10)
        #expect(bytes.filter { $0 == 10 }.count == 1)
        let body = bytes.dropLast()
        #expect(ManifestLine.decoded(body) == line)
        #expect(ManifestLine.quotedName(in: body).map(Array.init) == ManifestLine.quoted(line.name))
        #expect(ManifestLine.quotedName(in: body.dropLast()) == nil)
    }

    @Test func aCrashBetweenLineAndNameLeavesNothingAndTheNextPutWins() async throws {
        let store = try #require(bench.store as? DirectoryObjectStore)
        try await store.keeper.prepare()
        // The line of a put that died before its rename, and the temporary file that it left.
        let dead = ManifestLine(
            name: "a.jpg",
            size: 3,
            crc32c: "AAAAAA==",
            generation: 5,
            modifiedSeconds: 1,
            modifiedNanoseconds: 0,
            contentType: "image/jpeg",
            customTime: nil,
            metadata: ["coldroll-item": "dead"]
        )
        try Data(dead.encoded()).write(to: URL(filePath: manifest))
        try write(".coldroll-tmp-1-1", [1, 2, 3])
        #expect(try await store.head("a.jpg") == nil)
        let created = try #require(try await bench.put(NewObject("a.jpg", identity: "alive"), [9, 9, 9]).created)
        #expect(try await store.head("a.jpg") == created)
        #expect(created.metadata["coldroll-item"] == "alive")
        try await store.check()
        #expect(try temporaries() == [])
        #expect(try await bench.all() == [created])
    }

    @Test func `a probe needs neither the whole archive nor that nobody begins a file, and leaves nothing`()
        async throws
    {
        let store = try #require(bench.store as? DirectoryObjectStore)
        try await store.check()
        try write("202401/.coldroll-tmp-1-1", [1, 2, 3])
        // A check would wait for this writer's end, and then walk over everything.
        let gate = try OpenFile(TemporaryFile.gate(of: folder.path), O_RDWR | O_CREAT)
        #expect(flock(gate.descriptor, LOCK_SH) == 0)
        try await store.probe()
        #expect(try temporaries() == ["202401/.coldroll-tmp-1-1"])
        try FileManager.default.removeItem(atPath: manifest)
        let error = await #expect(throws: StorageError.self) { try await store.probe() }
        #expect(error?.code == .noBucket)
    }

    @Test func aCrashAfterTheNameLeavesTheObjectWithItsIdentity() async throws {
        // After the rename nothing else is written, so a fresh process must know the object from line and file alone.
        let created = try #require(try await bench.put(NewObject("b/a.jpg"), [1, 2, 3]).created)
        #expect(try await DirectoryObjectStore(root: folder.path).head("b/a.jpg") == created)
    }

    @Test func aForeignFileOfTheSameSizeIsNotTakenForTheOneInTheManifest() async throws {
        let created = try #require(try await bench.put(NewObject("a.jpg"), [1, 2, 3]).created)
        try write("a.jpg", [1, 2, 4])
        let there = try #require(try await bench.store.head("a.jpg"))
        #expect(there.metadata == [:])
        #expect(there.crc32c != created.crc32c)
        #expect(try await bench.put(NewObject("a.jpg"), [1, 2, 3]).existing == there)
        #expect(try bytes("a.jpg") == [1, 2, 4])
    }

    @Test func aCopyThatLostItsTimesIsStillRecognised() async throws {
        let created = try #require(try await bench.put(NewObject("a.jpg"), [1, 2, 3]).created)
        try write("a.jpg", [1, 2, 3])
        #expect(try await bench.store.head("a.jpg") == created)
    }

    @Test func aTornLineHidesNothingThatComesAfterIt() async throws {
        let first = try #require(try await bench.put(NewObject("a.jpg"), [1]).created)
        let handle = try FileHandle(forWritingTo: URL(filePath: manifest))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"name\":\"torn.jpg\",\"size".utf8))
        try handle.close()
        let second = try #require(try await bench.put(NewObject("b.jpg"), [2]).created)
        #expect(
            try await DirectoryObjectStore(root: folder.path).list(prefix: "", pageToken: nil).objects == [
                first, second,
            ]
        )
        #expect(try lines().count == 2)
    }

    @Test("every way to name a file refuses a name that is taken", arguments: Publishing.allCases)
    func ways(way: Publishing) throws {
        try write("new", [1])
        #expect(try Publishing.publish(folder.path + "/new", as: folder.path + "/name", ways: [way]))
        #expect(try bytes("name") == [1])
        try write("other", [2])
        #expect(try !Publishing.publish(folder.path + "/other", as: folder.path + "/name", ways: [way]))
        #expect(try bytes("name") == [1])
        #expect(try bytes("other") == [2])
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/new"))
    }

    @Test func theEmptyFileThatACrashedPlaceholderLeftIsReplaced() async throws {
        let store = try #require(bench.store as? DirectoryObjectStore)
        try await store.keeper.prepare()
        let dead = ManifestLine(
            name: "a.jpg",
            size: 3,
            crc32c: "AAAAAA==",
            generation: 5,
            modifiedSeconds: 1,
            modifiedNanoseconds: 0,
            contentType: "image/jpeg",
            customTime: nil,
            metadata: [:]
        )
        try Data(dead.encoded()).write(to: URL(filePath: manifest))
        try write("a.jpg", [])
        #expect(try await store.head("a.jpg") == nil)
        #expect(try await bench.put(NewObject("a.jpg"), [7]).created != nil)
        #expect(try bytes("a.jpg") == [7])
    }

    @Test func anEmptyFileThatSomebodyElseMadeIsNotReplaced() async throws {
        try write("a.jpg", [])
        #expect(try await bench.put(NewObject("a.jpg"), [7]).existing?.size == 0)
        #expect(try bytes("a.jpg") == [])
    }

    @Test func aFileBeingWrittenIsNotCleanedUpAndOneOfADeadProcessIs() async throws {
        let file = TemporaryFile(for: folder.path + "/202001/a.jpg", below: folder.path)
        try await bench.store.check()
        try await file.create()
        try write("202001/.coldroll-tmp-99-1", [1])
        try await bench.store.check()
        #expect(try temporaries().map { "\(folder.path)/\($0)" } == [file.path])
        await file.discard()
    }

    @Test func aFullDiskIsSaidAndLeavesNothing() async throws {
        let disk = folder.path + "/disk"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        try run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk)
        defer { try? run("umount", disk) }
        let full = try Bench(store: DirectoryObjectStore(root: disk), http: bench.http)
        let small = try #require(try await full.put(NewObject("small.jpg"), [1]).created)
        await #expect {
            try await full.put(NewObject("big.mp4"), Origin.Body(count: 5 << 20))
        } throws: { error in
            (error as? StorageError)?.code == .noSpace && "\(error)".contains("disk is full")
        }
        #expect(try await full.all() == [small])
        var walk = DirectoryWalk(root: disk, temporaries: true)
        try walk.run()
        #expect(walk.found == [])
    }

    @Test func aDiskThatVanishesIsNotReplacedByItsMountPoint() async throws {
        _ = try await bench.put(NewObject("a.jpg"), [1])
        try FileManager.default.removeItem(atPath: folder.path)
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        await #expect { try await bench.put(NewObject("b.jpg"), [1]) } throws: { error in
            (error as? StorageError)?.code == .noBucket && "\(error)".contains("mounted")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test func aMissingDirectoryIsNamedAndMadeOnRequest() async throws {
        let store = DirectoryObjectStore(root: folder.path + "/deep/er")
        await #expect { try await store.check() } throws: { error in
            (error as? StorageError)?.code == .noBucket && "\(error)".contains("mkdir -p")
        }
        try await store.create()
        try await store.check()
    }

    @Test(
        "a name that leads elsewhere or is coldroll's own is refused",
        arguments: [
            "../a", "a/../b", "/a", "a/", "a//b", ".", "a/.", ".coldroll/manifest.jsonl", "a/.coldroll-tmp-1", "a\0b",
            "",
        ]
    )
    func names(name: String) async throws {
        await #expect { try await bench.put(NewObject(name), [1]) } throws: { ($0 as? StorageError)?.code == .rejected }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test func aNameTooLongForTheFileSystemIsRefusedAndNotCut() async throws {
        let name = String(repeating: "é", count: 128)
        await #expect { try await bench.put(NewObject(name), [1]) } throws: { ($0 as? StorageError)?.code == .rejected }
    }

    @Test func aFolderOrABrokenLinkTakesTheNameAsAForeignObjectDoes() async throws {
        _ = try await bench.put(NewObject("a/b.jpg"), [1])
        #expect(try await bench.put(NewObject("a"), [1]) == .occupied)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/a/link.jpg",
            withDestinationPath: "nowhere"
        )
        #expect(try await bench.put(NewObject("a/link.jpg"), [1]) == .occupied)
        #expect(try await bench.store.head("a/link.jpg") == nil)
        #expect(try await bench.put(NewObject("a/link~2.jpg"), [1]).created != nil)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/a/link.jpg") == "nowhere")
    }

    @Test func aFolderThatAppearsWhileItsNameIsBeingWrittenTakesIt() async throws {
        let outcome = try await bench.put(NewObject("late.jpg"), Origin.Body(count: 1000)) {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/late.jpg",
                withIntermediateDirectories: true
            )
        }
        #expect(outcome == .occupied)
        #expect(try temporaries() == [])
    }

    @Test func aFileInTheWayOfAFolderIsRefusedInWords() async throws {
        _ = try await bench.put(NewObject("a/b.jpg"), [1])
        await #expect { try await bench.put(NewObject("a/b.jpg/c"), [1]) } throws: {
            ($0 as? StorageError)?.code == .rejected
        }
    }

    @Test func twoStoresOnOneDirectoryCreateEachNameOnce() async throws {
        let stores = [DirectoryObjectStore(root: folder.path), DirectoryObjectStore(root: folder.path)]
        let outcomes = try await withThrowingTaskGroup(of: (String, Bool).self) { group in
            for index in 0..<40 {
                group.addTask {
                    let name = "x/\(index / 2).jpg"
                    let outcome = try await stores[index % 2].put(
                        NewObject(name, identity: "\(index)"),
                        from: BodyBuffer(ended: [UInt8(index)]),
                        length: 1,
                        session: nil,
                        began: { _ in },
                        confirmed: { _ in },
                        accept: {}
                    )
                    return (name, outcome.created != nil)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(outcomes.filter(\.1).map(\.0)).count == 20)
        #expect(outcomes.filter(\.1).count == 20)
        for object in try await bench.all() {
            let content = try bytes(object.name)
            #expect(object.metadata["coldroll-item"] == content.first.map { "\($0)" })
        }
    }

    private func run(_ command: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(command) failed")
    }
}
