import Postgres

/// SQL about the ledger as a whole, sources and runs.
enum LedgerStatements {
    static let identity = Statement(
        "ledger.identity",
        """
        SELECT l.id::text, coalesce((SELECT max(r.number) FROM coldroll.run AS r), 0),
               -- What is doubted, or was replaced, stands in the archive all the same: the number only grows.
               (SELECT count(*) FROM coldroll.object)
               + (SELECT count(*) FROM coldroll.doubt AS d
                  WHERE d.verdict = 'replaced'
                     OR d.verdict IS NULL AND NOT EXISTS (SELECT FROM coldroll.object AS o WHERE o.part_id = d.part_id)),
               (SELECT count(*) FROM coldroll.item AS i
                WHERE i.source_id = ANY (ARRAY (SELECT s.id FROM coldroll.source AS s WHERE s.kind = 'picker')))
        FROM coldroll.ledger AS l
        """
    )

    /// The first and the last stored part, by their numbers: what a look at the archive must find.
    static let witnesses = Statement(
        "ledger.witnesses",
        """
        SELECT p.object_name, o.size, o.crc32c
        FROM ((SELECT f.part_id FROM coldroll.object AS f ORDER BY f.part_id LIMIT 1)
              UNION
              (SELECT l.part_id FROM coldroll.object AS l ORDER BY l.part_id DESC LIMIT 1)) AS w
        JOIN coldroll.object AS o ON o.part_id = w.part_id
        JOIN coldroll.part AS p ON p.id = w.part_id
        UNION ALL
        -- Where all that is stored is in doubt nothing else tells whether the archive is there.
        (SELECT d.object_name, d.size, d.crc32c
         FROM coldroll.doubt AS d
         WHERE d.ended_at IS NULL AND NOT EXISTS (SELECT FROM coldroll.object)
         ORDER BY d.id LIMIT 1)
        """
    )

    /// Items of source kind `$1`, account `$2` to ask a service for when it is in doubt.
    ///
    /// Of each kind three that are stored and three of the queue, by chance among the youngest, else among others of the
    /// source: any single one may be gone from Google, or never work. Looks at the ends of the tables and of the source's
    /// items only; those of another source may fill the ends of the tables.
    static let neutral = Statement(
        "ledger.neutral",
        """
        WITH mine AS MATERIALIZED (
            SELECT s.id FROM coldroll.source AS s WHERE s.kind = $1::text AND s.account = $2::text
        ), stored AS MATERIALIZED (
            SELECT o.part_id FROM coldroll.object AS o ORDER BY o.part_id DESC LIMIT 500
        ), queued AS MATERIALIZED (
            (SELECT j.part_id FROM coldroll.job AS j ORDER BY j.part_id LIMIT 50)
            UNION
            (SELECT j.part_id FROM coldroll.job AS j ORDER BY j.part_id DESC LIMIT 50)
        ), own AS MATERIALIZED (
            (SELECT i.id FROM coldroll.item AS i WHERE i.source_id = (SELECT m.id FROM mine AS m)
             ORDER BY i.source_id, i.source_item LIMIT 200)
            UNION
            (SELECT i.id FROM coldroll.item AS i WHERE i.source_id = (SELECT m.id FROM mine AS m)
             ORDER BY i.source_id DESC, i.source_item DESC LIMIT 200)
        ), candidate AS MATERIALIZED (
            SELECT p.item_id, p.kind, true AS is_stored, 0 AS choice
            FROM stored AS o JOIN coldroll.part AS p ON p.id = o.part_id
            WHERE p.source_id IN (SELECT m.id FROM mine AS m) AND p.kind IN ('still', 'video')
            UNION ALL
            SELECT p.item_id, p.kind, false, 0
            FROM queued AS q JOIN coldroll.part AS p ON p.id = q.part_id
            WHERE p.source_id IN (SELECT m.id FROM mine AS m) AND p.kind IN ('still', 'video')
            UNION ALL
            SELECT p.item_id, p.kind, coalesce((SELECT true FROM coldroll.object AS o WHERE o.part_id = p.id), false), 1
            FROM own AS w JOIN coldroll.part AS p ON p.item_id = w.id
            WHERE p.kind IN ('still', 'video')
              AND coalesce((SELECT true FROM coldroll.object AS o WHERE o.part_id = p.id),
                           (SELECT true FROM coldroll.job AS j WHERE j.part_id = p.id), false)
        ), chosen AS MATERIALIZED (
            SELECT c.item_id, c.kind, c.is_stored,
                   row_number() OVER (PARTITION BY c.is_stored, c.kind ORDER BY c.choice, random()) AS place
            FROM (SELECT d.item_id, d.kind, d.is_stored, min(d.choice) AS choice
                  FROM candidate AS d
                  GROUP BY d.item_id, d.kind, d.is_stored) AS c
        )
        SELECT i.source_item, c.kind, c.is_stored
        FROM chosen AS c JOIN coldroll.item AS i ON i.id = c.item_id
        WHERE c.place <= 3
        """
    )

