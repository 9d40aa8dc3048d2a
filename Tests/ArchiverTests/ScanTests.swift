import GoogleSimulator
import JobQueue
import TestSupport
import Testing

@testable import Archiver

@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct ScanTests {
    @Test func `a page waits for a database that is away for a moment`() async throws {
        let bench = try await Bench()
        try await bench.fixture.sql("CREATE SEQUENCE coldroll.test_tries")
        try await bench.fixture.sql(
            """
            CREATE FUNCTION coldroll.test_refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
            BEGIN
                IF nextval('coldroll.test_tries') = 1 THEN
                    RAISE EXCEPTION 'no connection left' USING ERRCODE = '53300';
                END IF;
                RETURN NULL;
            END
            $body$
            """
        )
        try await bench.fixture.sql(
            "CREATE TRIGGER test BEFORE INSERT ON coldroll.item EXECUTE FUNCTION coldroll.test_refuse()"
        )
        #expect(try await bench.scan().run().new == 1)
    }

    @Test func `a pause that Google asks for is told to the database when it is back`() async throws {
        let bench = try await Bench()
        var refusal = FaultRule(on: "list", .status)
        refusal.status = 429
        refusal.nth = [1]
        bench.simulator.setFaults([refusal])
        try await bench.fixture.sql("CREATE SEQUENCE coldroll.test_tries")
        try await bench.fixture.sql(
            """
            CREATE FUNCTION coldroll.test_refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
            BEGIN
                IF nextval('coldroll.test_tries') <= 2 THEN
                    RAISE EXCEPTION 'no connection left' USING ERRCODE = '53300';
                END IF;
                RETURN NULL;
            END
            $body$
            """
        )
        try await bench.fixture.sql(
            "CREATE TRIGGER test AFTER UPDATE ON coldroll.lane EXECUTE FUNCTION coldroll.test_refuse()"
        )
        #expect(try await bench.scan().run().new == 1)
        #expect(bench.simulator.faults.map(\.struck) == [1])
        #expect(try await bench.fixture.number("SELECT last_value FROM coldroll.test_tries") >= 3)
        #expect(try await bench.fixture.number("SELECT count(slowed_at) FROM coldroll.lane") > 0)
    }

    @Test func `items that an abandoned scan of a part found are known`() async throws {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        let id = try #require(try bench.simulator.library.first).id
        let part = try await ledger.openScan(source: bench.fixture.source, since: "2000-01-01", until: nil)
        _ = try await ledger.record(part, [QueueFixture.item(id)], unreadable: 0, nextPageToken: "next")
        try await ledger.letGo(part)
        let summary = try await bench.scan().run()
        #expect(summary.seen == 1 && summary.new == 0)
    }
}
