import Postgres

/// SQL about stored parts whose bytes another item has too.
enum DoubtStatements {
    /// The time from which on something may be recorded that whoever looks now does not see: the start of coldroll's oldest
    /// transaction, since what it records bears that time.
    ///
    /// Its connections bear its name, or whatever name the database's URL gives them, or are of its role and write. A VACUUM records
    /// nothing. Of a role that this one may not look at the start is not told: then it is any time, once that transaction writes.
    static let horizon = Statement(
        "doubt.horizon",
        """
        SELECT least(now(), (SELECT min(coalesce(a.xact_start, '-infinity')) FROM pg_stat_activity AS a
                             WHERE a.datname = current_database()
                               AND (a.application_name LIKE 'coldroll%'
                                    OR a.application_name = current_setting('application_name')
                                    OR a.usename = current_user AND a.backend_xid IS NOT NULL)
                               AND (a.xact_start IS NOT NULL OR a.backend_xid IS NOT NULL)
                               AND (a.query NOT LIKE 'VACUUM%' OR a.backend_xid IS NOT NULL)))::text
        """
    )

    /// Takes up to `$2` parts of sources `$1` out of what is stored that have their bytes in common with another item of
    /// their source, and that were never compared; makes jobs for them, due `$4` seconds after they were stored, and counts them.
    ///
    /// What is recorded from `$3` on is to be looked at again. What is in doubt already counts as a twin, and its bytes are
    /// compared with. A part that is stored although a doubt about it is open (a worker of a version that knew of no doubts stored it again) is doubted as it is now.
    ///
    /// Objects have no index by their bytes, which would cost each that is stored: this reads the table twice, three seconds for a
    /// million. Of each set of equal ones a part is told one twin, the first or the last, so that ten thousand copies of a
    /// picture are ten thousand rows and not their square.
    static let find = Statement(
        "doubt.find",
        """
        WITH equal AS MATERIALIZED (
            SELECT o.size, o.crc32c
            FROM (SELECT h.size, h.crc32c, NOT h.confirmed AS is_open FROM coldroll.object AS h
                  UNION ALL
                  SELECT d.size, d.crc32c, false FROM coldroll.doubt AS d WHERE d.ended_at IS NULL) AS o
            GROUP BY o.size, o.crc32c
            HAVING count(*) > 1 AND bool_or(o.is_open)
        ), member AS MATERIALIZED (
            SELECT o.part_id, o.is_settled, o.size, o.crc32c, p.source_id, p.item_id
            FROM equal AS e
            JOIN (SELECT h.part_id, h.confirmed AS is_settled, h.size, h.crc32c FROM coldroll.object AS h
                  UNION ALL
                  SELECT d.part_id, true, d.size, d.crc32c FROM coldroll.doubt AS d WHERE d.ended_at IS NULL) AS o
              ON o.size = e.size AND o.crc32c = e.crc32c
            JOIN coldroll.part AS p ON p.id = o.part_id
            WHERE p.source_id = ANY ($1::bigint[])
        ), told AS MATERIALIZED (
            SELECT m.part_id, m.is_settled, m.item_id, first_value(m.part_id) OVER w AS first_part,
                   last_value(m.part_id) OVER w AS last_part, first_value(m.item_id) OVER w AS first_item,
                   last_value(m.item_id) OVER w AS last_item
            FROM member AS m
            WINDOW w AS (PARTITION BY m.source_id, m.size, m.crc32c ORDER BY m.item_id, m.part_id
                         ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
        ), found AS MATERIALIZED (
            SELECT t.part_id, CASE WHEN t.item_id = t.first_item THEN t.last_part ELSE t.first_part END AS twin_id
            FROM told AS t
            WHERE NOT t.is_settled AND t.first_item <> t.last_item
            ORDER BY t.part_id
            LIMIT $2::bigint
        ), held AS MATERIALIZED (
            SELECT o.part_id
            FROM coldroll.object AS o
            WHERE o.part_id = ANY (ARRAY (SELECT f.part_id FROM found AS f)) AND NOT o.confirmed
            ORDER BY o.part_id
            FOR UPDATE
        ), gone AS (
            DELETE FROM coldroll.object AS o
            WHERE o.part_id = ANY (ARRAY (SELECT h.part_id FROM held AS h))
            RETURNING o.*
        ), doubt AS (
            INSERT INTO coldroll.doubt (part_id, twin_id, generation, size, crc32c, lease, worker_id, stored_at, adopted,
                                        fidelity, media_kind, md5, object_name)
            SELECT g.part_id, f.twin_id, g.generation, g.size, g.crc32c, g.lease, g.worker_id, g.stored_at, g.adopted,
                   g.fidelity, g.media_kind, g.md5, p.object_name
            FROM gone AS g
            JOIN found AS f ON f.part_id = g.part_id
            JOIN coldroll.part AS p ON p.id = g.part_id
            ON CONFLICT (part_id) WHERE ended_at IS NULL DO UPDATE
            SET twin_id = excluded.twin_id, generation = excluded.generation, size = excluded.size, crc32c = excluded.crc32c,
                lease = excluded.lease, worker_id = excluded.worker_id, stored_at = excluded.stored_at,
                adopted = excluded.adopted, fidelity = excluded.fidelity, media_kind = excluded.media_kind,
                md5 = excluded.md5, object_name = excluded.object_name
        ), queued AS (
            -- Behind everything that did not fail.
            INSERT INTO coldroll.job (part_id, state, due, lane_id, rank, note)
            SELECT g.part_id, (CASE WHEN w.due > now() THEN 'scheduled' ELSE 'ready' END)::coldroll.job_state,
                   CASE WHEN w.due > now() THEN w.due END, (SELECT l.id FROM coldroll.lane AS l
                               WHERE l.source_id = p.source_id
                                 AND l.kind = CASE WHEN i.is_video THEN 'video' ELSE 'photo' END),
                   2000000000000, 'it is stored, and part ' || f.twin_id || ' of another item has the same bytes'
            FROM gone AS g
            JOIN found AS f ON f.part_id = g.part_id
            JOIN coldroll.part AS p ON p.id = g.part_id
            JOIN coldroll.item AS i ON i.id = p.item_id
            -- Of a clock that was ahead no more than the pause is believed.
            CROSS JOIN LATERAL (SELECT least(g.stored_at, now()) + make_interval(secs => $4::double precision) AS due) AS w
            ON CONFLICT (part_id) DO NOTHING
        ), compared AS (
            -- A full batch is not the end of it.
            UPDATE coldroll.source AS s SET compared_at = $3::text::timestamptz
            WHERE s.id = ANY ($1::bigint[]) AND (SELECT count(*) FROM gone) < $2::bigint
        )
        SELECT count(*), (SELECT pg_notify('coldroll_job', '') WHERE EXISTS (SELECT FROM gone)) FROM gone
        """
    )

