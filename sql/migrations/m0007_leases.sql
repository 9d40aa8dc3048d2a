-- Migration 7: which jobs were begun, whose contact is steady, which page a scan recorded last.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0007_leases.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 7 THEN
        RAISE EXCEPTION 'migration 7 (leases) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 7 - 1 THEN
        RAISE EXCEPTION 'migration 7 (leases) needs migration % first', 7 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- In no index, so that marking a start can be a heap-only update.
ALTER TABLE coldroll.job ADD COLUMN started_at timestamptz;
COMMENT ON COLUMN coldroll.job.started_at IS 'When the latest claim began its transfer; null: it only waits in its worker''s hands, and is not to blame if that worker vanishes. Committed before the transfer begins, kept when the job is given back.';
COMMENT ON COLUMN coldroll.job.crashes IS 'Workers that vanished while its transfer was under way.';

ALTER TABLE coldroll.worker ADD COLUMN steady_since timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN coldroll.worker.steady_since IS 'Since when its heartbeats came without a gap. Others are given up only while some worker has been steady for as long as that takes: after an outage of the database everybody has been silent.';

ALTER TABLE coldroll.scan ADD COLUMN last_page bigint, ADD COLUMN last_new bigint;
COMMENT ON COLUMN coldroll.scan.last_page IS 'Random number that the process drew for the page it recorded last: a page whose answer was lost is recognised by it.';
COMMENT ON COLUMN coldroll.scan.last_new IS 'Items of that page that were new.';
COMMENT ON COLUMN coldroll.scan.lease IS 'Fence: only the process that drew this random number when it opened the scan may write.';
COMMENT ON SEQUENCE coldroll.lease IS 'Fencing numbers: each claim of a job draws one.';

INSERT INTO coldroll.migration (version, name) VALUES (7, 'leases');
COMMIT;
