-- What is running where: one line a worker process, the busiest first.
-- A last_beat of more than 30 seconds means that its jobs are about to be taken back.
SELECT w.host, w.process_id, w.state, count(j.part_id) AS transfers, w.slots,
       count(*) FILTER (WHERE p.kind = 'still') AS stills, count(*) FILTER (WHERE p.kind = 'video') AS videos,
       count(*) FILTER (WHERE p.kind = 'motion') AS clips,
       date_trunc('second', now() - min(j.claimed_at)) AS longest, date_trunc('second', now() - w.beat_at) AS last_beat,
       w.version
FROM coldroll.worker AS w
LEFT JOIN coldroll.job AS j ON j.worker_id = w.id AND j.state = 'running'
LEFT JOIN coldroll.part AS p ON p.id = j.part_id
WHERE w.state = 'alive' OR j.part_id IS NOT NULL
GROUP BY w.id
ORDER BY transfers DESC, w.host, w.process_id;
