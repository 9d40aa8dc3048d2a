import GoogleSimulator
import JobQueue
import Postgres
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

    @Test func `the end of a listing waits for a database that is away for a moment, and nothing is listed again`()
        async throws
    {
        let bench = try await Bench()
        try await bench.fixture.sql("CREATE SEQUENCE coldroll.test_tries")
        try await bench.fixture.sql(
            """
            CREATE FUNCTION coldroll.test_refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
            BEGIN
                IF new.outcome IS NOT NULL AND nextval('coldroll.test_tries') <= 2 THEN
                    RAISE EXCEPTION 'no connection left' USING ERRCODE = '53300';
                END IF;
                RETURN new;
            END
            $body$
            """
        )
        try await bench.fixture.sql(
            "CREATE TRIGGER test BEFORE UPDATE ON coldroll.scan FOR EACH ROW EXECUTE FUNCTION coldroll.test_refuse()"
        )
        #expect(try await bench.scan().run().new == 1)
        #expect(try await bench.fixture.number("SELECT last_value FROM coldroll.test_tries") == 3)
        // The one page, which as the last is asked for twice.
        #expect(bench.simulator.counters.requests("list") == 2)
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

    @Test func `pages that a failover lost behind the scan's back are listed again`() async throws {
        let bench = try await Bench { $0.synthesis = SynthesisOptions(count: 250, sizes: 5000...6000, videoPercent: 0) }
        // The second page is confirmed, and then nobody has heard of it.
        try await bench.fixture.sql("CREATE SEQUENCE coldroll.test_losses")
        try await bench.fixture.sql(
            """
            CREATE FUNCTION coldroll.test_lose() RETURNS trigger LANGUAGE plpgsql AS $body$
            BEGIN
                IF OLD.pages = 1 AND NEW.pages = 2 AND nextval('coldroll.test_losses') = 1 THEN
                    DELETE FROM coldroll.job WHERE part_id > (SELECT part_id FROM coldroll.job ORDER BY 1 OFFSET 99 LIMIT 1);
                    DELETE FROM coldroll.part WHERE id > (SELECT id FROM coldroll.part ORDER BY 1 OFFSET 99 LIMIT 1);
                    DELETE FROM coldroll.item WHERE id > (SELECT id FROM coldroll.item ORDER BY 1 OFFSET 99 LIMIT 1);
                    UPDATE coldroll.scan AS s
                    SET pages = OLD.pages, page_token = OLD.page_token, seen = OLD.seen, new = OLD.new, parts = OLD.parts,
                        jobs = OLD.jobs, last_page = OLD.last_page, last_new = OLD.last_new
                    WHERE s.id = NEW.id;
                END IF;
                RETURN NULL;
            END
            $body$
            """
        )
        try await bench.fixture.sql(
            "CREATE TRIGGER test AFTER UPDATE ON coldroll.scan FOR EACH ROW EXECUTE FUNCTION coldroll.test_lose()"
        )
        let summary = try await bench.scan().run()
        #expect(try await bench.fixture.number("SELECT last_value FROM coldroll.test_losses") == 2, "nothing was lost")
        #expect(summary.new == 250 && summary.pages == 3)
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.item") == 250)
        #expect(try await bench.fixture.number("SELECT count(*) FROM coldroll.job") == 250)
    }

    @Test func `items that an abandoned scan of a part found are known`() async throws {
        let bench = try await Bench()
        let ledger = bench.context.ledger
        let id = try #require(try bench.simulator.library.first).id
        let part = try await ledger.openScan(source: bench.fixture.source, since: "2000-01-01", until: nil)
        _ = try await ledger.record(part, [QueueFixture.item(id)], unreadable: 0, nextPageToken: "next")
        try await ledger.letGo(part)
        let summary = try await bench.scan().run()
        #expect(summary.items == 1 && summary.new == 0)
    }
}
