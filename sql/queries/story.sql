-- The whole story of one item and its parts, in order of time. Which one: psql -v part=17 -f story.sql
-- Without a part it asks for one, at a terminal. Parts are numbered in coldroll.failures, coldroll.running and coldroll.part.
\if :{?part}
\else
    \echo 'Name the part: psql -v part=17 -f story.sql, or coldroll psql --query story -- -v part=17'
    \echo 'coldroll failures, coldroll status and the query slow print numbers of parts; by name of a file:'
    \echo '    select id, object_name from coldroll.part where object_name ilike \'%IMG_0001%\';'
    \prompt 'Number of a part: ' part
\endif
SELECT :'part' !~ '^[0-9]{1,18}$' AS is_none \gset
\if :is_none
    \warn That is no number of a part.
    \quit
\endif
SELECT count(*) = 0 AS is_unknown FROM coldroll.part AS p WHERE p.id = :'part'::bigint \gset
\if :is_unknown
    \warn There is no part :part in the ledger: coldroll.failures, coldroll.running and coldroll.part have the numbers.
    \quit
\endif
WITH chosen AS (
    SELECT i.*, s.kind || ' ' || s.account AS source
    FROM coldroll.item AS i
    JOIN coldroll.source AS s ON s.id = i.source_id
    WHERE i.id = (SELECT p.item_id FROM coldroll.part AS p WHERE p.id = :'part'::bigint)
), parts AS (
    SELECT p.* FROM coldroll.part AS p JOIN chosen AS c ON c.id = p.item_id
)
SELECT e.at, e.part, e.event, e.detail
FROM (
    SELECT c.found_at AS at, 1 AS turn, NULL::bigint AS part, 'found' AS event,
           concat_ws(', ', c.source, 'scan ' || c.scan_id, c.filename, c.mime_type, c.width || ' x ' || c.height,
                     'taken ' || coalesce(c.capture_time::text, 'at an unknown time'), 'id ' || c.source_item) AS detail
    FROM chosen AS c
    UNION ALL
    SELECT c.found_at, 2, p.id, 'part ' || p.kind, p.object_name FROM parts AS p CROSS JOIN chosen AS c
    UNION ALL
    SELECT e.at, 3, e.part_id, CASE WHEN e.is_crash THEN 'worker vanished' ELSE 'failure ' || e.attempt END,
           concat_ws(', ', e.reason || ': ' || e.message, w.host || ' process ' || w.process_id, 'lease ' || e.lease)
    FROM parts AS p
    JOIN coldroll.job_error AS e ON e.part_id = p.id
    LEFT JOIN coldroll.worker AS w ON w.id = e.worker_id
    UNION ALL
    SELECT c.decided_at, 4, c.part_id, c.kind,
           concat_ws(', ', c.reason, 'part ' || c.duplicate_of, 'decided by ' || c.decided_by, c.attempts || ' failures',
                     c.crashes || ' crashes')
    FROM parts AS p
    JOIN coldroll.outcome AS c ON c.part_id = p.id AND NOT coalesce(c.superseded_at = c.decided_at AND c.superseded_by LIKE '%, accept', false)
    UNION ALL
    SELECT c.superseded_at, 5, c.part_id,
           -- Accepted before it was given up.
           CASE WHEN c.superseded_at = c.decided_at AND c.superseded_by LIKE '%, accept' THEN 'accepted'
                ELSE 'no longer ' || c.kind END,
           CASE WHEN c.superseded_at = c.decided_at AND c.superseded_by LIKE '%, accept' THEN c.reason || ', ' ELSE '' END
               || c.superseded_by
    FROM parts AS p
    JOIN coldroll.outcome AS c ON c.part_id = p.id AND c.superseded_at IS NOT NULL
    UNION ALL
    SELECT o.stored_at, 6, o.part_id, CASE WHEN o.adopted THEN 'recognised' ELSE 'stored' END,
           concat_ws(', ', o.size || ' bytes', 'crc32c ' || to_hex(o.crc32c), 'generation ' || o.generation, o.fidelity,
                     o.media_kind, w.host || ' process ' || w.process_id, 'lease ' || o.lease)
    FROM parts AS p
    JOIN coldroll.object AS o ON o.part_id = p.id
    LEFT JOIN coldroll.worker AS w ON w.id = o.worker_id
    UNION ALL
    SELECT d.doubted_at, 6, d.part_id, 'doubted',
           concat_ws(', ', d.object_name, d.size || ' bytes', 'stored ' || d.stored_at, 'part ' || d.twin_id || ' has the same')
    FROM parts AS p
    JOIN coldroll.doubt AS d ON d.part_id = p.id
    UNION ALL
    SELECT d.ended_at, 6, d.part_id, d.verdict, concat_ws(', ', d.object_name, 'decided by ' || d.decided_by)
    FROM parts AS p
    JOIN coldroll.doubt AS d ON d.part_id = p.id AND d.ended_at IS NOT NULL
    UNION ALL
    SELECT coalesce(j.due, j.claimed_at), 7, j.part_id, 'now ' || j.state,
           concat_ws(', ', CASE WHEN j.state = 'running' THEN w.host || ' process ' || w.process_id END,
                     'due ' || j.due, j.attempt || ' failures', j.crashes || ' crashes', j.note)
    FROM parts AS p
    JOIN coldroll.job AS j ON j.part_id = p.id
    LEFT JOIN coldroll.worker AS w ON w.id = j.worker_id
) AS e
ORDER BY e.at NULLS LAST, e.turn, e.part;
