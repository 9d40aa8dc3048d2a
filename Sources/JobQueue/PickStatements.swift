import Postgres

/// SQL about sessions of Google's Picker.
///
/// What is picked grows to thousands of rows at most, the tables beside them to millions: subqueries with OFFSET 0 keep
/// every look at those an index lookup, whatever the statistics say.
enum PickStatements {
    /// What a `PickSession` says.
    private static let columns = """
        p.id, p.session, p.link, p.picked_at IS NOT NULL,
               extract(epoch FROM p.expires_at - now())::double precision
        """

    /// Session `$3` with link `$4`, good until `$5`, for scan `$1` of lease `$2`; a repeat answers the same.
    static let begin = Statement(
        "pick.begin",
        """
        INSERT INTO coldroll.pick_session AS p (source_id, scan_id, session, link, expires_at)
        SELECT s.source_id, s.id, $3::text, $4::text, $5::timestamptz
        FROM coldroll.scan AS s
        WHERE s.id = $1::bigint AND s.lease = $2::bigint AND s.outcome IS NULL
        ON CONFLICT ON CONSTRAINT pick_session_identity DO UPDATE SET link = excluded.link
        RETURNING \(columns)
        """
    )

    /// The session that scan `$1` lists.
    static let ofScan = Statement(
        "pick.of_scan",
        """
        SELECT \(columns)
        FROM coldroll.pick_session AS p
        WHERE p.scan_id = $1::bigint AND p.ended_at IS NULL
        ORDER BY p.id DESC
        LIMIT 1
        """
    )

    /// Whether scan `$1` has lost a session before it was listed to its end, and no other has taken its place.
    static let isLost = Statement(
        "pick.is_lost",
        """
        SELECT coalesce(bool_or(p.outcome IN ('expired', 'done')) AND NOT bool_or(p.ended_at IS NULL), false)
        FROM coldroll.pick_session AS p
        WHERE p.scan_id = $1::bigint
        """
    )

    /// Why the newest scan of source `$1` before scan `$2` failed, or is not to be believed, or what it could not read; nothing
    /// where a complete one came since.
    static let failedBefore = Statement(
        "pick.failed_before",
        """
        SELECT coalesce(s.reason, 'Entries of it that had no id: ' || s.unreadable || '. Nothing of them is archived; pick them again.')
        FROM (SELECT s.outcome, s.reason, s.unreadable FROM coldroll.scan AS s
              WHERE s.source_id = $1::bigint AND s.id < $2::bigint ORDER BY s.id DESC LIMIT 1) AS s
        WHERE s.outcome IN ('failed', 'suspicious') OR s.unreadable > 0
        """
    )

    /// Gives scan `$1` of lease `$2` a session whose listing had only seemed to end.
    static let adopt = Statement(
        "pick.adopt",
        """
        WITH fence AS MATERIALIZED (
            SELECT s.id, s.source_id
            FROM coldroll.scan AS s
            WHERE s.id = $1::bigint AND s.lease = $2::bigint AND s.outcome IS NULL
            FOR UPDATE
        )
        UPDATE coldroll.pick_session AS p SET scan_id = f.id, unlisted = false
        FROM fence AS f
        WHERE p.id = (SELECT o.id FROM coldroll.pick_session AS o
                      WHERE o.source_id = f.source_id AND o.ended_at IS NULL AND o.unlisted ORDER BY o.id LIMIT 1)
        RETURNING \(columns)
        """
    )

    /// The person has pressed Done; the link leads nowhere from then on.
    static let picked = Statement(
        "pick.picked",
        """
        UPDATE coldroll.pick_session AS p SET picked_at = coalesce(p.picked_at, now()), link = NULL
        WHERE p.id = $1::bigint
        """
    )

    /// The listing of session `$1` goes on behind where it seemed to end.
    static let unlisted = Statement(
        "pick.unlisted",
        """
        WITH noted AS (
            UPDATE coldroll.pick_session AS p SET unlisted = p.ended_at IS NULL
            WHERE p.id = $1::bigint
            RETURNING p.source_id, p.ended_at
        )
        UPDATE coldroll.scan AS s SET outcome = 'failed', reason = \(lost)
        FROM noted AS n
        WHERE n.ended_at IS NOT NULL AND s.id = \(newest("n.source_id"))
        """
    )

