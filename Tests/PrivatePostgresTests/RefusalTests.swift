import Foundation
import Testing

@testable import PrivatePostgres

@Suite(.serialized, .timeLimit(.minutes(5))) struct RefusalTests {
    @Test func `a directory on the way that may not be passed is named`() async throws {
        try await Home.with("closed/home") { home in
            let closed = home.directory + "/closed"
            try FileManager.default.createDirectory(atPath: closed, withIntermediateDirectories: false)
            // Root passes everywhere, the server's user does not; anybody else is stopped by the first.
            chmod(closed, geteuid() == 0 ? 0o700 : 0)
            defer { chmod(closed, 0o700) }
            let refusal = try await home.refusal()
            #expect(refusal.contains(closed), "\(refusal)")
            #expect(geteuid() != 0 || refusal.contains("chmod o+x \(closed), or set COLDROLL_HOME"), "\(refusal)")
        }
    }

    @Test func `a home that is a file is named`() async throws {
        try await Home.with { home in
            try Data().write(to: URL(fileURLWithPath: home.path))
            #expect(try await home.refusal().contains(home.path))
        }
    }

    @Test func `a cluster of a version that is not installed is left alone, and what to install is said`() async throws
    {
        try await Home.with { home in
            await (try home.open()).close()
            try Data("9.6\n".utf8).write(to: URL(fileURLWithPath: home.file("data/PG_VERSION")))
            let refusal = try await home.refusal()
            #expect(refusal.contains("made by PostgreSQL 9"), "\(refusal)")
            #expect(refusal.contains("apt-get install postgresql-9"), "\(refusal)")
        }
    }

    @Test func `a data directory that is no cluster is left alone`() async throws {
        try await Home.with { home in
            await (try home.open()).close()
            try FileManager.default.removeItem(atPath: home.file("data/PG_VERSION"))
            #expect(try await home.refusal().contains("is not a PostgreSQL cluster"))
            #expect(home.exists("data/base"))
        }
    }

    @Test func `a server that cannot start says why, in the server's words`() async throws {
        try await Home.with { home in
            await (try home.open()).close()
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: home.file("data/postgresql.conf")))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("shared_buffers = 'many'\n".utf8))
            try handle.close()
            let refusal = try await home.refusal()
            #expect(refusal.contains(#"invalid value for parameter "shared_buffers": "many""#), "\(refusal)")
            #expect(refusal.contains(home.file("server.log")))
        }
    }

    @Test func `an initdb that fails leaves nothing behind, and a full disk is called one`() async throws {
        try await Home.with { home in
            let programs = home.directory + "/bin"
            try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: false)
            let script = """
                #!/bin/sh
                mkdir data.new && echo 15 > data.new/PG_VERSION
                echo 'initdb: error: could not write file "data.new/base/1/1247": No space left on device' >&2
                exit 1
                """
            try Data(script.utf8).write(to: URL(fileURLWithPath: programs + "/initdb"))
            chmod(programs + "/initdb", 0o755)
            let layout = try Layout(home: home.path)
            let account = try ServerAccount(for: layout)
            try layout.prepare(for: account)
            let cluster = Cluster(
                layout: layout,
                account: account,
                programs: ServerPrograms(directory: programs, version: 15)
            )
            let error = await #expect(throws: PrivatePostgresError.self) { try await cluster.make() }
            #expect(
                error?.message.contains("the disk is full: free some space") == true,
                "\(String(describing: error))"
            )
            #expect(!home.exists("data.new"))
            #expect(!home.exists("data"))
        }
    }
}
