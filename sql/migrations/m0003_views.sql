-- Migration 3: views for a person at psql.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0003_views.sql "$COLDROLL_DATABASE_URL"
-- One transaction; waits for anyone else who migrates; refuses to run twice or out of order (CRM01, CRM02).
BEGIN;
SELECT pg_advisory_xact_lock(7165629038451265);
DO $guard$
DECLARE
    latest integer;
BEGIN
    IF to_regclass('coldroll.migration') IS NOT NULL THEN
        SELECT max(version) INTO latest FROM coldroll.migration;
    END IF;
    IF latest >= 3 THEN
        RAISE EXCEPTION 'migration 3 (views) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 3 - 1 THEN
        RAISE EXCEPTION 'migration 3 (views) needs migration % first', 3 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

CREATE VIEW coldroll.queue_overview AS
SELECT s.kind AS source, s.account, l.kind AS work, l.id AS lane,
       CASE WHEN l.paused_at IS NOT NULL THEN 'paused by ' || l.paused_by
            WHEN l.parked_until > now() THEN 'parked: ' || l.park_reason
            ELSE 'open' END AS state,
       CASE WHEN l.paused_at IS NULL AND l.parked_until > now() THEN date_trunc('second', l.parked_until - now()) END
       AS opens_in,
       coalesce(j.ready, 0) AS ready, coalesce(j.scheduled, 0) AS scheduled, coalesce(j.running, 0) AS running,
       date_trunc('second', j.next_due - now()) AS next_in
FROM coldroll.lane AS l
JOIN coldroll.source AS s ON s.id = l.source_id
LEFT JOIN (
    SELECT q.lane_id, count(*) FILTER (WHERE q.state = 'ready') AS ready,
           count(*) FILTER (WHERE q.state = 'scheduled') AS scheduled,
           count(*) FILTER (WHERE q.state = 'running') AS running, min(q.due) AS next_due
    FROM coldroll.job AS q
    GROUP BY q.lane_id
) AS j ON j.lane_id = l.id
ORDER BY s.id, l.kind;
COMMENT ON VIEW coldroll.queue_overview IS 'What waits and what runs, by source and kind of work.';
COMMENT ON COLUMN coldroll.queue_overview.source IS 'Kind of source.';
COMMENT ON COLUMN coldroll.queue_overview.account IS 'Its account.';
COMMENT ON COLUMN coldroll.queue_overview.work IS 'photo or video.';
COMMENT ON COLUMN coldroll.queue_overview.lane IS 'Number that pause and resume take.';
COMMENT ON COLUMN coldroll.queue_overview.state IS 'open, paused by a person, or parked with the reason.';
COMMENT ON COLUMN coldroll.queue_overview.opens_in IS 'Time until a parked lane opens.';
COMMENT ON COLUMN coldroll.queue_overview.ready IS 'Jobs that a worker may take now.';
COMMENT ON COLUMN coldroll.queue_overview.scheduled IS 'Jobs that wait for their time.';
COMMENT ON COLUMN coldroll.queue_overview.running IS 'Jobs that a worker has.';
COMMENT ON COLUMN coldroll.queue_overview.next_in IS 'Time until the next scheduled job is due; negative: due.';

CREATE VIEW coldroll.running AS
SELECT j.part_id AS part, p.object_name, p.kind, s.kind AS source, s.account, w.host, w.process_id,
       date_trunc('second', now() - j.claimed_at) AS running_for, date_trunc('second', now() - w.beat_at) AS last_beat,
       coalesce(w.state, 'unknown') AS worker_state, j.attempt + 1 AS attempt, j.crashes, j.worker_id AS worker, j.lease