    /// Ends session `$1` with outcome `$2`; nothing can be fetched through it from now on.
    ///
    /// Its scan has failed if its listing was known to go on: another process may have deleted it meanwhile.
    static let end = Statement(
        "pick.end",
        """
        WITH found AS MATERIALIZED (
            SELECT p.id, p.source_id, p.unlisted
            FROM coldroll.pick_session AS p
            WHERE p.id = $1::bigint AND p.ended_at IS NULL
            FOR UPDATE
        ), ended AS (
            UPDATE coldroll.pick_session AS p
            SET ended_at = now(), outcome = $2::text, link = NULL, unlisted = false
            FROM found AS f
            WHERE p.id = f.id
        ), failed AS (
            UPDATE coldroll.scan AS s SET outcome = 'failed', reason = \(lost)
            FROM found AS f
            WHERE f.unlisted AND s.id = \(newest("f.source_id"))
        ), page AS (
            DELETE FROM coldroll.pick_page AS g WHERE g.session_id = $1::bigint RETURNING g.id
        )
        DELETE FROM coldroll.pick AS k WHERE k.page_id = ANY (ARRAY (SELECT g.id FROM page AS g))
        """
    )

    /// The scan of session `$1`, if that has expired, has failed after all: nobody looked a last time whether it held more.
    ///
    /// One that another process has ended, and deleted, was looked at by that one. One row where it has expired.
    static let unsure = Statement(
        "pick.unsure",
        """
        WITH over AS MATERIALIZED (
            SELECT p.scan_id FROM coldroll.pick_session AS p WHERE p.id = $1::bigint AND p.outcome = 'expired'
        ), failed AS (
            UPDATE coldroll.scan AS s
            SET outcome = 'failed',
                reason = 'its picking session was over before Google could be asked a last time whether it holds more than was '
                      || 'listed: if you miss something of it, pick it again; any later pick settles this'
            FROM over AS o
            WHERE s.id = o.scan_id AND s.outcome = 'complete'
        )
        SELECT o.scan_id FROM over AS o
        """
    )

    /// Where items `$2` of source `$1` were picked last, as far as those sessions are needed still.
    static let places = Statement(
        "pick.places",
        """
        SELECT i.source_item, g.session_id, g.page_token, p.session
        FROM unnest($2::text[]) AS a(source_item)
        CROSS JOIN LATERAL (SELECT i.id, i.source_item FROM coldroll.item AS i
                            WHERE i.source_id = $1::bigint AND i.source_item = a.source_item OFFSET 0) AS i
        JOIN LATERAL (SELECT k.page_id FROM coldroll.pick AS k WHERE k.item_id = i.id OFFSET 0) AS k ON true
        JOIN coldroll.pick_page AS g ON g.id = k.page_id
        JOIN coldroll.pick_session AS p ON p.id = g.session_id
        """
    )

    /// Item `$2` of source `$1` is not in session `$3` any more.
    static let forget = Statement(
        "pick.forget",
        """
        DELETE FROM coldroll.pick AS k
        WHERE k.item_id = (SELECT i.id FROM coldroll.item AS i WHERE i.source_id = $1::bigint AND i.source_item = $2::text)
          AND k.page_id = ANY (ARRAY (SELECT g.id FROM coldroll.pick_page AS g WHERE g.session_id = $3::bigint))
        """
    )

    /// The scan that answers for what is lost: the newest that is complete, since it would settle an older one that failed.
    private static func newest(_ source: String) -> String {
        "(SELECT max(c.id) FROM coldroll.scan AS c WHERE c.source_id = \(source) AND c.outcome = 'complete')"
    }

    /// Why the scan of a session has failed that is over though its listing was known to go on.
    private static let lost = """
        'The picking session was over before all that was picked was listed. What was listed is queued or stored; pick '
        || 'the rest again: run ''coldroll run --source picker''.'
        """

    /// Sessions of source `$1` that are listed, and of which no part has a job any more, or is dead: whoever decides to try
    /// that one again, or to accept it, needs the session.
    static let finished = Statement(
        "pick.finished",
        """
        SELECT \(columns)
        FROM coldroll.pick_session AS p
        JOIN coldroll.scan AS s ON s.id = p.scan_id
        WHERE p.source_id = $1::bigint AND \(isDone)
        ORDER BY p.id
        """
    )

    /// A row if session `$1` has items.
    static let hasItems = Statement(
        "pick.has_items",
        """
        SELECT k.item_id
        FROM (SELECT g.id FROM coldroll.pick_page AS g WHERE g.session_id = $1::bigint OFFSET 0) AS g
        CROSS JOIN LATERAL (SELECT k.item_id FROM coldroll.pick AS k WHERE k.page_id = g.id OFFSET 0) AS k
        LIMIT 1
        """
    )

    /// How many entries of session `$1` may be without an id: as many as its scan met, and as many of its items as are not among `$2`.
    static let unreadAllowed = Statement(
        "pick.unread_allowed",
        """
        SELECT coalesce((SELECT s.unreadable FROM coldroll.scan AS s WHERE s.id = p.scan_id), 0)
               + (SELECT count(*)
                  FROM (SELECT g.id FROM coldroll.pick_page AS g WHERE g.session_id = p.id OFFSET 0) AS g
                  CROSS JOIN LATERAL (SELECT k.item_id FROM coldroll.pick AS k WHERE k.page_id = g.id OFFSET 0) AS k
                  JOIN coldroll.item AS i ON i.id = k.item_id
                  LEFT JOIN unnest($2::text[]) AS a(source_item) ON a.source_item = i.source_item
                  WHERE a.source_item IS NULL)
        FROM coldroll.pick_session AS p
        WHERE p.id = $1::bigint
        """
    )

