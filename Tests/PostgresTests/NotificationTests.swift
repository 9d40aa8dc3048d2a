import Postgres
import TestSupport
import Testing

@Suite(.unmigratedDatabase, .timeLimit(.minutes(5))) struct NotificationTests {
    private let notify = Statement("test.notify", "SELECT pg_notify($1, $2)")

    @Test func `a notification arrives on the channel of exactly this name`() async throws {
        let stream = try await Connection.connect(MigratedDatabase.conninfo).notifications(on: "jo\"B")
        let sender = try await Connection.connect(MigratedDatabase.conninfo)
        _ = try await sender.run(notify, [.text("job"), .text("other")])
        _ = try await sender.run(notify, [.text("jo\"B"), .text("hello")])
        var iterator = stream.makeAsyncIterator()
        #expect(await iterator.next() == "hello")
        _ = try await sender.run(notify, [.text("jo\"B"), .text("again")])
        #expect(await iterator.next() == "again")
    }

    @Test func `the stream ends when the server ends the connection`() async throws {
        let listener = try await Connection.connect(MigratedDatabase.conninfo)
        let backend = try await listener.run(Statement("test.pid", "SELECT pg_backend_pid()"))[0].integer(0)
        let stream = try await listener.notifications(on: "job")
        let killer = try await Connection.connect(MigratedDatabase.conninfo)
        _ = try await killer.run(Statement("test.kill", "SELECT pg_terminate_backend($1::int)"), [.integer(backend)])
        for await _ in stream {}
    }

    @Test func `the stream ends when the connection is closed`() async throws {
        let listener = try await Connection.connect(MigratedDatabase.conninfo)
        let stream = try await listener.notifications(on: "job")
        await listener.close()
        for await _ in stream {}
    }

    @Test func `a stream that nobody reads any more lets its connection go`() async throws {
        let observer = try await Connection.connect(MigratedDatabase.conninfo)
        let sessions = Statement(
            "test.sessions",
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'listener' AND datname = current_database()"
        )
        do {
            let stream = try await Connection.connect(MigratedDatabase.conninfo, applicationName: "listener")
                .notifications(on: "job")
            #expect(try await observer.run(sessions).count == 1)
            _ = stream
        }
        while try await !observer.run(sessions).isEmpty { await Task.yield() }
    }
}