    /// Whether anything of sources `$1` (all if empty) was stored, or a doubt about it ended, since its objects were last
    /// compared: what is kept has its old time.
    ///
    /// A time that has not come tells nothing: the server's clock was wrong. What bears one is compared with the next that bears a
    /// true one, or at the end of the next drain.
    static let isDue = Statement(
        "doubt.is_due",
        """
        SELECT EXISTS (
            SELECT
            FROM coldroll.source AS s
            WHERE (cardinality($1::bigint[]) = 0 OR s.id = ANY ($1::bigint[]))
              AND (s.compared_at > now()
                   OR EXISTS (SELECT
                              FROM coldroll.doubt AS d
                              JOIN coldroll.part AS p ON p.id = d.part_id
                              WHERE d.ended_at BETWEEN coalesce(s.compared_at, '-infinity') AND now()
                                AND p.source_id = s.id)
                   OR EXISTS (SELECT
                              FROM coldroll.object AS o
                              JOIN coldroll.part AS p ON p.id = o.part_id
                              WHERE o.stored_at BETWEEN coalesce(s.compared_at, '-infinity') AND now()
                                AND p.source_id = s.id)))
        """
    )

    /// What part `$1` is stored as, while that is doubted.
    static let look = Statement(
        "doubt.look",
        """
        SELECT d.size, d.crc32c, d.twin_id FROM coldroll.doubt AS d WHERE d.part_id = $1::bigint AND d.ended_at IS NULL
        """
    )

    /// Ends jobs of doubted parts, by part `$2` and lease `$3` of worker `$1`: they are stored as they were.
    ///
    /// A job without a doubt is left alone: there is nothing that its part would be stored as.
    static let confirmed = Statement(
        "doubt.confirm",
        """
        WITH told AS MATERIALIZED (
            SELECT u.*, a.worker_id
            FROM (SELECT $1::bigint AS worker_id, $2::bigint[] AS parts, $3::bigint[] AS leases OFFSET 0) AS a,
                 unnest(a.parts, a.leases) AS u(part_id, lease)
            WHERE \(CommitPolicy.durable)
        ), gone AS (
            DELETE FROM coldroll.job AS j
            USING told AS t
            WHERE j.part_id = t.part_id AND j.lease = t.lease AND j.worker_id = t.worker_id
              AND EXISTS (SELECT FROM coldroll.doubt AS d WHERE d.part_id = t.part_id AND d.ended_at IS NULL)
            RETURNING t.*
        ), ended AS (
            UPDATE coldroll.doubt AS d SET ended_at = now(), verdict = 'confirmed', decided_by = 'worker'
            FROM gone AS g
            WHERE d.part_id = g.part_id AND d.ended_at IS NULL
            RETURNING g.lease AS claim, g.worker_id AS claimer, d.*
        )
        INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, stored_at, adopted, confirmed,
                                     fidelity, media_kind, md5)
        SELECT e.part_id, e.generation, e.size, e.crc32c, e.claim, e.claimer, e.stored_at, e.adopted, true, e.fidelity,
               e.media_kind, e.md5
        FROM ended AS e
        ON CONFLICT ON CONSTRAINT object_pkey DO NOTHING
        RETURNING part_id, lease
        """
    )

    /// What a doubted part is stored as is another item's: its own bytes go under the name `$4`, key `$5`; one row if it
    /// took place.
    static let replace = Statement(
        "doubt.replace",
        """
        WITH held AS MATERIALIZED (
            SELECT j.part_id
            FROM coldroll.job AS j
            WHERE j.part_id = $2::bigint AND j.lease = $3::bigint AND j.worker_id = $1::bigint AND j.state = 'running'
            FOR NO KEY UPDATE
        ), ended AS (
            UPDATE coldroll.doubt AS d SET ended_at = now(), verdict = 'replaced', decided_by = 'worker'
            FROM held AS h
            WHERE d.part_id = h.part_id AND d.ended_at IS NULL
            RETURNING d.part_id
        )
        UPDATE coldroll.part AS p
        SET object_name = $4::text, name_key = $5::text
        FROM ended AS e
        WHERE p.id = e.part_id
        RETURNING p.id
        """
    )
}
