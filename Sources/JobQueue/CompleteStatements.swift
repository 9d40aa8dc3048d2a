import Postgres

/// SQL that ends jobs.
///
/// The fence is the lease: a row that somebody claimed since has another one. A part that has an object or an outcome
/// already, by a person's hand, keeps it and loses its job: it may not stop the others of its batch. A part that has another name
/// than that its object was stored under is not stored: a failover forgot its renaming.
///
/// Each waits for the disk (`CommitPolicy.durable`). In each statement the arrays pass through a subquery with OFFSET 0. It hides their length, so that the planner expects
/// ten rows and looks each job up by its key, whatever the statistics say; and it keeps the worker's number out of the
/// scan of `job`, where the planner would expect one row for it and join the batch to it row by row (76 ms for 500
/// jobs instead of 4).
enum CompleteStatements {
    /// The jobs of stored parts that are still worker `$1`'s, by part `$2` and lease `$3`, taken out of the queue; open for more.
    ///
    /// `$11` is the name of the object where the claim renamed the part; null else, which costs no look at the part.
    private static let gone = """
        WITH told AS MATERIALIZED (
            SELECT u.*, a.worker_id
            FROM (SELECT $1::bigint AS worker_id, $2::bigint[] AS parts, $3::bigint[] AS leases,
                         $4::bigint[] AS generations, $5::bigint[] AS sizes, $6::bigint[] AS crcs, $7::text[] AS md5s,
                         $8::text[] AS fidelities, $9::text[] AS media_kinds, $10::boolean[] AS adopteds,
                         $11::text[] AS names
                  OFFSET 0) AS a,
                 unnest(a.parts, a.leases, a.generations, a.sizes, a.crcs, a.md5s, a.fidelities, a.media_kinds,
                        a.adopteds, a.names)
                 AS u(part_id, lease, generation, size, crc32c, md5, fidelity, media_kind, adopted, object_name)
            WHERE \(CommitPolicy.durable)
        ), gone AS (
            DELETE FROM coldroll.job AS j
            USING told AS t
            WHERE j.part_id = t.part_id AND j.lease = t.lease AND j.worker_id = t.worker_id
              AND \(isNamedSo)
            RETURNING t.*, j.lane_id
        """

    /// Whether the part of `t` is named as its object is.
    private static let isNamedSo = """
        (t.object_name IS NULL
                   OR t.object_name = (SELECT p.object_name FROM coldroll.part AS p WHERE p.id = t.part_id))
        """

    /// Stored parts; none of them may have an object yet, or nothing happens (`object_pkey`).
    ///
    /// Answers how many were accepted, without a part, and names them only where they are not all that were told.
    /// It counts what it moves itself, by the lanes of the jobs: the triggers would look each part up. Looking for
    /// conflicts, and inserting so that one can be passed over, would cost as much as the insert.
    static let stored = Statement(
        "job.complete",
        """
        \(gone)
        ), object_row AS (
            INSERT INTO coldroll.object (part_id, generation, size, crc32c, md5, fidelity, media_kind, adopted, lease,
                                         worker_id)
            SELECT g.part_id, g.generation, g.size, g.crc32c, g.md5, g.fidelity, g.media_kind, g.adopted, g.lease,
                   g.worker_id
            FROM gone AS g
        ), moved AS MATERIALIZED (
            SELECT coalesce((SELECT l.source_id FROM coldroll.lane AS l WHERE l.id = s.lane_id), 0) AS source_id, s.*
            FROM (SELECT g.lane_id, g.fidelity = 'original' AS is_original, count(*) AS parts, sum(g.size) AS bytes
                  FROM gone AS g
                  GROUP BY 1, 2) AS s
        ), counted AS (
            INSERT INTO coldroll.tally (source_id, lane_id, place, parts, bytes)
            SELECT m.source_id, m.lane_id, 'live', -m.parts, 0 FROM moved AS m
            UNION ALL
            SELECT m.source_id, NULL, CASE WHEN m.is_original THEN 'original' ELSE 'rendition' END, m.parts, m.bytes
            FROM moved AS m
        )
        SELECT NULL::bigint, count(*) FROM gone AS g WHERE (SELECT set_config('coldroll.tallied', 'yes', true)) IS NOT NULL
        UNION ALL
        SELECT g.part_id, g.lease FROM gone AS g WHERE (SELECT count(*) FROM gone) < cardinality($2::bigint[])
        """,
        isKept: true
    )

    /// The same where some of the parts may have an object already, by a person's hand: those keep it.
    static let storedAgain = Statement(
        "job.complete_again",
        """
        \(gone)
        )
        INSERT INTO coldroll.object (part_id, generation, size, crc32c, md5, fidelity, media_kind, adopted, lease,
                                     worker_id)
        SELECT g.part_id, g.generation, g.size, g.crc32c, g.md5, g.fidelity, g.media_kind, g.adopted, g.lease,
               g.worker_id
        FROM gone AS g
        ON CONFLICT ON CONSTRAINT object_pkey DO NOTHING
        RETURNING part_id, lease
        """
    )

