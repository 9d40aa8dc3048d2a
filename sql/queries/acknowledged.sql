-- What exit code 0 takes as dealt with by your own word although it may not be in the archive; look here before you delete anything.
-- Skipped parts, items that Google does not list any more (stored says whether the file is in the archive), entries without an
-- id that were accepted, or picked: what Google says of them, and how many there are; and files that are in the archive by your
-- word, cut off, smaller than Google says, or with another item's bytes. For one part: the query story.
SELECT e.what, e.source, e.account, e.part, e.object_name, e.filename, e.capture_time, e.stored, e.at, e.detail
FROM (
    SELECT 1 AS turn, 'skipped' AS what, s.kind AS source, s.account, p.id AS part, p.object_name, i.filename, i.capture_time,
           false AS stored, c.decided_at AS at, c.reason || ', by ' || c.decided_by AS detail
    FROM coldroll.outcome AS c
    JOIN coldroll.part AS p ON p.id = c.part_id
    JOIN coldroll.item AS i ON i.id = p.item_id
    JOIN coldroll.source AS s ON s.id = i.source_id
    WHERE c.superseded_at IS NULL AND c.kind = 'skipped'
    UNION ALL
    SELECT 2, 'not listed any more', m.source, m.account, m.part, m.object_name, m.filename, m.capture_time, m.stored, m.noted_at,
           CASE WHEN m.believed THEN 'taken for deleted from Google' ELSE 'not believed: the scan is suspicious' END
    FROM coldroll.missing AS m
    UNION ALL
    SELECT 3, 'without an id', s.kind, s.account, NULL, NULL, u.filename, u.capture_time, false, c.ended_at,
           u.entries || CASE WHEN u.entries = 1 THEN ' entry' ELSE ' entries' END || ' of scan ' || c.id || u.how
           || CASE WHEN c.accepted THEN ', accepted' ELSE ', picked' END
    FROM coldroll.scan AS c
    JOIN coldroll.source AS s ON s.id = c.source_id
    CROSS JOIN LATERAL (
        SELECT k.entries, k.filename, k.capture_time,
               CASE WHEN k.identity = '' THEN ', of which nothing is known' ELSE '' END AS how
        FROM coldroll.unread AS k WHERE k.scan_id = c.id
        UNION ALL
        SELECT m.entries, NULL, NULL, ', of which nothing was kept'
        FROM (SELECT c.unreadable - coalesce(sum(k.entries), 0) AS entries FROM coldroll.unread AS k WHERE k.scan_id = c.id) AS m
        -- The owner's word is about what was kept.
        WHERE m.entries > 0 AND NOT c.accepted
    ) AS u
    -- A later full scan that has none, or that was accepted in its turn, speaks for the library; for what was picked no later one does.
    WHERE c.unreadable > 0
      AND (s.kind = 'picker' AND c.outcome = 'complete'
           OR c.accepted AND NOT EXISTS (
               SELECT FROM coldroll.scan AS l
               WHERE l.source_id = c.source_id AND l.id > c.id AND l.outcome = 'complete' AND l.since IS NULL AND l.until IS NULL
                 AND (l.accepted OR l.unreadable = 0)))
    UNION ALL
    SELECT 4, 'stored as it is', s.kind, s.account, p.id, p.object_name, i.filename, i.capture_time, true, o.stored_at,
           coalesce(w.reason || ', accepted by ' || left(w.superseded_by, -8),
                    'has the same bytes as part ' || d.twin_id || ', accepted by ' || d.decided_by, 'smaller than Google says')
    FROM coldroll.object AS o
    JOIN coldroll.part AS p ON p.id = o.part_id
    JOIN coldroll.item AS i ON i.id = p.item_id
    JOIN coldroll.source AS s ON s.id = i.source_id
    LEFT JOIN (SELECT DISTINCT ON (c.part_id) c.part_id, c.reason, c.superseded_by
               FROM coldroll.outcome AS c
               WHERE c.kind = 'dead' AND c.superseded_by LIKE '%, accept'
               ORDER BY c.part_id, c.superseded_at DESC) AS w ON w.part_id = o.part_id
    LEFT JOIN (SELECT DISTINCT ON (d.part_id) d.part_id, d.twin_id, d.decided_by
               FROM coldroll.doubt AS d
               WHERE d.verdict = 'accepted'
               ORDER BY d.part_id, d.ended_at DESC) AS d ON d.part_id = o.part_id
    WHERE w.part_id IS NOT NULL OR d.part_id IS NOT NULL OR o.fidelity = 'reduced' AND p.kind = 'still'
) AS e
ORDER BY e.turn, e.at DESC, e.part, e.filename;
