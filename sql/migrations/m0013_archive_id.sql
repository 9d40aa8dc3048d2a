-- Migration 13: an archive that is a directory is known by a mark in it, since each host may have one under the same path.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0013_archive_id.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 13 THEN
        RAISE EXCEPTION 'migration 13 (archive_id) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 13 - 1 THEN
        RAISE EXCEPTION 'migration 13 (archive_id) needs migration % first', 13 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

ALTER TABLE coldroll.ledger
    ADD COLUMN archive_id text CHECK (archive_id <> ''),
    ADD CONSTRAINT ledger_archive_id CHECK (archive_id IS NULL OR archive IS NOT NULL);
COMMENT ON COLUMN coldroll.ledger.archive_id IS 'What stands in the file .coldroll/id of an archive that is a directory: another one under the same path, on another host or below a mount point, is not the archive. Null: a bucket, or not seen yet.';

INSERT INTO coldroll.migration (version, name) VALUES (13, 'archive_id');
COMMIT;
