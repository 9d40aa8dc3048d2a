-- When each source will be finished at the speed of the last hour; parts that wait for a retry are among those left.
-- done: stored, a duplicate, left out, or dead, which waits for your decision (failures).
-- No rate, no date: nothing was stored in the last hour. No date either while parts wait for what held names: a lane that is
-- paused or parked, or a worker; one that has been silent for seven minutes is not counted as alive.
SELECT s.kind AS source, s.account, t.found, t.found - t.live AS done,
       round(100.0 * (t.found - t.live) / nullif(t.found, 0), 1) AS percent, t.live AS left_to_do,
       round(r.files / r.hours) AS files_an_hour,
       CASE WHEN h.held IS NULL THEN date_trunc('minute', t.live / (r.files / r.hours) * interval '1 hour') END AS time_left,
       CASE WHEN h.held IS NULL THEN date_trunc('minute', now() + t.live / (r.files / r.hours) * interval '1 hour') END
       AS finished_at,
       t.dead, h.held
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
CROSS JOIN LATERAL (
    SELECT string_agg(w.words, '; ') AS held
    FROM (
        SELECT 'no worker is running' AS words
        WHERE t.live > 0 AND NOT EXISTS (SELECT FROM coldroll.worker AS w
                                         WHERE w.state = 'alive' AND w.beat_at > now() - interval '7 minutes'
                                           AND s.id = ANY (w.sources))
        UNION ALL
        SELECT y.live || ' parts in lane ' || l.id || ', which is '
               || CASE WHEN l.paused_at IS NOT NULL THEN coldroll.pause_text(l.paused_by)
                       ELSE 'parked for ' || date_trunc('second', l.parked_until - now()) || ' more: ' || l.park_reason END
        FROM coldroll.lane AS l
        CROSS JOIN LATERAL (SELECT sum(v.parts) AS live FROM coldroll.tally AS v
                            WHERE v.place = 'live' AND v.lane_id = l.id) AS y
        WHERE l.source_id = s.id AND y.live > 0 AND (l.paused_at IS NOT NULL OR l.parked_until > now())
    ) AS w
) AS h
ORDER BY s.id;
