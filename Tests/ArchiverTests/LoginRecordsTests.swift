import FoundationEssentials
import GoogleAuth
import JobQueue
import Synchronization
import TestSupport
import Testing

@testable import Archiver

private struct Killed: Error {}

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct LoginRecordsTests {
    @Test func `a login that the ledger does not know yet is the one that counts, and an older copy too`() async throws
    {
        let bench = try await LoginBench()
        let (first, second) = (try bench.login(), try bench.login())
        try await bench.keep(first)
        try await bench.fixture.ledger.refuseLogin(source: bench.source, login: first.id, reason: "gone")
        #expect(try await bench.isPaused())
        // `coldroll login` was killed between its two writes.
        try await bench.store.write(second, bench.key)
        for login in [second, first] {
            try await bench.store.write(login, bench.key)
            guard case .login(let kept, let named) = try await bench.records.agree(source: bench.source) else {
                Issue.record("there is no login")
                return
            }
            #expect(kept.id == login.id && named.id == login.id && named.refusal == nil)
            #expect(try await bench.named()?.id == login.id)
            #expect(try await !bench.isPaused())
        }
    }

    @Test func `a login that comes while the ledger is told of another has the last word`() async throws {
        let bench = try await LoginBench()
        let (first, second, third) = (try bench.login(), try bench.login(), try bench.login())
        try await bench.keep(first)
        try await bench.store.write(second, bench.key)
        bench.state.once(.read) {
            // Its process is killed then, and tells the ledger nothing.
            try await bench.store.write(third, bench.key)
        }
        let agreement = try await bench.records.agree(source: bench.source)
        #expect(
            agreement
                == .login(
                    try #require(try await bench.store.read(bench.key, keyPath: "")),
                    try #require(try await bench.named())
                )
        )
        #expect(try await bench.named()?.id == third.id)
    }

    @Test func `many logins at once end with one that both places name`() async throws {
        let bench = try await LoginBench()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<6 { group.addTask { try await bench.keep(try bench.login()) } }
            try await group.waitForAll()
        }
        let kept = try #require(try await bench.store.read(bench.key, keyPath: ""))
        #expect(try await bench.named()?.id == kept.id)
    }

    @Test func `a login of somebody else or of another client is not told to the ledger`() async throws {
        let bench = try await LoginBench()
        let login = try bench.login()
        try await bench.keep(login)
        let stranger = Login(
            client: login.client,
            refreshToken: "t",
            scopes: [],
            subject: "105",
            email: nil,
            signedInAt: .now,
            endsAt: nil
        )
        try await bench.store.write(stranger, bench.key)
        await #expect {
            try await bench.records.agree(source: bench.source)
        } throws: { "\($0)".contains("another Google account") }
        try await bench.store.write(try bench.login(), bench.key)
        await #expect {
            try await bench.records.agree(source: bench.source, client: "other")
        } throws: { "\($0)".contains("another OAuth client") }
        #expect(try await bench.named()?.id == login.id)
    }

    @Test func `a logout ends the login that it saw, and leaves one that came meanwhile`() async throws {
        let bench = try await LoginBench()
        let (first, second) = (try bench.login(), try bench.login())
        try await bench.keep(first)
        let logout = try await bench.records.end(sources: [bench.source]) { revoked in
            #expect(revoked.id == first.id)
            try await bench.keep(second)
        }
        #expect(logout == .overtaken)
        #expect(try await bench.store.read(bench.key, keyPath: "")?.id == second.id)
        let named = try await bench.named()
        #expect(named?.id == second.id && named?.refusal == nil)
        #expect(try await !bench.isPaused())
    }

    @Test
    func `a logout that was killed anywhere leaves no login that the fleet believes in, and is finished by the next`()
        async throws
    {
        let bench = try await LoginBench()
        let first = try bench.login()
        try await bench.keep(first)
        // Google does not answer: nothing has happened.
        await #expect(throws: Killed.self) {
            try await bench.records.end(sources: [bench.source]) { _ in throw Killed() }
        }
        #expect(try await bench.named()?.refusal == nil)
        #expect(try await bench.store.read(bench.key, keyPath: "")?.id == first.id)
        // Killed before the state store has forgotten it.
        bench.state.once(.replace) { throw Killed() }
        await #expect(throws: Killed.self) { try await bench.records.end(sources: [bench.source]) { _ in } }
        #expect(try await bench.named()?.refusal?.contains("logged out") == true)
        #expect(try await bench.isPaused())
        let revoked = Mutex(0)
        let logout = try await bench.records.end(sources: [bench.source]) { _ in revoked.withLock { $0 += 1 } }
        #expect(logout == .done && revoked.withLock { $0 } == 1)
        #expect(try await bench.store.look(bench.key, keyPath: "") == .loggedOut)
        #expect(try await bench.records.end(sources: [bench.source]) { _ in throw Killed() } == .wasNone)
    }

    @Test(arguments: [true, false])
    func `where the state store says logged out the ledger says so too, whoever notices`(_ isLogout: Bool) async throws
    {
        let bench = try await LoginBench()
        try await bench.keep(try bench.login())
        guard case .login(_, let generation) = try await bench.store.look(bench.key, keyPath: "") else {
            Issue.record("there is no login")
            return
        }
        #expect(try await bench.store.forget(generation: generation))
        #expect(try await bench.named()?.refusal == nil)
        if isLogout {
            #expect(try await bench.records.end(sources: [bench.source]) { _ in } == .wasNone)
        } else {
            #expect(try await bench.records.agree(source: bench.source) == .loggedOut)
        }
        #expect(try await bench.named()?.refusal?.contains("logged out") == true)
        #expect(try await bench.isPaused())
    }

    @Test func `who tells the ledger of a login in the middle of its logout does not bring it back`() async throws {
        let bench = try await LoginBench()
        let (first, second) = (try bench.login(), try bench.login())
        try await bench.keep(first)
        try await bench.store.write(second, bench.key)
        bench.state.on { step in
            guard step == .replace else { return }
            // Another host has seen the login before, and tells the ledger now.
            bench.state.on(nil)
            let kept = try await bench.records.agree(source: bench.source)
            #expect(kept != .loggedOut)
            #expect(try await bench.named()?.refusal == nil)
        }
        #expect(try await bench.records.end(sources: [bench.source]) { _ in } == .done)
        let named = try await bench.named()
        #expect(named?.id == second.id && named?.refusal?.contains("logged out") == true)
    }
}
