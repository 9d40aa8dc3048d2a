-- Migration 2: the queue, small tables that change all the time.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0002_queue.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 2 THEN
        RAISE EXCEPTION 'migration 2 (queue) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 2 - 1 THEN
        RAISE EXCEPTION 'migration 2 (queue) needs migration % first', 2 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

CREATE TABLE coldroll.lane (
    id           bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id    bigint  NOT NULL REFERENCES coldroll.source (id),
    parked_until timestamptz,
    paused_at    timestamptz,
    kind         text COLLATE "C" NOT NULL CHECK (kind IN ('photo', 'video')),
    park_reason  text,
    paused_by    text,
    CONSTRAINT lane_identity UNIQUE (source_id, kind),
    CONSTRAINT lane_park CHECK ((parked_until IS NULL) = (park_reason IS NULL)),
    CONSTRAINT lane_pause CHECK ((paused_at IS NULL) = (paused_by IS NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
COMMENT ON TABLE coldroll.lane IS 'Jobs that are claimed and held back together: one source and one kind of work.';
COMMENT ON COLUMN coldroll.lane.id IS 'Key: what pause and resume take.';
COMMENT ON COLUMN coldroll.lane.source_id IS 'The source.';
COMMENT ON COLUMN coldroll.lane.parked_until IS 'No claims before this time: an outage or a quota that no job is to blame for. In the past: open again.';
COMMENT ON COLUMN coldroll.lane.paused_at IS 'Since when a person has paused it; null: not paused.';
COMMENT ON COLUMN coldroll.lane.kind IS 'photo or video, so that long videos and many photos do not starve each other.';
COMMENT ON COLUMN coldroll.lane.park_reason IS 'Why it is parked.';
COMMENT ON COLUMN coldroll.lane.paused_by IS 'Database user who paused it.';

CREATE TYPE coldroll.job_state AS ENUM ('ready', 'scheduled', 'running');
COMMENT ON TYPE coldroll.job_state IS 'ready: waits for a worker; scheduled: waits for its time; running: a worker has it.';

CREATE TABLE coldroll.job (
    part_id        bigint             PRIMARY KEY,
    lane_id        bigint             NOT NULL,
    rank           bigint             NOT NULL DEFAULT 0,
    lease          bigint             NOT NULL DEFAULT 0 CHECK (lease >= 0),
    worker_id      bigint,
    claimed_at     timestamptz,
    due            timestamptz,
    state          coldroll.job_state NOT NULL DEFAULT 'ready',
    attempt        smallint           NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    crashes        smallint           NOT NULL DEFAULT 0 CHECK (crashes >= 0),
    accept_reduced boolean            NOT NULL DEFAULT false,
    note           text,
    CONSTRAINT job_claimed CHECK (num_nulls(worker_id, claimed_at) = CASE WHEN lease = 0 THEN 2 ELSE 0 END),
    CONSTRAINT job_running_has_lease CHECK (state <> 'running' OR lease > 0),
    CONSTRAINT job_scheduled_has_time CHECK ((state = 'scheduled') = (due IS NOT NULL))
) WITH (
    -- A claim can never be a heap-only update, since state is in the index predicates (PostgreSQL docs, "Heap-Only
    -- Tuples"); the slack lets its new version stay on the page. Vacuum by count, not by share: a backlog of ten
    -- million rows must not wait for two million dead ones. Pages are kept for the next scan.
    fillfactor = 85,
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 5000,
    vacuum_truncate = false
);
CREATE INDEX job_ready ON coldroll.job (lane_id, rank, part_id) WHERE state = 'ready';
CREATE INDEX job_scheduled ON coldroll.job (due) WHERE state = 'scheduled';
CREATE INDEX job_running ON coldroll.job (worker_id) WHERE state = 'running';
COMMENT ON TABLE coldroll.job IS 'Live queue rows: one for each part that is neither stored nor ended otherwise. Ending a job deletes its row.';
COMMENT ON COLUMN coldroll.job.part_id IS 'The part, and the key.';
COMMENT ON COLUMN coldroll.job.lane_id IS 'Its lane.';
COMMENT ON COLUMN coldroll.job.rank IS 'Order within the lane, smallest first; then by part.';
COMMENT ON COLUMN coldroll.job.lease IS 'Fence: number of the latest claim; every write that ends a job names it. 0: never claimed.';
COMMENT ON COLUMN coldroll.job.worker_id IS 'Worker of the latest claim, kept when the job is given back.';
COMMENT ON COLUMN coldroll.job.claimed_at IS 'Time of the latest claim.';
COMMENT ON COLUMN coldroll.job.due IS 'When a scheduled job becomes ready.';
COMMENT ON COLUMN coldroll.job.state IS 'ready, scheduled or running.';
COMMENT ON COLUMN coldroll.job.attempt IS 'Failures of the part itself so far.';
COMMENT ON COLUMN coldroll.job.crashes IS 'Workers that vanished while they had it.';
COMMENT ON COLUMN coldroll.job.accept_reduced IS 'The owner accepts it smaller than reported.';
COMMENT ON COLUMN coldroll.job.note IS 'What it waits for, or what went wrong last; for the owner.';

CREATE TABLE coldroll.job_error (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    part_id    bigint      NOT NULL,
    lease      bigint      NOT NULL,
    worker_id  bigint      NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    attempt    smallint    NOT NULL CHECK (attempt >= 0),
    is_crash   boolean     NOT NULL,
    reason     text        NOT NULL CHECK (reason <> ''),
    message    text        NOT NULL
);
CREATE INDEX job_error_part ON coldroll.job_error (part_id, id);
COMMENT ON TABLE coldroll.job_error IS 'History of failures, one row each; it outlives the job.';
COMMENT ON COLUMN coldroll.job_error.id IS 'Key, in order of time.';
COMMENT ON COLUMN coldroll.job_error.part_id IS 'The part.';
COMMENT ON COLUMN coldroll.job_error.lease IS 'Lease of the claim that failed.';
COMMENT ON COLUMN coldroll.job_error.worker_id IS 'Worker that failed.';
COMMENT ON COLUMN coldroll.job_error.at IS 'When.';
COMMENT ON COLUMN coldroll.job_error.attempt IS 'Failures counted then, this one included.';
COMMENT ON COLUMN coldroll.job_error.is_crash IS 'True: the worker vanished; that is counted as a crash, not as a failure.';
COMMENT ON COLUMN coldroll.job_error.reason IS 'Short and stable, to group by.';
COMMENT ON COLUMN coldroll.job_error.message IS 'A sentence.';

CREATE TABLE coldroll.worker (
    id         bigint      PRIMARY KEY CHECK (id > 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    beat_at    timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    process_id integer     NOT NULL,
    slots      integer     NOT NULL CHECK (slots >= 0),
    busy       integer     NOT NULL DEFAULT 0 CHECK (busy >= 0),
    state      text COLLATE "C" NOT NULL DEFAULT 'alive' CHECK (state IN ('alive', 'stopped', 'dead')),
    host       text        NOT NULL,
    version    text        NOT NULL,
    sources    bigint[]    NOT NULL,
    CONSTRAINT worker_end CHECK ((state = 'alive') = (ended_at IS NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
COMMENT ON TABLE coldroll.worker IS 'Worker processes, one row for each time one was started.';
COMMENT ON COLUMN coldroll.worker.id IS 'Random number that the process drew.';
COMMENT ON COLUMN coldroll.worker.started_at IS 'When it registered.';
COMMENT ON COLUMN coldroll.worker.beat_at IS 'Last heartbeat.';
COMMENT ON COLUMN coldroll.worker.ended_at IS 'When it stopped or was given up.';
COMMENT ON COLUMN coldroll.worker.process_id IS 'Process id on its host.';
COMMENT ON COLUMN coldroll.worker.slots IS 'Transfers that it may have at once; 0: it decides by itself.';
COMMENT ON COLUMN coldroll.worker.busy IS 'Transfers at the last heartbeat.';
COMMENT ON COLUMN coldroll.worker.state IS 'alive; stopped: ended in order; dead: fell silent, its jobs were taken back.';
COMMENT ON COLUMN coldroll.worker.host IS 'Host name.';
COMMENT ON COLUMN coldroll.worker.version IS 'Version of coldroll.';
COMMENT ON COLUMN coldroll.worker.sources IS 'Sources that it serves.';

CREATE TABLE coldroll.upload (
    part_id       bigint      PRIMARY KEY,
    lease         bigint      NOT NULL CHECK (lease > 0),
    stored_offset bigint      NOT NULL DEFAULT 0 CHECK (stored_offset >= 0),
    begun_at      timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    session_uri   text        NOT NULL CHECK (session_uri <> '')
) WITH (fillfactor = 70);
COMMENT ON TABLE coldroll.upload IS 'Half-done uploads that another worker can finish. Not for readers: who has a session URI can write to it.';
COMMENT ON COLUMN coldroll.upload.part_id IS 'The part.';
COMMENT ON COLUMN coldroll.upload.lease IS 'Fence: lease of the claim that uploads.';
COMMENT ON COLUMN coldroll.upload.stored_offset IS 'Bytes that the bucket has confirmed.';
COMMENT ON COLUMN coldroll.upload.begun_at IS 'When the session was opened; sessions last a week.';
COMMENT ON COLUMN coldroll.upload.updated_at IS 'Last confirmation.';
COMMENT ON COLUMN coldroll.upload.session_uri IS 'Session of the resumable upload: a secret.';

INSERT INTO coldroll.migration (version, name) VALUES (2, 'queue');
COMMIT;
