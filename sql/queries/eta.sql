-- When each source will be finished at the speed of the last hour; parts that wait for a retry are among those left.
-- done: stored, a duplicate, left out, or dead, which waits for your decision (failures).
-- No rate, no date: nothing was stored in the last hour. Paused and parked lanes: see the state of coldroll.queue_overview.
SELECT s.kind AS source, s.account, t.found, t.found - t.live AS done,
       round(100.0 * (t.found - t.live) / nullif(t.found, 0), 1) AS percent, t.live AS left_to_do,
       round(r.files / r.hours) AS files_an_hour, date_trunc('minute', t.live / (r.files / r.hours) * interval '1 hour') AS time_left,
       date_trunc('minute', now() + t.live / (r.files / r.hours) * interval '1 hour') AS finished_at,
       t.dead
FROM coldroll.source AS s
JOIN (
    SELECT y.source_id, (sum(y.parts) FILTER (WHERE y.place = 'found'))::bigint AS found,
           coalesce(sum(y.parts) FILTER (WHERE y.place = 'live'), 0)::bigint AS live,
           coalesce(sum(y.parts) FILTER (WHERE y.place = 'dead'), 0)::bigint AS dead
    FROM coldroll.tally AS y
    GROUP BY y.source_id
) AS t ON t.source_id = s.id
LEFT JOIN (
    -- From the first file of the hour on: an import that began ten minutes ago has the speed of those ten minutes.
    SELECT p.source_id, count(*)::float8 AS files,
           greatest(60, extract(epoch FROM now() - min(o.stored_at)))::float8 / 3600 AS hours
    FROM coldroll.object AS o
    JOIN coldroll.part AS p ON p.id = o.part_id
    WHERE o.stored_at > now() - interval '1 hour' AND NOT o.adopted
    GROUP BY p.source_id
) AS r ON r.source_id = s.id
ORDER BY s.id;
