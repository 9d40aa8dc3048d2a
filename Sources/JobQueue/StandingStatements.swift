import Postgres

/// SQL that tells how the listings of sources stand.
enum StandingStatements {
    /// Entries without an id of source `s` since its last full scan `w` that are not acknowledged: those that look the same are one
    /// row, with how many of them are too many.
    private static let gaps = """
        SELECT x.entries - coalesce(y.entries, 0) AS entries, x.filename, x.capture_time, x.identity
        FROM (SELECT e.identity, max(e.entries) AS entries, max(e.filename) AS filename, max(e.capture_time) AS capture_time
              FROM coldroll.scan AS u JOIN coldroll.unread AS e ON e.scan_id = u.id
              WHERE u.source_id = s.id AND u.id >= coalesce(w.id, 0)
              GROUP BY e.identity) AS x
        LEFT JOIN coldroll.unread AS y
            ON y.identity = x.identity
           AND y.scan_id = (SELECT a.id FROM coldroll.scan AS a
                            WHERE a.source_id = s.id AND a.accepted ORDER BY a.id DESC LIMIT 1)
        WHERE x.entries > coalesce(y.entries, 0)
        """

    /// The first `$2` entries of source `$1` that `standing` counts and of which anything is known, those with a name first.
    static let firstGaps = Statement(
        "scan.first_gaps",
        """
        SELECT g.filename, to_char(g.capture_time AT TIME ZONE 'UTC', 'YYYY-MM-DD')
        FROM coldroll.source AS s
        LEFT JOIN LATERAL (
            SELECT c.id FROM coldroll.scan AS c
            WHERE c.source_id = s.id AND c.outcome = 'complete' AND c.since IS NULL AND c.until IS NULL
            ORDER BY c.id DESC LIMIT 1
        ) AS w ON true
        CROSS JOIN LATERAL (\(gaps)) AS g
        WHERE s.id = $1::bigint AND g.identity <> ''
        ORDER BY g.filename IS NULL, g.capture_time DESC NULLS LAST, g.filename COLLATE "C", g.identity
        LIMIT $2::bigint
        """
    )

    /// The first `$2` entries of the last scan of source `$1` that was accepted of which anything is known, in the same order.
    static let firstAccepted = Statement(
        "scan.first_accepted",
        """
        SELECT e.filename, to_char(e.capture_time AT TIME ZONE 'UTC', 'YYYY-MM-DD')
        FROM coldroll.unread AS e
        WHERE e.scan_id = (SELECT a.id FROM coldroll.scan AS a
                           WHERE a.source_id = $1::bigint AND a.accepted ORDER BY a.id DESC LIMIT 1)
          AND e.identity <> ''
        ORDER BY e.filename IS NULL, e.capture_time DESC NULLS LAST, e.filename COLLATE "C", e.identity
        LIMIT $2::bigint
        """
    )

    /// How sources `$1` (all if empty) stand: their newest scan, the age of what is known of them, and what is not settled.
    ///
    /// A scan that did not end well is settled by a later one that is complete and lists all that it would have listed; one of
    /// a picker by a later one, since the person is told and picks again. No scan of a picker is a full one.
    /// An entry without an id that looks like one of the last scan that was accepted is acknowledged, as often as it was in that
    /// scan; what was counted and not kept never is.
    /// `$2` is the silence after which a process counts as gone, in seconds.
    static let standing = Statement(
        "scan.standing",
        """
        SELECT s.kind, s.account, n.state, n.since, n.until, n.started, n.ended, n.pages, coalesce(n.items, n.seen), n.new, n.missing,
               n.unreadable, n.reason, CASE WHEN s.kind <> 'picker' THEN w.ended END,
               g.entries + k.entries,
               coalesce(o.state, CASE WHEN EXISTS (SELECT FROM coldroll.pick_session AS p
                                                   WHERE p.source_id = s.id AND p.ended_at IS NULL AND p.unlisted)
                                      THEN 'broken off' END), o.reason,
               EXISTS (SELECT FROM coldroll.pick_session AS p
                       WHERE p.source_id = s.id AND p.ended_at IS NULL AND p.picked_at IS NULL), k.entries, s.id,
               NOT EXISTS (SELECT FROM coldroll.item AS i WHERE i.source_id = s.id), n.empty_pages
        FROM coldroll.source AS s
        LEFT JOIN LATERAL (
            SELECT coalesce(c.outcome, CASE WHEN c.renewed_at >= now() - make_interval(secs => $2::double precision)
                                            THEN 'running' ELSE 'broken off' END) AS state,
                   c.since, c.until, extract(epoch FROM now() - c.started_at)::double precision AS started,
                   extract(epoch FROM now() - c.ended_at)::double precision AS ended, c.pages, c.seen, c.items, c.new,
                   c.missing, c.unreadable, c.reason, c.empty_pages
            FROM coldroll.scan AS c WHERE c.source_id = s.id ORDER BY c.id DESC LIMIT 1
        ) AS n ON true
        LEFT JOIN LATERAL (
            SELECT c.id, extract(epoch FROM now() - c.ended_at)::double precision AS ended
            FROM coldroll.scan AS c
            WHERE c.source_id = s.id AND c.outcome = 'complete' AND c.since IS NULL AND c.until IS NULL
            ORDER BY c.id DESC LIMIT 1
        ) AS w ON true
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(x.entries), 0)::bigint AS entries FROM (\(gaps)) AS x
        ) AS g
        CROSS JOIN LATERAL (
            SELECT greatest(0, max(u.unreadable - coalesce((SELECT sum(e.entries) FROM coldroll.unread AS e
                                                            WHERE e.scan_id = u.id), 0)))::bigint AS entries
            FROM coldroll.scan AS u WHERE u.source_id = s.id AND u.id >= coalesce(w.id, 0)
        ) AS k
        LEFT JOIN LATERAL (
            SELECT coalesce(c.outcome, CASE WHEN c.renewed_at >= now() - make_interval(secs => $2::double precision)
                                            THEN 'running' ELSE 'broken off' END) AS state, c.reason
            FROM coldroll.scan AS c
            WHERE c.source_id = s.id AND c.outcome IS DISTINCT FROM 'complete' AND c.id > coalesce(w.id, 0)
              AND NOT EXISTS (SELECT FROM coldroll.scan AS l
                              WHERE l.source_id = s.id AND l.id > c.id AND l.outcome = 'complete'
                                AND l.since IS NOT DISTINCT FROM c.since AND l.until IS NOT DISTINCT FROM c.until)
            ORDER BY c.outcome IS NOT DISTINCT FROM 'suspicious' DESC, c.id DESC LIMIT 1
        ) AS o ON true
        WHERE cardinality($1::bigint[]) = 0 OR s.id = ANY ($1::bigint[])
        ORDER BY s.id
        """
    )
}
