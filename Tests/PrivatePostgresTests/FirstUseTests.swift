import Foundation
import Postgres
import PrivatePostgres
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct FirstUseTests {
    @Test func `first use makes a cluster with checksums that only a socket reaches, and the last one out stops it`()
        async throws
    {
        try await Home.with { home in
            let first = try await home.open()
            let rows = try await Connection.connect(first.conninfo).run(
                Statement(
                    "test.settings",
                    """
                    SELECT current_setting('data_checksums'), current_setting('listen_addresses'),
                           current_setting('server_encoding'), current_setting('fsync'), current_user::text,
                           current_database()::text, rolsuper, current_setting('TimeZone')
                    FROM pg_roles WHERE rolname = current_user
                    """
                )
            )
            #expect(
                (0..<8).map { rows[0].textOrNil($0) } == ["on", "", "UTF8", "on", "coldroll", "coldroll", "f", "UTC"]
            )
            let postmaster = try home.postmaster()
            #expect(getsid(postmaster) != getsid(0), "Ctrl-C would reach it")

            let second = try await home.open()
            #expect(try home.postmaster() == postmaster)
            await first.close()
            #expect(try await home.query(second, "SELECT 1") == "1")
            await second.close()
            await second.close()
            #expect(!home.exists("data/postmaster.pid"))
            #expect(!home.exists("run/.s.PGSQL.5432"))
            #expect(!home.exists("data.new"))
            #expect(
                home.messages
                    == [
                        "made a private PostgreSQL", "started the private PostgreSQL", "stopped the private PostgreSQL",
                    ]
            )
            #expect(
                try String(contentsOfFile: home.file("server.log"), encoding: .utf8).contains(
                    "database system is shut down"
                )
            )
        }
    }

    @Test func `nobody else may enter the directories, and the reader's role is there to be assumed`() async throws {
        try await Home.with { home in
            let server = try await home.open()
            for name in ["", "data", "run"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: home.file(name))
                #expect(attributes[.posixPermissions] as? Int == 0o700, "\(name)")
            }
            let reader = try await Connection.connect(server.readerConninfo)
            #expect(
                try await reader.run(Statement("test.who", "SELECT current_user::text"))[0].text(0) == "coldroll_reader"
            )
            await reader.close()
            #expect(try await home.query(server, "SELECT pg_has_role('coldroll_reader', 'MEMBER')::text") == "true")
            await server.close()
        }
    }

    @Test func `several processes at once make one cluster and one server, which goes with the last of them`()
        async throws
    {
        try await Home.with { home in
            let members = try (0..<3).map { _ in try Member(home) }
            async let here = home.open()
            for member in members { try await member.opened() }
            let server = try await here
            let postmaster = try home.postmaster()
            try await home.query(server, "CREATE TABLE t AS SELECT 42 AS n")
            try await members[0].leave()
            await members[1].killed()
            #expect(try home.postmaster() == postmaster)
            await server.close()
            #expect(try home.postmaster() == postmaster)
            try await members[2].leave()
            #expect(!home.exists("data/postmaster.pid"))
        }
    }

    @Test func `a cluster that initdb never finished is made anew`() async throws {
        try await Home.with { home in
            try FileManager.default.createDirectory(
                atPath: home.path + "/postgresql/data.new/base",
                withIntermediateDirectories: true
            )
            try Data("15".utf8).write(to: URL(fileURLWithPath: home.file("data.new/PG_VERSION")))
            chmod(home.path, 0o711)
            let server = try await home.open()
            #expect(try await home.query(server, "SELECT 1") == "1")
            #expect(!home.exists("data.new"))
            await server.close()
        }
    }

    @Test(arguments: [String(repeating: "long-", count: 30), #"a b,c'd"e$HOME`f\g;h"#, "übung"])
    func `a home whose path is long or full of special characters works`(_ name: String) async throws {
        try await Home.with(name) { home in
            let server = try await home.open()
            #expect(try await home.query(server, "SELECT 1") == "1")
            let directory = try #require(server.conninfo.split(separator: " ").first).dropFirst("host=".count)
            #expect(directory.hasPrefix("/tmp/coldroll-"))
            await server.close()
            try FileManager.default.removeItem(atPath: String(directory))
        }
    }
}