    static let bind = Statement(
        "ledger.bind",
        """
        UPDATE coldroll.ledger AS l
        SET archive = $1::text, archive_id = $2::text, bound_at = coalesce(l.bound_at, now())
        WHERE l.archive IS NULL OR l.archive = $1::text AND l.archive_id IS NULL AND $2::text IS NOT NULL
        """
    )

    static let archive = Statement("ledger.archive", "SELECT l.archive, l.archive_id FROM coldroll.ledger AS l")

    /// Writes only what is new.
    ///
    /// The client that lists a source is learned once.
    static let source = Statement(
        "source.make",
        """
        INSERT INTO coldroll.source AS s (kind, account, client_id) VALUES ($1::text, $2::text, $3::text)
        ON CONFLICT ON CONSTRAINT source_identity
        DO UPDATE SET client_id = excluded.client_id WHERE s.client_id IS NULL AND excluded.client_id IS NOT NULL
        """
    )

    static let findSource = Statement(
        "source.find",
        "SELECT s.id, s.client_id FROM coldroll.source AS s WHERE s.kind = $1::text AND s.account = $2::text"
    )

    /// Kind and label of source `$1` if nothing was ever found of it, so that `coldroll.forget` takes it.
    static let foundNothing = Statement(
        "source.found_nothing",
        """
        SELECT s.kind, s.account FROM coldroll.source AS s
        WHERE s.id = $1::bigint AND NOT EXISTS (SELECT FROM coldroll.item AS i WHERE i.source_id = s.id)
          AND NOT EXISTS (SELECT FROM coldroll.scan AS c WHERE c.source_id = s.id AND c.unreadable > 0)
        """
    )

    static let lanes = Statement(
        "source.lanes",
        """
        INSERT INTO coldroll.lane (source_id, kind) VALUES ($1::bigint, 'photo'), ($1::bigint, 'video')
        ON CONFLICT ON CONSTRAINT lane_identity DO NOTHING
        """
    )

    static let sources = Statement(
        "source.list",
        "SELECT s.id, s.kind, s.account FROM coldroll.source AS s ORDER BY s.id"
    )

    static let beginRun = Statement(
        "run.begin",
        """
        INSERT INTO coldroll.run (source_id, host) VALUES ($1::bigint, $2::text)
        RETURNING number, to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        """
    )

    static let finishRun = Statement(
        "run.finish",
        """
        UPDATE coldroll.run AS r
        SET outcome = $2::text, ended_at = now(), found = $3::bigint, stored = $4::bigint, duplicate = $5::bigint,
            skipped = $6::bigint, dead = $7::bigint, live = $8::bigint, unaccounted = $9::bigint,
            stored_bytes = $10::bigint, unreadable = $11::bigint, scan_id = $12::bigint
        WHERE r.number = $1::bigint AND r.ended_at IS NULL AND \(CommitPolicy.durable)
        """
    )
}
