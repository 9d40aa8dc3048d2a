import Foundation
import JobQueue
import Postgres
import Schema
package import Testing

/// Gives each test a database of its own with the whole schema, and drops it afterwards.
///
/// The copy is made from a template, which one process makes once for each state of the schema: tens of milliseconds.
package struct MigratedDatabase: TestTrait, SuiteTrait, TestScoping {
    let isEmpty: Bool

    /// Connection string of the database of the running test.
    @TaskLocal package static var conninfo = ""

    /// On a suite, the trait goes down to each test in it.
    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        // Called for the suite as well, which needs no database.
        guard testCase != nil else { return try await function() }
        let server = try #require(
            ProcessInfo.processInfo.environment["COLDROLL_TEST_POSTGRES"],
            "COLDROLL_TEST_POSTGRES must name a PostgreSQL server for tests"
        )
        let name = "t_" + UUID().uuidString.replacing("-", with: "").lowercased()
        let template = isEmpty ? "template0" : try await Self.template(on: server)
        try await Self.run(server, "postgres", "CREATE DATABASE \(name) TEMPLATE \(template)")
        let conninfo = server + " dbname=\(name)"
        let result: Result<Void, any Error>
        do {
            if !isEmpty {
                // A copy is another ledger.
                try await Self.run(server, name, "UPDATE coldroll.ledger SET id = gen_random_uuid()")
            }
            try await Self.$conninfo.withValue(conninfo) { try await function() }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await Self.run(server, "postgres", "DROP DATABASE \(name) WITH (FORCE)")
        try result.get()
    }

    /// Name of the template, made if need be; a name that exists is complete, since it is renamed last.
    private static func template(on server: String) async throws -> String {
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in Migration.all.flatMap(\.sql.utf8) {
            digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        let name = "coldroll_template_" + String(digest, radix: 16)
        let admin = try await Connection.connect(server + " dbname=postgres", applicationName: "coldroll tests")
        _ = try await admin.run(Statement("test.lock", "SELECT pg_advisory_lock(7165629038451266)"))
        let found = try await admin.run(
            Statement("test.find", "SELECT 1 FROM pg_database WHERE datname = $1"),
            [.text(name)]
        )
        if found.isEmpty {
            try await admin.script("DROP DATABASE IF EXISTS \(name)_new", name: "test.drop")
            try await admin.script("CREATE DATABASE \(name)_new", name: "test.create")
            _ = try await Migrator(conninfo: server + " dbname=\(name)_new", silence: .seconds(40)).migrate()
            try await admin.script("ALTER DATABASE \(name)_new RENAME TO \(name)", name: "test.rename")
        }
        await admin.close()
        return name
    }

    private static func run(_ server: String, _ database: String, _ sql: String) async throws {
        let connection = try await Connection.connect(server + " dbname=\(database)", applicationName: "coldroll tests")
        try await connection.script(sql, name: "test.database")
        await connection.close()
    }
}

extension Trait where Self == MigratedDatabase {
    /// A database with the whole schema for each test: `MigratedDatabase.conninfo`.
    package static var migratedDatabase: Self { Self(isEmpty: false) }
    /// A database without a schema for each test: `MigratedDatabase.conninfo`.
    package static var unmigratedDatabase: Self { Self(isEmpty: true) }
}
