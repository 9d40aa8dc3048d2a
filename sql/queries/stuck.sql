-- What does not move, and why; an empty answer is a good one.
-- Workers put most of this right by themselves within a minute, as long as one of them is alive.
-- A worker counts as alive for seven minutes after its last beat: a beat may take a minute (COLDROLL_BEAT), and six without
-- one are a death, which only another worker declares.
WITH worker AS (
    SELECT w.*, w.state = 'alive' AND w.beat_at > now() - interval '7 minutes' AS is_alive FROM coldroll.worker AS w
)
SELECT stuck.problem, stuck.part, stuck.host, date_trunc('second', stuck.duration) AS for_how_long
FROM (
    SELECT CASE b.service WHEN 'library' THEN 'the Library API' WHEN 'media' THEN 'Google''s media service'
                          ELSE 'the archive' END || ' (' || b.place || ') is away: ' || b.reason AS problem,
           NULL::bigint AS part, NULL AS host, now() - b.since AS duration
    FROM coldroll.breaker AS b
    WHERE b.since IS NOT NULL
    UNION ALL
    SELECT 'its worker is silent', j.part_id, w.host, now() - w.beat_at
    FROM coldroll.job AS j
    JOIN worker AS w ON w.id = j.worker_id
    WHERE j.state = 'running' AND NOT w.is_alive
    UNION ALL
    SELECT 'its worker is unknown', j.part_id, NULL, now() - j.claimed_at
    FROM coldroll.job AS j
    WHERE j.state = 'running' AND NOT EXISTS (SELECT FROM worker AS w WHERE w.id = j.worker_id)
    UNION ALL
    SELECT 'running for more than two hours', j.part_id, w.host, now() - j.claimed_at
    FROM coldroll.job AS j
    JOIN worker AS w ON w.id = j.worker_id
    WHERE j.state = 'running' AND w.is_alive AND j.claimed_at < now() - interval '2 hours'
    UNION ALL
    SELECT 'due, and no worker has swept', j.part_id, NULL, now() - j.due
    FROM coldroll.job AS j
    WHERE j.state = 'scheduled' AND j.due < now() - interval '1 minute'
    UNION ALL
    -- The first of each lane stands for all: a lane may hold millions.
    SELECT CASE WHEN l.paused_at IS NOT NULL THEN 'ready, but its lane is ' || coldroll.pause_text(l.paused_by)
                WHEN NOT s.is_served THEN 'ready, but no living worker serves its source'
                ELSE 'ready, but its lane is parked for ' || date_trunc('second', l.parked_until - now()) || ' more: '
                     || l.park_reason END,
           r.part_id, NULL,
           CASE WHEN l.paused_at IS NOT NULL THEN now() - l.paused_at WHEN NOT s.is_served THEN now() - s.last_beat END
    FROM coldroll.lane AS l
    CROSS JOIN LATERAL (SELECT j.part_id FROM coldroll.job AS j
                        WHERE j.state = 'ready' AND j.lane_id = l.id
                        ORDER BY j.lane_id, j.rank, j.part_id LIMIT 1) AS r
    CROSS JOIN LATERAL (SELECT max(w.beat_at) AS last_beat, coalesce(bool_or(w.is_alive), false) AS is_served FROM worker AS w
                        WHERE l.source_id = ANY (w.sources)) AS s
    WHERE l.paused_at IS NOT NULL OR l.parked_until > now() OR NOT s.is_served
) AS stuck
ORDER BY stuck.duration DESC NULLS LAST, stuck.part
LIMIT 200;
