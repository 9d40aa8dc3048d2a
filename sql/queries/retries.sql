-- What is tried again next: the fifty jobs that are due first, and why they wait.
-- A negative due_in is due: the next sweep of any worker, within seconds, makes it ready.
SELECT j.part_id AS part, p.object_name, s.kind AS source, s.account, l.kind AS work,
       date_trunc('second', j.due - now()) AS due_in, j.attempt AS failures, j.crashes AS vanished_workers,
       j.note AS why
FROM coldroll.job AS j
JOIN coldroll.part AS p ON p.id = j.part_id
JOIN coldroll.lane AS l ON l.id = j.lane_id
JOIN coldroll.source AS s ON s.id = l.source_id
WHERE j.state = 'scheduled'
ORDER BY j.due, j.part_id
LIMIT 50;