    /// Stored stills whose clip is to be stored too: its part and job are made in the same statement.
    ///
    /// A clip that is known already is left alone. One without a free name violates NOT NULL, and nothing happens.
    static let storedWithMotion = Statement(
        "job.complete_motion",
        """
        WITH told AS MATERIALIZED (
            SELECT u.*, a.worker_id
            FROM (SELECT $1::bigint AS worker_id, $2::bigint[] AS parts, $3::bigint[] AS leases,
                         $4::bigint[] AS generations, $5::bigint[] AS sizes, $6::bigint[] AS crcs, $7::text[] AS md5s,
                         $8::text[] AS fidelities, $9::text[] AS media_kinds, $10::boolean[] AS adopteds,
                         $11::text[] AS names, $12::text[] AS months
                  OFFSET 0) AS a,
                 unnest(a.parts, a.leases, a.generations, a.sizes, a.crcs, a.md5s, a.fidelities, a.media_kinds,
                        a.adopteds, a.names, a.months)
                 WITH ORDINALITY AS u(part_id, lease, generation, size, crc32c, md5, fidelity, media_kind, adopted,
                                      object_name, folder_month, ord)
            WHERE \(CommitPolicy.durable)
        ), gone AS (
            DELETE FROM coldroll.job AS j
            USING told AS t
            WHERE j.part_id = t.part_id AND j.lease = t.lease AND j.worker_id = t.worker_id
              AND \(isNamedSo)
            RETURNING t.*, j.lane_id, j.rank
        ), object_row AS (
            INSERT INTO coldroll.object (part_id, generation, size, crc32c, md5, fidelity, media_kind, adopted, lease,
                                         worker_id)
            SELECT g.part_id, g.generation, g.size, g.crc32c, g.md5, g.fidelity, g.media_kind, g.adopted, g.lease,
                   g.worker_id
            FROM gone AS g
            ON CONFLICT ON CONSTRAINT object_pkey DO NOTHING
            RETURNING part_id, lease
        ), clip AS MATERIALIZED (
            SELECT nextval('coldroll.part_id_seq') AS id, p.item_id, p.source_id, g.lane_id, g.rank, g.folder_month,
                   g.ord
            FROM gone AS g
            JOIN coldroll.part AS p ON p.id = g.part_id
            WHERE coalesce((SELECT false FROM coldroll.part AS q WHERE q.item_id = p.item_id AND q.kind = 'motion'),
                           true)
        ), candidate AS MATERIALIZED (
            SELECT DISTINCT ON (c.name_key) c.*
            FROM unnest($13::bigint[], $14::bigint[], $15::text[], $16::text[])
                 AS c(ord, position, object_name, name_key)
            JOIN clip AS k ON k.ord = c.ord
            WHERE coalesce((SELECT false FROM coldroll.part AS q WHERE q.name_key = c.name_key), true)
            ORDER BY c.name_key, c.position, c.ord
        ), part_row AS (
            INSERT INTO coldroll.part (id, item_id, source_id, kind, folder_month, object_name, name_key)
            SELECT k.id, k.item_id, k.source_id, 'motion', k.folder_month, n.object_name, n.name_key
            FROM clip AS k
            LEFT JOIN (SELECT DISTINCT ON (c.ord) c.* FROM candidate AS c ORDER BY c.ord, c.position) AS n
                   ON n.ord = k.ord
        ), job_row AS (
            INSERT INTO coldroll.job (part_id, lane_id, rank) SELECT k.id, k.lane_id, k.rank FROM clip AS k
        )
        SELECT o.part_id, o.lease, (SELECT pg_notify('coldroll_job', '') WHERE EXISTS (SELECT FROM clip))
        FROM object_row AS o
        """
    )

    /// Parts that end otherwise: skipped or dead.
    static let ended = Statement(
        "job.end",
        """
        WITH told AS MATERIALIZED (
            SELECT u.*, a.worker_id
            FROM (SELECT $1::bigint AS worker_id, $2::bigint[] AS parts, $3::bigint[] AS leases, $4::text[] AS kinds,
                         $5::text[] AS reasons
                  OFFSET 0) AS a,
                 unnest(a.parts, a.leases, a.kinds, a.reasons) AS u(part_id, lease, kind, reason)
            WHERE \(CommitPolicy.durable)
        ), gone AS (
            DELETE FROM coldroll.job AS j
            USING told AS t
            WHERE j.part_id = t.part_id AND j.lease = t.lease AND j.worker_id = t.worker_id
            RETURNING t.*, j.attempt, j.crashes
        )
        INSERT INTO coldroll.outcome (part_id, lease, worker_id, kind, reason, attempts, crashes, decided_by)
        SELECT g.part_id, g.lease, g.worker_id, g.kind, g.reason, g.attempt, g.crashes, 'worker' FROM gone AS g
        ON CONFLICT DO NOTHING
        RETURNING part_id, lease
        """
    )

    /// Which of these ends are already in the ledger, by this very claim: the answer to them was lost.
    ///
    /// The kind counts too: the reaper may have ended the same claim as dead.
    static let repeated = Statement(
        "job.complete_repeated",
        """
        SELECT t.part_id, t.lease
        FROM unnest($2::bigint[], $3::bigint[], $4::text[]) AS t(part_id, lease, kind)
        WHERE coalesce(
            CASE WHEN t.kind = 'stored'
                 THEN (SELECT true FROM coldroll.object AS o
                       WHERE o.part_id = t.part_id AND o.lease = t.lease AND o.worker_id = $1::bigint)
                 ELSE (SELECT true FROM coldroll.outcome AS c
                       WHERE c.part_id = t.part_id AND c.lease = t.lease AND c.worker_id = $1::bigint
                         AND c.kind = t.kind AND c.decided_by = 'worker' LIMIT 1) END,
            false)
        """
    )
}
