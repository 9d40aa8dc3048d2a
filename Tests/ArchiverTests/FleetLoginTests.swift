import GoogleAuth
import GoogleSimulator
import HTTPClient
import JobQueue
import Postgres
import TestSupport
import Testing

@testable import Archiver

private struct Away: Error {}

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct FleetLoginTests {
    private func failure(_ tokens: TokenSource) async throws -> AuthError {
        do throws(AuthError) {
            _ = try await tokens.headers()
        } catch { return error }
        Issue.record("there was a token")
        throw Away()
    }

    @Test func `hosts whose token dies at once fetch one new one`() async throws {
        let bench = try await LoginBench()
        let login = try bench.login()
        try await bench.keep(login)
        let hosts = (0..<4).map { _ in bench.host(login) }
        func all() async throws -> Set<String> {
            try await withThrowingTaskGroup(of: String.self) { group in
                for host in hosts { group.addTask { try await host.headers()[0].value } }
                return try await group.reduce(into: []) { $0.insert($1) }
            }
        }
        let first = try await all()
        #expect(first.count == 1 && bench.simulator.counters.oauth("refresh.ok") == 1)
        for host in hosts { await host.refused(try await host.headers()) }
        let second = try await all()
        #expect(second.count == 1 && second != first)
        #expect(bench.simulator.counters.oauth("refresh.ok") == 2)
    }

    @Test func `one that was killed while it fetched holds the others up until its right is over`() async throws {
        let bench = try await LoginBench()
        let login = try bench.login()
        try await bench.keep(login)
        let named = try #require(try await bench.named())
        let began = try await bench.fixture.ledger.beginRefresh(
            source: bench.source,
            of: named,
            lease: 1,
            patience: .seconds(600)
        )
        #expect(began)
        async let token = bench.host(login).headers()
        try await bench.endPause()
        #expect(try await token.count == 1)
        #expect(bench.simulator.counters.oauth("refresh.ok") == 1)
    }

    @Test func `while the state store is away tokens come all the same`() async throws {
        let bench = try await LoginBench()
        let login = try bench.login()
        try await bench.keep(login)
        bench.state.on { _ in throw Away() }
        let host = bench.host(login)
        let first = try await host.headers()
        await host.refused(first)
        #expect(try await host.headers() != first)
        // One that does not know the login of the ledger needs it.
        let other = bench.host(try bench.login(isGood: false))
        await other.refused(try await other.headers())
        let error = try await failure(other)
        #expect(error.code == .unavailable, "\(error)")
    }

    @Test(
        arguments: [
            (403, "<html>blocked</html>"), (400, #"{"error":"invalid_request"}"#), (407, ""), (404, "{}"),
            (400, #"{"error":"invalid_scope"}"#), (451, #"{"error":"access_denied"}"#),
        ]
    )
    func `an odd answer to one host is no end of the login`(_ status: Int, _ body: String) async throws {
        let bench = try await LoginBench()
        let login = try bench.login()
        try await bench.keep(login)
        var rule = FaultRule(on: "token", .status)
        (rule.status, rule.body) = (status, body)
        bench.simulator.setFaults([rule])
        let messages = Messages()
        let host = bench.host(login, logger: messages.logger)
        let error = try await failure(host)
        #expect(bench.simulator.faults.map(\.struck) == [1])
        #expect(error.code == .unavailable && error.message.contains("answered \(status)"), "\(error)")
        #expect(error.message.contains("It is tried again"))
        #expect(messages.has("no access token; it is tried again"))
        let named = try await bench.named()
        #expect(named?.refusal == nil && named?.isRefreshing == true)
        #expect(try await !bench.isPaused())
        bench.simulator.setFaults([])
        try await bench.endPause()
        #expect(try await host.headers().count == 1)
    }

    @Test func `a host whose way to Google is set wrongly does not end the login of all`() async throws {
        let bench = try await LoginBench()
        let login = try bench.login()
        try await bench.keep(login)
        #expect(try await failure(bench.host(login, endpoint: "nonsense")).code == .unavailable)
        #expect(try await bench.named()?.refusal == nil)
        try await bench.endPause()
        #expect(try await bench.host(login).headers().count == 1)
    }

    @Test(arguments: ["invalid_grant", "invalid_client", "unauthorized_client"])
    func `what OAuth has a word for ends the login of all`(_ word: String) async throws {
        let bench = try await LoginBench()
        let login = try bench.login()
        try await bench.keep(login)
        var rule = FaultRule(on: "token", .status)
        (rule.status, rule.body) = (400, #"{"error":"\#(word)"}"#)
        bench.simulator.setFaults([rule])
        let hosts = [bench.host(login), bench.host(login)]
        for host in hosts {
            let error = try await failure(host)
            #expect(error.code == .loginRequired && error.message.contains("coldroll login"), "\(error)")
        }
        // The second one believed the first.
        #expect(bench.simulator.faults.map(\.struck) == [1])
        #expect(try await bench.named()?.refusal?.contains("ada@example.org") == true)
        #expect(try await bench.isPaused())
    }

    @Test func `a login whose process was killed before the ledger knew of it is found when the old one dies`()
        async throws
    {
        let bench = try await LoginBench()
        let (old, new) = (try bench.login(isGood: false), try bench.login())
        try await bench.keep(old)
        let host = bench.host(old)
        try await bench.store.write(new, bench.key)
        #expect(try await host.headers().count == 1)
        let named = try await bench.named()
        #expect(named?.id == new.id && named?.refusal == nil)
        #expect(try await !bench.isPaused())
        #expect(bench.simulator.counters.oauth("refresh.invalid_grant") == 1)
    }

    @Test func `a refusal that is noted is no longer one when the state store has another login`() async throws {
        let bench = try await LoginBench()
        let (old, new) = (try bench.login(isGood: false), try bench.login())
        try await bench.keep(old)
        let host = bench.host(old)
        #expect(try await failure(host).code == .loginRequired)
        #expect(try await bench.isPaused())
        try await bench.store.write(new, bench.key)
        #expect(try await host.headers().count == 1)
        #expect(try await !bench.isPaused())
    }

    @Test func `an older copy of the state store is what counts, and a login in it that is dead is told as that`()
        async throws
    {
        let bench = try await LoginBench()
        let (old, new) = (try bench.login(isGood: false), try bench.login())
        try await bench.keep(new)
        try await bench.store.write(old, bench.key)
        // A host that was started since.
        let error = try await failure(bench.host(old))
        #expect(error.code == .loginRequired && error.message.contains("Run 'coldroll login'"))
        let named = try await bench.named()
        #expect(named?.id == old.id && named?.refusal == error.message)
        #expect(bench.simulator.counters.oauth("refresh.invalid_grant") == 1)
    }

    @Test func `without a login in the state store it is said where one was looked for`() async throws {
        let bench = try await LoginBench()
        // The ledger names a login that this host has never read.
        try await bench.fixture.ledger.signIn(
            source: bench.source,
            id: "00000000-0000-4000-8000-000000000001",
            subject: "104",
            scopes: [],
            lifetime: nil,
            replacing: nil
        )
        let error = try await failure(bench.host(try bench.login()))
        #expect(error.code == .loginRequired && error.message.contains(bench.state.url), "\(error)")
        // It may be this host that is set wrongly: the others go on.
        #expect(try await bench.named()?.refusal == nil)
    }

    @Test func `without the database a host fetches for itself, also after another login`() async throws {
        let bench = try await LoginBench()
        let (old, new) = (try bench.login(isGood: false), try bench.login())
        try await bench.keep(old)
        let pool = ConnectionPool(conninfo: "host=/nonexistent", limit: 1)
        let ledger = Ledger(pool: pool)
        #expect(try await bench.host(new, ledger: ledger).headers().count == 1)
        let host = bench.host(old, ledger: ledger)
        #expect(try await failure(host).code == .loginRequired)
        try await bench.store.write(new, bench.key)
        #expect(try await host.headers().count == 1)
        await pool.close()
    }
}
