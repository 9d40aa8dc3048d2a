import JobQueue
import Postgres
import TestSupport
import Testing

/// Moves that meet another one, or are broken off between their commits.
@Suite(.migratedDatabase, .timeLimit(.minutes(5))) struct MoveFaultTests {
    private static let standing = "SELECT standing FROM coldroll.ledger"

    @Test(arguments: ["read committed", "repeatable read"])
    func `of two moves at once one is refused, and the other carries what was written last`(
        isolation: String
    ) async throws {
        _ = try await MoveBench.filled()
        let source = MigratedDatabase.conninfo
        let name = try await MoveBench.texts("SELECT current_database()", source)[0]
        try await MoveBench.script("ALTER DATABASE \(name) SET default_transaction_isolation = '\(isolation)'", source)
        try await MoveBench.withTarget { first in
            try await MoveBench.withTarget { second in
                for target in [first, second] {
                    _ = try await Migrator(conninfo: target, silence: .seconds(40)).migrate()
                }
                let gate = try await Connection.connect(source)
                try await gate.script(
                    "BEGIN; INSERT INTO coldroll.run (source_id, host) SELECT id, 'late' FROM coldroll.source",
                    name: "test.gate"
                )
                let moves = [first, second].map { target in Task { try await MoveBench.move(to: target).run() } }
                try await MoveBench.untilBlocked(source, sessions: 2)
                try await gate.script("COMMIT", name: "test.open")
                await gate.close()

                var moved = 0
                for (target, move) in zip([first, second], moves) {
                    switch await move.result {
                    case .success:
                        moved += 1
                        #expect(try await MoveBench.texts(Self.standing, target) == ["here"])
                        let late = "SELECT host FROM coldroll.run WHERE host = 'late'"
                        #expect(try await MoveBench.texts(late, target) == ["late"])
                    case .failure(let error):
                        #expect((error as? LedgerError)?.code == .elsewhere, "\(error)")
                        #expect(try await MoveBench.texts("SELECT id::text FROM coldroll.part", target) == [])
                    }
                }
                #expect(moved == 1)
            }
        }
    }

    @Test func `every commit is on the disk before the next, and both servers notice a host that vanished`()
        async throws
    {
        _ = try await MoveBench.filled()
        let source = MigratedDatabase.conninfo
        try await MoveBench.withTarget { target in
            _ = try await Migrator(conninfo: target, silence: .seconds(40)).migrate()
            // Notes down what holds where a move makes or drops the triggers of the seal: in each of its three transactions.
            for (side, conninfo) in [("source", source), ("target", target)] {
                let name = try await MoveBench.texts("SELECT current_database()", conninfo)[0]
                try await MoveBench.script(
                    """
                    ALTER DATABASE \(name) SET synchronous_commit = off;
                    CREATE TABLE public.seen (side text, transaction xid8, commits text, source text);
                    CREATE FUNCTION public.see() RETURNS event_trigger LANGUAGE plpgsql AS $$
                    BEGIN
                        INSERT INTO public.seen
                        SELECT '\(side)', pg_current_xact_id(), current_setting('synchronous_commit'),
                               string_agg(s.name || ' ' || s.source, ', ' ORDER BY s.name)
                        FROM pg_settings AS s WHERE s.name LIKE 'tcp\\_%';
                    END $$;
                    CREATE EVENT TRIGGER see ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER', 'DROP TRIGGER')
                    EXECUTE FUNCTION public.see()
                    """,
                    conninfo
                )
            }
            _ = try await MoveBench.move(to: target).run()
            // A Unix socket has no such settings, but where they come from shows.
            let settings =
                ["count", "idle", "interval"].map { "tcp_keepalives_\($0) session" } + ["tcp_user_timeout session"]
            let seen = """
                SELECT concat_ws('|', side, commits, source) FROM public.seen GROUP BY transaction, side, commits, source
                """
            let holds = "on|\(settings.joined(separator: ", "))"
            #expect(try await MoveBench.texts(seen, source) == ["source|\(holds)"])
            #expect(try await MoveBench.texts(seen, target) == ["target|\(holds)", "target|\(holds)"])
        }
    }

    /// Runs a move up to the instant at which the source is marked and the copy is not the ledger yet.
    ///
    /// - Parameter body: gets the move, and the connection that holds it up until it is closed.
    /// - Throws: what the body throws.
    private func halfway(
        _ body: (_ target: String, _ move: Task<LedgerMove.Result, any Error>, _ gate: Connection) async throws -> Void
    ) async throws {
        let source = MigratedDatabase.conninfo
        let hold = "BEGIN; SELECT FROM coldroll.ledger FOR UPDATE"
        try await MoveBench.withTarget { target in
            _ = try await Migrator(conninfo: target, silence: .seconds(40)).migrate()
            let near = try await Connection.connect(source), far = try await Connection.connect(target)
            try await near.script(hold, name: "test.gate")
            let move = Task { try await MoveBench.move(to: target).run() }
            try await MoveBench.until("the copy") { try await MoveBench.texts(Self.standing, target) == ["arriving"] }
            try await far.script(hold, name: "test.gate")
            await near.close()
            try await MoveBench.untilBlocked(target)
            #expect(try await MoveBench.texts(Self.standing, source) == ["moved"])
            try await body(target, move, far)
            await far.close()
        }
    }

    @Test func `Ctrl-C in the last step does not leave two that refuse`() async throws {
        _ = try await MoveBench.filled()
        try await halfway { target, move, gate in
            move.cancel()
            // Ten times as long as a call that can be cancelled needs.
            try await Task.sleep(for: .milliseconds(500))
            #expect(try await MoveBench.blocked(target) == 1, "it was cancelled")
            await gate.close()
            guard case .moved = try await move.value else {
                Issue.record("not moved")
                return
            }
            #expect(try await MoveBench.texts(Self.standing, target) == ["here"])
        }
    }

    @Test func `a connection lost in the last step is answered by what to do, and doing it ends the move`() async throws
    {
        _ = try await MoveBench.filled()
        try await halfway { target, move, gate in
            let ended = try await MoveBench.texts(
                """
                SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'coldroll move'
                """,
                target
            )
            #expect(ended == ["true"])
            let error = await #expect(throws: LedgerError.self) { _ = try await move.value }
            #expect(error?.code == .halfway)
            #expect(
                error?.message.contains("Repeat the same command with the same settings: it ends the move.") == true,
                "\(error as Any)"
            )
            await gate.close()
            guard case .ended = try await MoveBench.move(to: target).run() else {
                Issue.record("not ended")
                return
            }
            #expect(try await MoveBench.texts(Self.standing, target) == ["here"])
        }
    }

    @Test func `a lost answer to the second commit is told the same way`() async throws {
        let fixture = try await MoveBench.filled()
        try await MoveBench.withTarget { target in
            for sql in [
                """
                CREATE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    PERFORM pg_terminate_backend(pg_backend_pid());
                    RETURN NULL;
                END $$
                """,
                """
                CREATE CONSTRAINT TRIGGER die AFTER UPDATE ON coldroll.ledger DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION public.die()
                """,
            ] {
                try await fixture.sql(sql)
            }
            let error = await #expect(throws: LedgerError.self) { _ = try await MoveBench.move(to: target).run() }
            #expect(error?.code == .halfway)
            try await fixture.sql("DROP TRIGGER die ON coldroll.ledger")
            guard case .moved = try await MoveBench.move(to: target).run() else {
                Issue.record("not moved")
                return
            }
        }
    }

    @Test func `a source that became the ledger again keeps its copy from becoming one`() async throws {
        let fixture = try await MoveBench.filled()
        try await halfway { target, move, gate in
            _ = try await MoveBench.texts(
                """
                SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'coldroll move'
                """,
                target
            )
            _ = await move.result
            await gate.close()
            // The repeat has read that the source was moved, and is overtaken.
            let near = try await Connection.connect(MigratedDatabase.conninfo)
            try await near.script("BEGIN; SELECT FROM coldroll.ledger FOR UPDATE", name: "test.gate")
            let again = Task { try await MoveBench.move(to: target).run() }
            try await MoveBench.untilBlocked(MigratedDatabase.conninfo)
            try await near.script(
                "UPDATE coldroll.ledger SET standing = 'here', move_id = NULL, moved_at = NULL, elsewhere = NULL; COMMIT",
                name: "test.reclaim"
            )
            await near.close()
            let error = await #expect(throws: LedgerError.self) { _ = try await again.value }
            #expect(error?.code == .halfway)
            #expect(try await MoveBench.texts(Self.standing, target) == ["arriving"])
            try await fixture.ledger.checkSchema()
        }
    }

    @Test(arguments: [true, false])
    func `what a move left behind is reclaimed by whoever names the lost side`(isSource: Bool) async throws {
        _ = try await MoveBench.filled()
        try await halfway { target, move, gate in
            _ = try await MoveBench.texts(
                """
                SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'coldroll move'
                """,
                target
            )
            _ = await move.result
            await gate.close()
            let (mine, other) = isSource ? (MigratedDatabase.conninfo, target) : (target, MigratedDatabase.conninfo)
            let name = try await MoveBench.texts("SELECT current_database()", other)[0]
            let connection = try await Connection.connect(mine)
            let reclaim = try await LedgerReclaim(connection)
            #expect(reclaim.question.contains("coldroll reclaim --lost 'the database \(name) of the server in "))
            let wrong = await #expect(throws: LedgerError.self) { try await reclaim.run(lost: "the database \(name)") }
            #expect(wrong?.message.contains("--lost does not name the other side.") == true)
            await connection.close()

            let second = try await Connection.connect(mine)
            let place = try #require(reclaim.standing.elsewhere)
            try await (try await LedgerReclaim(second)).run(lost: place)
            await second.close()
            let pool = ConnectionPool(conninfo: mine, limit: 1)
            try await Ledger(pool: pool).checkSchema()
            await pool.close()
            try await MoveBench.script("UPDATE coldroll.lane SET park_reason = NULL", mine)
            let third = try await Connection.connect(mine)
            let nothing = await #expect(throws: LedgerError.self) { _ = try await LedgerReclaim(third) }
            #expect(nothing?.message == "This is the ledger already: nothing to reclaim.")
            await third.close()
        }
    }

    @Test func `a target without a copy is answered by the way out`() async throws {
        _ = try await MoveBench.filled()
        try await MoveBench.withTarget { target in
            _ = try await MoveBench.move(to: target).run()
        }
        try await MoveBench.withTarget { other in
            let error = await #expect(throws: LedgerError.self) { _ = try await MoveBench.move(to: other).run() }
            #expect(error?.message.contains("restore a backup of it") == true)
            #expect(error?.message.contains("'coldroll reclaim' makes this one the ledger again") == true)
        }
    }
}