    /// Whether session `$1` is one of them.
    static let isFinished = Statement(
        "pick.is_finished",
        """
        SELECT p.id
        FROM coldroll.pick_session AS p
        JOIN coldroll.scan AS s ON s.id = p.scan_id
        WHERE p.id = $1::bigint AND \(isDone)
        """
    )

    private static let isDone = """
        p.ended_at IS NULL AND NOT p.unlisted AND s.outcome IS NOT NULL
          AND NOT EXISTS (
              SELECT
              FROM (SELECT g.id FROM coldroll.pick_page AS g WHERE g.session_id = p.id OFFSET 0) AS g
              CROSS JOIN LATERAL (SELECT k.item_id FROM coldroll.pick AS k WHERE k.page_id = g.id OFFSET 0) AS k
              CROSS JOIN LATERAL (\(notStored("k.item_id"))) AS j)
        """

    /// Parts of an item that have a job, or are dead.
    private static func notStored(_ item: String) -> String {
        """
        SELECT q.id
        FROM (SELECT q.id FROM coldroll.part AS q WHERE q.item_id = \(item) OFFSET 0) AS q
        CROSS JOIN LATERAL (SELECT j.part_id FROM coldroll.job AS j WHERE j.part_id = q.id
                            UNION ALL
                            SELECT o.part_id FROM coldroll.outcome AS o
                            WHERE o.part_id = q.id AND o.superseded_at IS NULL AND o.kind = 'dead'
                            OFFSET 0) AS j
        """
    }

    /// Sessions of source `$1` that nobody lists and whose time is over since an hour, by the database's clock.
    static let over = Statement(
        "pick.over",
        """
        SELECT \(columns)
        FROM coldroll.pick_session AS p
        JOIN coldroll.scan AS s ON s.id = p.scan_id
        WHERE p.source_id = $1::bigint AND p.ended_at IS NULL AND s.outcome IS NOT NULL
          AND p.expires_at < now() - interval '1 hour'
        ORDER BY p.id
        """
    )

    /// Those of items `$2` that source `$1` has no item for, or one that is not stored and was picked neither in session `$3`
    /// nor since: the page that it is on was not listed.
    static let unknown = Statement(
        "pick.unknown",
        """
        SELECT a.source_item
        FROM (SELECT a.source_item, (SELECT i.id FROM coldroll.item AS i
                                     WHERE i.source_id = $1::bigint AND i.source_item = a.source_item) AS item_id
              FROM unnest($2::text[]) AS a(source_item) OFFSET 0) AS a
        WHERE a.item_id IS NULL
           OR NOT EXISTS (SELECT
                          FROM (SELECT k.page_id FROM coldroll.pick AS k WHERE k.item_id = a.item_id OFFSET 0) AS k
                          JOIN coldroll.pick_page AS g ON g.id = k.page_id
                          WHERE g.session_id >= $3::bigint)
              AND EXISTS (\(notStored("a.item_id")))
        """
    )

    /// Parts of source `$1` that were given up because their session was over, and that a session has now: back into the
    /// queue, counted.
    static let revive = Statement(
        "pick.revive",
        """
        SELECT coldroll.requeue(c.parts, 'picked again', false)
        FROM (SELECT array_agg(c.part_id ORDER BY c.part_id) AS parts
              FROM (SELECT p.id FROM coldroll.pick_session AS p
                    WHERE p.source_id = $1::bigint AND p.ended_at IS NULL OFFSET 0) AS p
              CROSS JOIN LATERAL (SELECT g.id FROM coldroll.pick_page AS g WHERE g.session_id = p.id OFFSET 0) AS g
              CROSS JOIN LATERAL (SELECT k.item_id FROM coldroll.pick AS k WHERE k.page_id = g.id OFFSET 0) AS k
              CROSS JOIN LATERAL (SELECT q.id FROM coldroll.part AS q WHERE q.item_id = k.item_id OFFSET 0) AS q
              CROSS JOIN LATERAL (SELECT o.part_id FROM coldroll.outcome AS o
                                  WHERE o.part_id = q.id AND o.superseded_at IS NULL AND o.kind = 'dead'
                                    AND o.reason LIKE $2::text || ':%' OFFSET 0) AS c) AS c
        WHERE c.parts IS NOT NULL
        """
    )

    static let all = [
        begin, ofScan, isLost, failedBefore, adopt, picked, unlisted, unsure, end, places, forget, finished, isFinished,
        hasItems, unreadAllowed, over, unknown, revive,
    ]
}
