import Postgres
import TestSupport
import Testing

@Suite(.unmigratedDatabase, .timeLimit(.minutes(5))) struct ConnectingTests {
    private func failure(_ conninfo: String) async throws -> PostgresError {
        try #require(await #expect(throws: PostgresError.self) { try await Connection.connect(conninfo) })
    }

    @Test func `a server that is not there is a lost connection`() async throws {
        let error = try await failure("host=/nowhere")
        #expect(error.code == .connectionLost)
        #expect(error.statement == nil)
        #expect(error.message.contains("/nowhere/.s.PGSQL.5432"))
    }

    @Test func `what the server answers while connecting keeps its SQLSTATE`() async throws {
        let error = try await failure(MigratedDatabase.conninfo + " dbname=absent")
        #expect(error.code == .server(sqlState: "3D000"))
        #expect(error.message.hasSuffix(#"FATAL: database "absent" does not exist"#), "\(error.message)")
        #expect(!error.isTransient)
    }

    @Test(arguments: [
        "postgresql://me:x9@hunter@127.0.0.1:1/db", "postgresql://me:hunter/hunter@127.0.0.1:1/db",
        "postgresql://me:hunter?hunter@127.0.0.1:1/db", "postgresql://me:hunter%hunter@127.0.0.1:1/db",
        "postgresql://me:hunter#hunter@127.0.0.1:1/db", "postgresql://me:hunter:hunter@127.0.0.1:1/db",
        "postgresql://me:hunter%402@127.0.0.1:1/db", "host=127.0.0.1 port=1 password=hunter 2",
        "host=127.0.0.1 port=1 password='hunter 2", "host=127.0.0.1 port=1 password=hunter2 nonsense",
        "host=hunter2 hostaddr=127.0.0.1 port=1 user=hunter2 password=hunter2",
    ])
    func `no way to get a conninfo wrong shows its password`(_ conninfo: String) async throws {
        let error = try await failure(conninfo)
        #expect(!String(reflecting: error).contains("hunter"), "\(error)")
    }

    @Test func `a cancelled task stops connecting at once`() async throws {
        // 192.0.2.0/24 is for documentation (RFC 5737): nobody answers there, or the network refuses at once.
        let task = Task { try await Connection.connect("host=192.0.2.1 connect_timeout=50") }
        task.cancel()
        let began = ContinuousClock.now
        await #expect(throws: PostgresError.self) { try await task.value }
        #expect(ContinuousClock.now - began < .seconds(10))
    }
}
