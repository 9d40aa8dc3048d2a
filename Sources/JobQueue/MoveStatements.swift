import Postgres

/// SQL of moves from one database to another.
///
/// Names that are spliced in come from the catalogue, quoted.
enum MoveStatements {
    /// Whether there is a ledger at all.
    static let exists = Statement("move.exists", "SELECT to_regclass('coldroll.ledger') IS NOT NULL")

    /// The ledger's own row, through JSON: a schema from before moves has no such columns.
    static let standing = Statement(
        "ledger.standing",
        """
        SELECT l.id::text, coalesce(to_jsonb(l) ->> 'standing', 'here'), to_jsonb(l) ->> 'elsewhere',
               to_jsonb(l) ->> 'move_id',
               to_char((to_jsonb(l) ->> 'moved_at')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
        FROM coldroll.ledger AS l
        """
    )

    /// Whether anything was found, stored, scanned or run here.
    static let isUsed = Statement(
        "move.is_used",
        """
        SELECT EXISTS (SELECT FROM coldroll.item) OR EXISTS (SELECT FROM coldroll.part)
            OR EXISTS (SELECT FROM coldroll.object) OR EXISTS (SELECT FROM coldroll.run)
            OR EXISTS (SELECT FROM coldroll.scan)
        """
    )

    /// For one transaction: how it waits, what it writes, and that the server notices when its client has vanished.
    ///
    /// No limit of the server's own ends a transaction that lasts long because it copies much; whoever writes now is
    /// waited for, but not for ever. Dates and numbers are written the same way on both sides. A commit is on the disk
    /// before the next one begins, whatever the server's default is: their order is what a move rests on. A host that is
    /// gone lets the tables' locks go after 20 s at rest (10 + 2 × 5), after a minute while rows are sent, not after the
    /// hours of the system's default; a Unix socket has no such settings and ignores them.
    static let patience = Statement(
        "move.patience",
        """
        SELECT set_config(s.name, '0', true) FROM pg_settings AS s
        WHERE s.name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
        UNION ALL
        SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') <> 'remote_apply'
        UNION ALL
        SELECT set_config(v.name, v.value, true)
        FROM (VALUES ('lock_timeout', '60s'),
                     ('TimeZone', 'UTC'), ('DateStyle', 'ISO'), ('IntervalStyle', 'postgres'), ('extra_float_digits', '1'),
                     ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '2'),
                     ('tcp_user_timeout', '60000')) AS v(name, value)
        """
    )

    /// Takes a lock with a number that nobody else draws, so that the other side can see whether it is the same database.
    static let flag = Statement("move.flag", "SELECT pg_advisory_xact_lock($1::bigint)")

    static let seesFlag = Statement(
        "move.sees_flag",
        """
        SELECT EXISTS (
            SELECT FROM pg_locks AS k
            WHERE k.locktype = 'advisory' AND k.objsubid = 1
              AND k.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
              AND (k.classid::bigint << 32) + k.objid::bigint = $1::bigint)
        """
    )

    /// Workers that had a heartbeat in the last `$1` seconds, and scans with a sign of life in the last `$2`.
    static let alive = Statement(
        "move.alive",
        """
        SELECT w.host || ', process ' || w.process_id FROM coldroll.worker AS w
        WHERE w.state = 'alive' AND w.beat_at >= now() - make_interval(secs => $1::double precision)
        UNION ALL
        SELECT 'a scan of ' || o.kind || ' ' || o.account FROM coldroll.scan AS s
        JOIN coldroll.source AS o ON o.id = s.source_id
        WHERE s.outcome IS NULL AND s.renewed_at >= now() - make_interval(secs => $2::double precision)
        """
    )

    /// Tables in an order in which each comes after those that it refers to, with their columns; all names quoted.
    ///
    /// Without the list of migrations, which each database keeps of its own.
    static let tables = Statement(
        "move.tables",
        """
        WITH RECURSIVE tables AS (
            SELECT c.oid, c.relname FROM pg_class AS c
            WHERE c.relnamespace = 'coldroll'::regnamespace AND c.relkind = 'r' AND c.relname <> 'migration'
        ), depth AS (
            SELECT t.oid, 0 AS depth FROM tables AS t
            UNION
            SELECT k.conrelid, d.depth + 1
            FROM depth AS d
            JOIN pg_constraint AS k ON k.confrelid = d.oid AND k.contype = 'f' AND k.conrelid <> k.confrelid
            WHERE d.depth < 20
        )
        SELECT t.relname, format('coldroll.%I', t.relname),
               (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) FROM pg_attribute AS a
                WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')
        FROM tables AS t
        ORDER BY (SELECT max(d.depth) FROM depth AS d WHERE d.oid = t.oid), t.relname
        """
    )

    static let sequences = Statement(
        "move.sequences",
        """
        SELECT format('coldroll.%I', s.relname) FROM pg_class AS s
        WHERE s.relnamespace = 'coldroll'::regnamespace AND s.relkind = 'S' ORDER BY s.relname
        """
    )

    static let setSequence = Statement(
        "move.set_sequence",
        "SELECT setval($1::text::regclass, $2::bigint, $3::boolean)"
    )

    // Each answers one row exactly if the ledger stood as it must.

    static let markCopy = Statement(
        "move.mark_copy",
        """
        UPDATE coldroll.ledger AS l
        SET standing = 'arriving', move_id = $1::text::uuid, elsewhere = $2::text, moved_at = now()
        WHERE l.standing = 'here'
        RETURNING l.id::text
        """
    )

    static let markSource = Statement(
        "move.mark_source",
        """
        UPDATE coldroll.ledger AS l
        SET standing = 'moved', move_id = $1::text::uuid, elsewhere = $2::text, moved_at = now()
        WHERE l.standing = 'here'
        RETURNING l.id::text
        """
    )

    /// Keeps the source as it is, moved by this move, while its copy becomes the ledger.
    static let holdSource = Statement(
        "move.hold_source",
        """
        SELECT l.id::text FROM coldroll.ledger AS l
        WHERE l.standing = 'moved' AND l.move_id = $1::text::uuid
        FOR UPDATE
        """
    )

    /// The copy becomes the ledger.
    static let arrive = Statement(
        "move.arrive",
        """
        UPDATE coldroll.ledger AS l SET standing = 'here', move_id = NULL, elsewhere = NULL, moved_at = NULL
        WHERE l.standing = 'arriving' AND l.move_id = $1::text::uuid
        RETURNING l.id::text
        """
    )

    /// What refuses becomes the ledger again, where the other side, as `elsewhere` names it, is lost.
    static let reclaim = Statement(
        "move.reclaim",
        """
        UPDATE coldroll.ledger AS l SET standing = 'here', move_id = NULL, elsewhere = NULL, moved_at = NULL
        WHERE l.standing <> 'here' AND l.elsewhere = $1::text
        RETURNING l.id::text
        """
    )

    static let seal = Statement("move.seal", "SELECT coldroll.seal()")
    static let unseal = Statement("move.unseal", "SELECT coldroll.unseal()")

    static let all = [
        exists, standing, isUsed, patience, flag, seesFlag, alive, tables, sequences, setSequence, markCopy, markSource,
        holdSource, arrive, reclaim, seal, unseal,
    ]
}
