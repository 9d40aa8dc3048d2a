-- What is running where: one line a worker process, the busiest first.
-- transfers: at its last beat, of the slots that it may fill (0: it decides by itself). jobs_held: these, and what it
-- claimed ahead, by kind in the next three columns.
-- After six beats of silence (COLDROLL_BEAT; 30 seconds where it is not set) another worker takes its jobs back.
SELECT w.host, w.process_id, w.state, w.busy AS transfers, w.slots, count(j.part_id) AS jobs_held,
       count(*) FILTER (WHERE p.kind = 'still') AS stills, count(*) FILTER (WHERE p.kind = 'video') AS videos,
       count(*) FILTER (WHERE p.kind = 'motion') AS clips,
       date_trunc('second', now() - min(j.claimed_at)) AS longest_held,
       date_trunc('second', now() - w.beat_at) AS last_beat_ago,
       w.version
FROM coldroll.worker AS w
LEFT JOIN coldroll.job AS j ON j.worker_id = w.id AND j.state = 'running'
LEFT JOIN coldroll.part AS p ON p.id = j.part_id
WHERE w.state = 'alive' OR j.part_id IS NOT NULL
GROUP BY w.id
ORDER BY jobs_held DESC, w.host, w.process_id;
