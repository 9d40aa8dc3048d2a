import CloudStorage
import Foundation
import GoogleAuth
import HTTPClient
import Testing

/// The bucket's client against a server that was not written here.
@Suite(.timeLimit(.minutes(5))) struct FakeServerTests {
    @Test func `a small object arrives in one request with its bytes, class, type, time and identity`() async throws {
        let server = try await FakeServer()
        defer { server.stop() }
        let body = Origin.Body(count: 100_000)
        let created = try #require(try await server.bench.put(NewObject("201907/a.jpg"), body).created)
        #expect(created.size == 100_000)
        #expect(created.crc32c == body.checksum)
        #expect(Bytes(try await server.content("201907/a.jpg")) == Bytes(body.bytes))
        let resource = try await server.resource("201907/a.jpg")
        #expect(resource["storageClass"] as? String == "ARCHIVE")
        #expect(resource["contentType"] as? String == "image/jpeg")
        #expect((resource["customTime"] as? String)?.hasPrefix("2019-07-14T16:03:21.25") == true)
        #expect(resource["metadata"] as? [String: String] == NewObject("x").metadata)
        #expect(try await server.bench.store.head("201907/a.jpg") == created)
    }

    @Test func `what stands there is not overwritten, and is told with its identity`() async throws {
        let server = try await FakeServer()
        defer { server.stop() }
        let first = try #require(try await server.bench.put(NewObject("a.jpg"), [1, 2, 3]).created)
        let other = NewObject("a.jpg", identity: "two")
        #expect(try await server.bench.put(other, Origin.Body(count: 100_000, seed: 1)).existing == first)
        #expect(try await server.bench.put(other, [1, 2, 3]).existing == first)
        #expect(try await server.content("a.jpg") == [1, 2, 3])
    }

    @Test(arguments: [
        "a b+c%2Fd&e=f?g#h.jpg", "Größe.jpg", "Gro\u{308}ße.jpg", "📷/👩‍👩‍👧.heic", "'\"\\`$(x)*[]{}|<>.jpg",
        "a:b;c,d@e!.jpg",
    ])
    func `odd names are kept byte for byte`(name: String) async throws {
        let server = try await FakeServer()
        defer { server.stop() }
        let created = try #require(try await server.bench.put(NewObject(name), [1, 2, 3]).created)
        #expect(created.name.utf8.elementsEqual(name.utf8))
        #expect(try await server.content(name) == [1, 2, 3])
        #expect(try await server.bench.store.head(name) == created)
        let listed = try await server.bench.all()
        #expect(listed == [created])
        #expect(try #require(listed.first).name.utf8.elementsEqual(name.utf8))
        #expect(try await server.bench.put(NewObject(name), [4]).existing == created)
    }

    @Test func `a listing comes in pages, in order of bytes, and by prefix`() async throws {
        let server = try await FakeServer()
        defer { server.stop() }
        let bench = server.bench
        let names = (0..<1100).map { "2019/\($0 + 1000).jpg" } + ["2019.txt", "2019/a/b", "2020/é", "2020/z", "Z"]
        try await bench.putEach(of: names)
        let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let first = try await bench.store.list(prefix: "", pageToken: nil)
        #expect(first.objects.count <= 1000)
        #expect(first.nextPageToken != nil)
        #expect(try await bench.all().map(\.name) == sorted)
        #expect(try await bench.all(prefix: "2020/").map(\.name) == ["2020/z", "2020/é"])
        #expect(try await bench.all(prefix: "2019").map(\.name) == sorted.filter { $0.hasPrefix("2019") })
        #expect(try await bench.all(prefix: "nothing") == [])
    }

    @Test func `what is not there is nil and no error, and a bucket that is not there is named`() async throws {
        let server = try await FakeServer()
        defer { server.stop() }
        #expect(try await server.bench.store.head("a/b.jpg") == nil)
        #expect(try await server.bench.store.read("a/b.txt") == nil)
        #expect(try await server.bench.all() == [])
        let gone = try openStore(
            "gs://not-there",
            http: server.bench.http,
            tokens: .anonymous,
            endpoint: server.endpoint
        )
        await #expect {
            try await gone.put(
                NewObject("a.jpg"),
                from: BodyBuffer(ended: [1]),
                length: 1,
                session: nil,
                began: { _ in },
                confirmed: { _ in },
                accept: {}
            )
        } throws: { error in
            (error as? StorageError)?.code == .noBucket && "\(error)".contains("gs://not-there")
        }
    }

    @Test func `of writers that saw the same generation one wins`() async throws {
        let server = try await FakeServer()
        defer { server.stop() }
        let store = server.bench.store
        let type = "application/json"
        #expect(try await store.replace("coldroll/marker.json", with: [1], contentType: type, ifGeneration: 0))
        #expect(try await !store.replace("coldroll/marker.json", with: [2], contentType: type, ifGeneration: 0))
        let seen = try #require(try await store.read("coldroll/marker.json"))
        #expect(seen.bytes == [1])
        #expect(
            try await store.replace("coldroll/marker.json", with: [3], contentType: type, ifGeneration: seen.generation)
        )
        #expect(
            try await !store.replace(
                "coldroll/marker.json",
                with: [4],
                contentType: type,
                ifGeneration: seen.generation
            )
        )
        #expect(try await store.read("coldroll/marker.json")?.bytes == [3])
    }
}