FROM coldroll.job AS j
JOIN coldroll.part AS p ON p.id = j.part_id
LEFT JOIN coldroll.source AS s ON s.id = p.source_id
LEFT JOIN coldroll.worker AS w ON w.id = j.worker_id
WHERE j.state = 'running'
ORDER BY j.claimed_at;
COMMENT ON VIEW coldroll.running IS 'Transfers that are going on, the longest first.';
COMMENT ON COLUMN coldroll.running.part IS 'Number of the part.';
COMMENT ON COLUMN coldroll.running.object_name IS 'Name in the archive.';
COMMENT ON COLUMN coldroll.running.kind IS 'still, video, motion or file.';
COMMENT ON COLUMN coldroll.running.source IS 'Kind of source.';
COMMENT ON COLUMN coldroll.running.account IS 'Its account.';
COMMENT ON COLUMN coldroll.running.host IS 'Host of the worker.';
COMMENT ON COLUMN coldroll.running.process_id IS 'Its process.';
COMMENT ON COLUMN coldroll.running.running_for IS 'Time since it was claimed.';
COMMENT ON COLUMN coldroll.running.last_beat IS 'Time since the worker''s last sign of life.';
COMMENT ON COLUMN coldroll.running.worker_state IS 'alive; else its jobs are about to be taken back.';
COMMENT ON COLUMN coldroll.running.attempt IS 'Which try this is; vanished workers do not count.';
COMMENT ON COLUMN coldroll.running.crashes IS 'Workers that vanished over it.';
COMMENT ON COLUMN coldroll.running.worker IS 'Number of the worker.';
COMMENT ON COLUMN coldroll.running.lease IS 'Lease of this claim.';

CREATE VIEW coldroll.failures AS
SELECT f.part, p.object_name, f.state, coalesce(f.reason, e.reason) AS reason, e.message, f.attempts, f.crashes,
       coalesce(f.decided_at, e.at) AS failed_at, date_trunc('second', f.due - now()) AS next_try_in
FROM (
    SELECT c.part_id AS part, 'dead' AS state, c.reason, c.attempts, c.crashes, c.decided_at, NULL::timestamptz AS due
    FROM coldroll.outcome AS c
    WHERE c.kind = 'dead' AND c.superseded_at IS NULL
    UNION ALL
    SELECT j.part_id, CASE WHEN j.state = 'running' THEN 'trying again' ELSE 'will try again' END, NULL, j.attempt,
           j.crashes, NULL, j.due
    FROM coldroll.job AS j
    WHERE j.attempt > 0 OR j.crashes > 0
) AS f
JOIN coldroll.part AS p ON p.id = f.part
LEFT JOIN LATERAL (
    SELECT h.reason, h.message, h.at FROM coldroll.job_error AS h WHERE h.part_id = f.part ORDER BY h.id DESC LIMIT 1
) AS e ON true;
COMMENT ON VIEW coldroll.failures IS 'Parts that are dead, and parts that failed and are tried again. By reason: select state, reason, count(*) from coldroll.failures group by 1, 2;';
COMMENT ON COLUMN coldroll.failures.part IS 'Number that retry, skip and accept take.';
COMMENT ON COLUMN coldroll.failures.object_name IS 'Name in the archive.';
COMMENT ON COLUMN coldroll.failures.state IS 'dead, will try again, or trying again.';
COMMENT ON COLUMN coldroll.failures.reason IS 'Why, in a word or two.';
COMMENT ON COLUMN coldroll.failures.message IS 'What the last failure said.';
COMMENT ON COLUMN coldroll.failures.attempts IS 'Failures counted.';
COMMENT ON COLUMN coldroll.failures.crashes IS 'Workers that vanished over it.';
COMMENT ON COLUMN coldroll.failures.failed_at IS 'When it failed last.';
COMMENT ON COLUMN coldroll.failures.next_try_in IS 'Time until the next try.';

CREATE VIEW coldroll.workers AS
SELECT w.id AS worker, w.host, w.process_id, w.state, w.slots, w.busy, coalesce(j.jobs, 0) AS jobs,
       date_trunc('second', now() - w.beat_at) AS last_beat, date_trunc('second', coalesce(w.ended_at, now()) - w.started_at)
       AS lifetime, w.version
FROM coldroll.worker AS w
LEFT JOIN (SELECT q.worker_id, count(*) AS jobs FROM coldroll.job AS q WHERE q.state = 'running' GROUP BY q.worker_id)
       AS j ON j.worker_id = w.id
ORDER BY w.state = 'alive' DESC, w.started_at DESC;
COMMENT ON VIEW coldroll.workers IS 'Worker processes, those alive first.';
COMMENT ON COLUMN coldroll.workers.worker IS 'Number of the worker.';
COMMENT ON COLUMN coldroll.workers.host IS 'Host.';
COMMENT ON COLUMN coldroll.workers.process_id IS 'Process id.';
COMMENT ON COLUMN coldroll.workers.state IS 'alive, stopped, or dead: it fell silent.';
COMMENT ON COLUMN coldroll.workers.slots IS 'Transfers that it may have at once; 0: it decides by itself.';
COMMENT ON COLUMN coldroll.workers.busy IS 'Transfers at its last sign of life.';
COMMENT ON COLUMN coldroll.workers.jobs IS 'Jobs that it has now.';
COMMENT ON COLUMN coldroll.workers.last_beat IS 'Time since its last sign of life.';
COMMENT ON COLUMN coldroll.workers.lifetime IS 'How long it has been, or was, at work.';
COMMENT ON COLUMN coldroll.workers.version IS 'Version of coldroll.';

