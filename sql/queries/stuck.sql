-- Stuck jobs, and why they do not move; an empty answer is a good one.
-- Workers put most of this right by themselves within a minute, as long as one of them is alive.
SELECT *
FROM (
    SELECT 'its worker is silent' AS problem, j.part_id AS part, w.host, now() - w.beat_at AS since
    FROM coldroll.job AS j
    JOIN coldroll.worker AS w ON w.id = j.worker_id
    WHERE j.state = 'running' AND (w.state <> 'alive' OR w.beat_at < now() - interval '30 seconds')
    UNION ALL
    SELECT 'its worker is unknown', j.part_id, NULL, now() - j.claimed_at
    FROM coldroll.job AS j
    WHERE j.state = 'running' AND NOT EXISTS (SELECT FROM coldroll.worker AS w WHERE w.id = j.worker_id)
    UNION ALL
    SELECT 'running for more than two hours', j.part_id, w.host, now() - j.claimed_at
    FROM coldroll.job AS j
    JOIN coldroll.worker AS w ON w.id = j.worker_id
    WHERE j.state = 'running' AND j.claimed_at < now() - interval '2 hours'
    UNION ALL
    SELECT 'due, and no worker has swept', j.part_id, NULL, now() - j.due
    FROM coldroll.job AS j
    WHERE j.state = 'scheduled' AND j.due < now() - interval '1 minute'
    UNION ALL
    -- The first of each lane stands for all: a lane may hold millions.
    SELECT CASE WHEN l.paused_at IS NOT NULL THEN 'ready, but its lane is paused by ' || l.paused_by
                ELSE 'ready, but no living worker serves its source' END,
           r.part_id, NULL, now() - l.paused_at
    FROM coldroll.lane AS l
    CROSS JOIN LATERAL (SELECT j.part_id FROM coldroll.job AS j
                        WHERE j.state = 'ready' AND j.lane_id = l.id
                        ORDER BY j.lane_id, j.rank, j.part_id LIMIT 1) AS r
    WHERE l.paused_at IS NOT NULL
       OR NOT EXISTS (SELECT FROM coldroll.worker AS w WHERE w.state = 'alive' AND l.source_id = ANY (w.sources))
) AS stuck
ORDER BY since DESC NULLS LAST, part
LIMIT 200;
