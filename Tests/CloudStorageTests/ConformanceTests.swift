import CloudStorage
import Foundation
import HTTPClient
import Testing

/// What every store promises, tried on each.
@Suite(.timeLimit(.minutes(5))) struct ConformanceTests {
    @Test("what is stored can be looked up, with size, checksum, type and identity", arguments: StoreKind.allCases)
    func create(kind: StoreKind) async throws {
        let place = try await kind.open()
        let body = Origin.Body(count: 100_000)
        let record = Bench.Record()
        let outcome = try await place.bench.put(NewObject("201907/a.jpg"), body, record: record)
        let created = try #require(outcome.created)
        #expect(created.size == 100_000)
        #expect(created.crc32c == body.checksum)
        #expect(created.name == "201907/a.jpg")
        #expect(created.contentType == "image/jpeg")
        #expect(created.metadata == NewObject("x").metadata)
        #expect(created.generation > 0)
        #expect(try await place.bench.store.head("201907/a.jpg") == created)
        let content = Bytes(try place.content("201907/a.jpg"))
        #expect(content == Bytes(body.bytes))
        #expect(record.acceptances == 1)
    }

    @Test(
        "what exists is never overwritten, whatever its content",
        arguments: StoreKind.allCases,
        [100_000, 1_000_000] as [Int64]
    )
    func exists(kind: StoreKind, count: Int64) async throws {
        let place = try await kind.open()
        let first = try #require(try await place.bench.put(NewObject("a.jpg"), [1, 2, 3]).created)
        let other = Origin.Body(count: count, seed: 1)
        #expect(try await place.bench.put(NewObject("a.jpg", identity: "two"), other).existing == first)
        #expect(try await place.bench.put(NewObject("a.jpg", identity: "two"), [1, 2, 3]).existing == first)
        #expect(try place.content("a.jpg") == [1, 2, 3])
        #expect(try await place.bench.store.head("a.jpg") == first)
    }

    @Test("the same bytes may stand under two names", arguments: StoreKind.allCases)
    func sameContent(kind: StoreKind) async throws {
        let place = try await kind.open()
        let a = try #require(try await place.bench.put(NewObject("a.jpg", identity: "a"), [1, 2, 3]).created)
        let b = try #require(try await place.bench.put(NewObject("b.jpg", identity: "b"), [1, 2, 3]).created)
        #expect(try await place.bench.all() == [a, b])
    }

    @Test(
        "a body much larger than its buffer arrives whole, length known or not",
        arguments: StoreKind.allCases,
        [false, true]
    )
    func large(kind: StoreKind, isChunked: Bool) async throws {
        let place = try await kind.open()
        let body = Origin.Body(count: 50_000_000, isChunked: isChunked)
        let record = Bench.Record()
        let created = try #require(try await place.bench.put(NewObject("a.mp4"), body, record: record).created)
        #expect(created.size == body.count)
        #expect(created.crc32c == body.checksum)
        let content = Bytes(try place.content("a.mp4"))
        #expect(content == Bytes(body.bytes))
        #expect(record.acceptances == 1)
        #expect(place.bench.budget.peak <= 8 << 20)
    }

    @Test(
        "every length at a boundary arrives whole",
        arguments: StoreKind.allCases,
        [
            1, 65_536, 262_143, 262_144, 262_145, 393_215, 393_216, 393_217, 524_288, 524_289, 786_432, 4_194_304,
            4_194_305,
        ] as [Int64]
    )
    func boundaries(kind: StoreKind, count: Int64) async throws {
        let place = try await kind.open()
        for isChunked in [false, true] {
            let body = Origin.Body(count: count, isChunked: isChunked)
            let created = try #require(try await place.bench.put(NewObject("\(isChunked)"), body).created)
            #expect(created.size == count)
            #expect(created.crc32c == body.checksum)
            let content = Bytes(try place.content("\(isChunked)"))
            #expect(content == Bytes(body.bytes))
        }
    }

    @Test("an empty object is an object", arguments: StoreKind.allCases)
    func empty(kind: StoreKind) async throws {
        let place = try await kind.open()
        let created = try #require(try await place.bench.put(NewObject("empty"), []).created)
        #expect(created.size == 0)
        #expect(created.crc32c == 0)
        for isChunked in [false, true] {
            let body = Origin.Body(count: 0, isChunked: isChunked)
            #expect(try await place.bench.put(NewObject("empty-\(isChunked)"), body).created?.size == 0)
        }
        #expect(try await place.bench.store.head("empty") == created)
    }

    @Test(
        "an object that its caller does not accept never exists",
        arguments: StoreKind.allCases,
        [(1000, false), (1000, true), (1_000_000, false), (1_000_000, true), (9_000_000, true)] as [(Int64, Bool)]
    )
    func refused(kind: StoreKind, body: (count: Int64, isChunked: Bool)) async throws {
        let place = try await kind.open()
        let (count, isChunked) = body
        let record = Bench.Record()
        await #expect(throws: Bench.Refused()) {
            try await place.bench.put(
                NewObject("a.jpg"),
                Origin.Body(count: count, isChunked: isChunked),
                record: record,
                accept: { throw Bench.Refused() }
            )
        }
        #expect(record.acceptances == 1)
        #expect(try await place.bench.store.head("a.jpg") == nil)
        #expect(try await place.bench.all() == [])
        #expect(try await place.bench.put(NewObject("a.jpg"), Origin.Body(count: count)).created?.size == count)
    }

    @Test(
        "a download that breaks leaves nothing and is not accepted",
        arguments: StoreKind.allCases,
        [(100_000, 50_000), (3_000_000, 1_000_000), (3_000_000, 2_999_999)] as [(Int64, Int64)]
    )
    func brokenSource(kind: StoreKind, cut: (count: Int64, after: Int64)) async throws {
        let place = try await kind.open()
        for isChunked in [false, true] {
            let record = Bench.Record()
            await #expect {
                try await place.bench.put(
                    NewObject("a.jpg"),
                    Origin.Body(count: cut.count, isChunked: isChunked, cut: cut.after),
                    record: record
                )
            } throws: { error in (error as? StorageError)?.code == .sourceFailed }
            #expect(record.acceptances == 0)
            #expect(try await place.bench.all() == [])
        }
    }

    @Test("a download that is shorter than it said is not stored", arguments: StoreKind.allCases)
    func wrongLength(kind: StoreKind) async throws {
        let place = try await kind.open()
        await #expect {
            try await place.bench.store.put(
                NewObject("a.jpg"),
                from: BodyBuffer(ended: [1, 2, 3]),
                length: 4,
                session: nil,
                began: { _ in },
                confirmed: { _ in },
                accept: {}
            )
        } throws: { error in (error as? StorageError)?.code == .sourceFailed }
        #expect(try await place.bench.all() == [])
    }

    @Test(
        "odd names are kept byte for byte",
        arguments: StoreKind.allCases,
        [
            "a b+c%2Fd&e=f?g#h.jpg", "Größe.jpg", "Gro\u{308}ße.jpg", "📷/👩‍👩‍👧.heic", "\u{202E}gpj.exe",
            "'\"\\`$(x)*[]{}|<>.jpg",
            "...", "..a", "a/b/c/d/e.jpg", "a:b;c,d@e!.jpg", "\u{7}bell",
            Array(repeating: String(repeating: "é", count: 100), count: 5).joined(separator: "/") + "x",
        ]
    )
    func oddNames(kind: StoreKind, name: String) async throws {
        let place = try await kind.open()
        let created = try #require(try await place.bench.put(NewObject(name), [1, 2, 3]).created)
        #expect(created.name.utf8.elementsEqual(name.utf8))
        let there = try #require(try await place.bench.store.head(name))
        #expect(there == created)
        let listed = try await place.bench.all()
        #expect(listed == [created])
        #expect(listed[0].name.utf8.elementsEqual(name.utf8))
        #expect(try await place.bench.put(NewObject(name), Origin.Body(count: 500_000)).existing == created)
    }

    @Test("a name of 1025 bytes, or none, is refused", arguments: StoreKind.allCases)
    func badNames(kind: StoreKind) async throws {
        let place = try await kind.open()
        for name in ["", String(repeating: "a", count: 1025)] {
            await #expect { try await place.bench.put(NewObject(name), [1]) } throws: {
                ($0 as? StorageError)?.code == .rejected
            }
        }
    }

    @Test("a listing comes in pages, in order of bytes, and by prefix", arguments: StoreKind.allCases)
    func listing(kind: StoreKind) async throws {
        let place = try await kind.open()
        let names =
            (0..<1100).map { "2019/\(String($0 + 1000)).jpg" } + ["2019.txt", "2019/a/b", "2020/é", "2020/z", "Z"]
        try await place.bench.putEach(of: names)
        let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let first = try await place.bench.store.list(prefix: "", pageToken: nil)
        #expect(first.objects.count <= 1000)
        #expect(first.nextPageToken != nil)
        #expect(try await place.bench.all().map(\.name) == sorted)
        #expect(try await place.bench.all(prefix: "2020/").map(\.name) == ["2020/z", "2020/é"])
        #expect(try await place.bench.all(prefix: "2019").map(\.name) == sorted.filter { $0.hasPrefix("2019") })
        #expect(try await place.bench.all(prefix: "nothing") == [])
    }

    @Test("what is not there is nil and no error", arguments: StoreKind.allCases)
    func absent(kind: StoreKind) async throws {
        let place = try await kind.open()
        #expect(try await place.bench.store.head("a/b.jpg") == nil)
        #expect(try await place.bench.store.read("a/b.txt") == nil)
        #expect(try await place.bench.all() == [])
        try await place.bench.store.check()
    }

    @Test("of writers that saw the same generation one wins", arguments: StoreKind.allCases)
    func race(kind: StoreKind) async throws {
        let place = try await kind.open()
        let store = place.bench.store
        #expect(
            try await store.replace("state/marker.json", with: [1], contentType: "application/json", ifGeneration: 0)
        )
        #expect(
            try await !store.replace("state/marker.json", with: [2], contentType: "application/json", ifGeneration: 0)
        )
        let seen = try #require(try await store.read("state/marker.json"))
        #expect(seen.bytes == [1])
        let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<5 {
                group.addTask {
                    try await store.replace(
                        "state/marker.json",
                        with: [UInt8(10 + index)],
                        contentType: "application/json",
                        ifGeneration: seen.generation
                    )
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wins == 1)
        let after = try #require(try await store.read("state/marker.json"))
        #expect(after.generation > seen.generation)
        #expect(after.bytes[0] >= 10)
        #expect(try await store.head("state/marker.json")?.generation == after.generation)
        #expect(try await store.replace("state/marker.json", with: [], contentType: "text/plain", ifGeneration: nil))
        #expect(try await store.read("state/marker.json")?.bytes == [])
    }

    @Test(
        "the capture time is kept, and one that the store cannot hold does not stop the object",
        arguments: StoreKind.allCases
    )
    func captureTime(kind: StoreKind) async throws {
        let place = try await kind.open()
        _ = try await place.bench.put(NewObject("a.jpg", customTime: "2019-07-14T16:03:21.25Z"), [1])
        #expect(try place.captureTime("a.jpg") == "2019-07-14T16:03:21.25Z")
        for (index, time) in ["1904-01-01T00:00:00Z", "1970-01-01T00:30:00+01:00", "yesterday"].enumerated() {
            #expect(try await place.bench.put(NewObject("\(index)", customTime: time), [1]).created != nil)
        }
    }
}