CREATE VIEW coldroll.throughput AS
SELECT date_trunc('minute', o.stored_at) AS minute, count(*) AS items, sum(o.size)::bigint AS bytes,
       pg_size_pretty(sum(o.size)) AS size, count(DISTINCT o.worker_id) AS workers
FROM coldroll.object AS o
WHERE o.stored_at > now() - interval '1 hour' AND NOT o.adopted
GROUP BY 1
ORDER BY 1 DESC;
COMMENT ON VIEW coldroll.throughput IS 'Files and bytes stored in each minute of the last hour, the newest first; what was there already is not counted.';
COMMENT ON COLUMN coldroll.throughput.minute IS 'The minute.';
COMMENT ON COLUMN coldroll.throughput.items IS 'Files stored in it.';
COMMENT ON COLUMN coldroll.throughput.bytes IS 'Their bytes.';
COMMENT ON COLUMN coldroll.throughput.size IS 'The same for a reader.';
COMMENT ON COLUMN coldroll.throughput.workers IS 'Workers that stored them.';

CREATE VIEW coldroll.balance AS
SELECT s.kind AS source, s.account, b.folder_month, b.found, b.stored, b.duplicate, b.skipped, b.dead, b.live,
       b.unaccounted, b.waiting, b.stored_bytes
FROM (
    SELECT p.source_id, p.folder_month, count(*) AS found, count(o.part_id) AS stored,
           count(*) FILTER (WHERE c.kind = 'duplicate') AS duplicate, count(*) FILTER (WHERE c.kind = 'skipped') AS skipped,
           count(*) FILTER (WHERE c.kind = 'dead') AS dead, count(j.part_id) AS live,
           count(*) FILTER (WHERE num_nonnulls(o.part_id, c.part_id, j.part_id) <> 1) AS unaccounted,
           count(*) FILTER (WHERE j.state = 'scheduled'
                               OR j.state = 'ready' AND (l.paused_at IS NOT NULL OR l.parked_until > now())) AS waiting,
           coalesce(sum(o.size), 0)::bigint AS stored_bytes
    FROM coldroll.part AS p
    LEFT JOIN coldroll.object AS o ON o.part_id = p.id
    LEFT JOIN coldroll.outcome AS c ON c.part_id = p.id AND c.superseded_at IS NULL
    LEFT JOIN coldroll.job AS j ON j.part_id = p.id
    LEFT JOIN coldroll.lane AS l ON l.id = j.lane_id
    GROUP BY p.source_id, p.folder_month
) AS b
LEFT JOIN coldroll.source AS s ON s.id = b.source_id
ORDER BY s.id, b.folder_month;
COMMENT ON VIEW coldroll.balance IS 'The books: found = stored + duplicate + skipped + dead + live for each source and folder, counted part by part.';
COMMENT ON COLUMN coldroll.balance.source IS 'Kind of source.';
COMMENT ON COLUMN coldroll.balance.account IS 'Its account.';
COMMENT ON COLUMN coldroll.balance.folder_month IS 'Folder in the archive.';
COMMENT ON COLUMN coldroll.balance.found IS 'Parts found.';
COMMENT ON COLUMN coldroll.balance.stored IS 'Parts that stand in the archive.';
COMMENT ON COLUMN coldroll.balance.duplicate IS 'Copies of another part.';
COMMENT ON COLUMN coldroll.balance.skipped IS 'Left out, with a reason.';
COMMENT ON COLUMN coldroll.balance.dead IS 'Given up, with a reason: see failures.';
COMMENT ON COLUMN coldroll.balance.live IS 'Still in the queue: ready, scheduled or running.';
COMMENT ON COLUMN coldroll.balance.unaccounted IS 'Parts that are nowhere, or in two places: always 0.';
COMMENT ON COLUMN coldroll.balance.waiting IS 'Of the live ones, those that no worker may take now: scheduled, or in a lane that is paused or parked.';
COMMENT ON COLUMN coldroll.balance.stored_bytes IS 'Bytes stored.';

INSERT INTO coldroll.migration (version, name) VALUES (3, 'views');
COMMIT;
