-- The last runs, the newest first. Before you delete anything from Google: two of them, a day or more apart, with outcome complete and
-- listed_all true, and listed about as many items as you expect: all the more where empty_pages is not 0, which are pages of the
-- listing that came without any item each time that they were asked for. What was picked is never all there is:
-- listed_all is false for it, as for a run that joined another process's scan, or went on with one of before, which may have
-- passed by what came since.
SELECT r.number AS run, coalesce(s.kind, 'forgotten') AS source, s.account, r.host, r.started_at, r.ended_at,
       coalesce(r.outcome, 'goes on, or broken off') AS outcome,
       EXISTS (SELECT FROM coldroll.scan AS c WHERE c.id = r.scan_id AND c.outcome = 'complete') AS listed_all,
       c.listed, c.empty_pages,
       r.found, r.stored, r.duplicate, r.skipped, r.dead, r.live, r.unreadable
FROM coldroll.run AS r
LEFT JOIN coldroll.source AS s ON s.id = r.source_id
-- Its own scan, or the last one that ended while it went on.
LEFT JOIN LATERAL (
    SELECT coalesce(c.items, c.seen) AS listed, c.empty_pages
    FROM coldroll.scan AS c
    WHERE c.id = r.scan_id OR r.scan_id IS NULL AND c.source_id = r.source_id AND c.ended_at BETWEEN r.started_at AND r.ended_at
    ORDER BY c.id DESC LIMIT 1
) AS c ON true
ORDER BY r.number DESC
LIMIT 40;
