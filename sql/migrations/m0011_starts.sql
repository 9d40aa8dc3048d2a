-- Migration 11: what a job costs. Which were begun is a row for each batch of starts, not a second version of each job.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0011_starts.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 11 THEN
        RAISE EXCEPTION 'migration 11 (starts) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 11 - 1 THEN
        RAISE EXCEPTION 'migration 11 (starts) needs migration % first', 11 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- Rows are added, and removed once none of their jobs runs any more; none is ever updated, since a row that is updated
-- while an old snapshot is held gets slower with every update. No index: the table is read by heartbeats and by whoever
-- takes back the jobs of a worker that is gone, and is small.
CREATE TABLE coldroll.job_start (
    worker_id  bigint      NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    parts      bigint[]    NOT NULL,
    leases     bigint[]    NOT NULL,
    CONSTRAINT job_start_pairs CHECK (cardinality(parts) > 0 AND cardinality(parts) = cardinality(leases))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE coldroll.job_start IS 'Transfers that were begun, a row for each batch; committed before they begin. What is not in here only waits in its worker''s hands, and is not to blame if that worker vanishes.';
COMMENT ON COLUMN coldroll.job_start.worker_id IS 'Worker that began them.';
COMMENT ON COLUMN coldroll.job_start.started_at IS 'When.';
COMMENT ON COLUMN coldroll.job_start.parts IS 'The parts.';
COMMENT ON COLUMN coldroll.job_start.leases IS 'Leases of their claims, in the same order: what a part''s earlier claim began says nothing of the next one.';

INSERT INTO coldroll.job_start (worker_id, parts, leases)
SELECT j.worker_id, array_agg(j.part_id ORDER BY j.part_id), array_agg(j.lease ORDER BY j.part_id)
FROM coldroll.job AS j
WHERE j.state = 'running' AND j.started_at IS NOT NULL
GROUP BY j.worker_id;
ALTER TABLE coldroll.job DROP COLUMN started_at;

COMMENT ON SEQUENCE coldroll.lease IS 'Fencing numbers: each claim draws one for all the jobs that it takes.';
COMMENT ON COLUMN coldroll.job.lease IS 'Fence: number of the latest claim, shared by the jobs that were claimed with it; every write that ends a job names part and lease. 0: never claimed.';

-- Eight kilobytes a page that are deleted when the scan ends: not worth the time that compressing them takes.
ALTER TABLE coldroll.sighting ALTER COLUMN items SET STORAGE EXTERNAL;

-- The same rule without a regular expression, which cost as much as an index entry.
ALTER TABLE coldroll.part
    DROP CONSTRAINT part_folder_month_check,
    ADD CONSTRAINT part_folder_month_check
        CHECK (folder_month = 'undated' OR octet_length(folder_month) = 6 AND ltrim(folder_month, '0123456789') = '');

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (11, 'starts');
COMMIT;
