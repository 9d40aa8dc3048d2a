-- Migration 25: a run says which scan of its own listed everything, and a scan where it ended.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0025_run_scan.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 25 THEN
        RAISE EXCEPTION 'migration 25 (run_scan) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 25 - 1 THEN
        RAISE EXCEPTION 'migration 25 (run_scan) needs migration % first', 25 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

ALTER TABLE coldroll.run ADD COLUMN scan_id bigint;
ALTER TABLE coldroll.scan ADD COLUMN end_token text;
COMMENT ON COLUMN coldroll.scan.end_token IS 'What its last page was asked for with: a run that joined it asks for that once more when its work is done; null: its first page was all there was, or it is not complete.';
COMMENT ON COLUMN coldroll.run.scan_id IS 'Scan of this run, by its own process, that listed everything from the first page on; null: it listed a part, went on with a scan of before, joined another process''s, or has not ended.';
COMMENT ON COLUMN coldroll.scan.outcome IS 'Null while open; complete; suspicious: ended, but what it saw is not to be believed; failed, also where its end proved to be none when its run asked once more.';

-- For runs of before by the times, as their rows were read until now.
UPDATE coldroll.run AS r
SET scan_id = (SELECT c.id FROM coldroll.scan AS c JOIN coldroll.source AS s ON s.id = c.source_id
               WHERE c.source_id = r.source_id AND s.kind <> 'picker' AND c.outcome = 'complete'
                 AND c.since IS NULL AND c.until IS NULL AND c.started_at >= r.started_at AND c.ended_at <= r.ended_at
               ORDER BY c.id DESC LIMIT 1)
WHERE r.ended_at IS NOT NULL;

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (25, 'run_scan');
COMMIT;
