import Foundation
import Testing

@testable import PrivatePostgres

/// Renames that put a newer cluster in the place of an older one; clusters are directories that know their version.
@Suite struct ExchangeTests {
    private func withLayout(_ body: (Layout, String) throws -> Void) throws {
        let home = NSTemporaryDirectory() + "coldroll-exchange-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: home) }
        let layout = try Layout(home: home)
        for (name, version) in [("data", 15), ("data.new", 18)] {
            try FileManager.default.createDirectory(atPath: layout.path(name), withIntermediateDirectories: false)
            try Data("\(version)\n".utf8).write(to: URL(fileURLWithPath: layout.path(name) + "/PG_VERSION"))
        }
        try body(layout, home)
    }

    private func rename(_ name: String, _ other: String, _ layout: Layout) throws {
        try FileManager.default.moveItem(atPath: layout.path(name), toPath: layout.path(other))
    }

    @Test func `a cluster that its owner takes away is not replaced by the older one that is kept`() throws {
        try withLayout { layout, home in
            try layout.exchange(old: 15, new: 18)
            #expect(try layout.clusterVersion() == 18)
            try rename("data", "mine", layout)
            #expect(!PrivatePostgres.exists(home: home))
            try layout.finishExchange()
            #expect(try layout.clusterVersion() == nil)
            #expect(FileManager.default.fileExists(atPath: layout.path("data.15")))
        }
    }

    @Test(arguments: 0...3) func `an exchange that was broken off is ended after any number of renames`(done: Int)
        throws
    {
        try withLayout { layout, home in
            try Data("18\n".utf8).write(to: URL(fileURLWithPath: layout.path("exchange")))
            let renames = [("data.new", "data.18"), ("data", "data.15"), ("data.18", "data")]
            for (name, other) in renames.prefix(done) { try rename(name, other, layout) }
            // Of a version that nobody exchanged.
            try FileManager.default.createDirectory(
                atPath: layout.path("data.99"),
                withIntermediateDirectories: false
            )
            #expect(PrivatePostgres.exists(home: home))
            try layout.finishExchange()
            #expect(try layout.clusterVersion() == (done < 2 ? 15 : 18))
            #expect(!FileManager.default.fileExists(atPath: layout.path("exchange")))
        }
    }

    @Test func `a rename that fails leaves the mark, with the version, in the owner's hands`() throws {
        try withLayout { layout, home in
            try FileManager.default.removeItem(atPath: layout.path("data.new"))
            #expect(throws: PrivatePostgresError.self) { try layout.exchange(old: 15, new: 18) }
            #expect(try String(contentsOfFile: layout.path("exchange"), encoding: .utf8) == "18\n")
            #expect(try layout.clusterVersion() == 15)
        }
    }

    @Test func `a lock that root makes belongs to the owner of its directory`() throws {
        try withLayout { layout, _ in
            let owner: uid_t = geteuid() == 0 ? 65534 : geteuid()
            if geteuid() == 0 { #expect(chown(layout.directory, owner, owner) == 0) }
            _ = try FileLock(layout.path(Layout.upgradeLock))
            var status = stat()
            #expect(stat(layout.path(Layout.upgradeLock), &status) == 0)
            #expect(status.st_uid == owner)
        }
    }
}
