-- Migration 6: half-done uploads say what they belong to, and end with their job.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0006_uploads.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 6 THEN
        RAISE EXCEPTION 'migration 6 (uploads) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 6 - 1 THEN
        RAISE EXCEPTION 'migration 6 (uploads) needs migration % first', 6 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- A session without these columns cannot be gone on with; nothing is lost but bytes to send again.
TRUNCATE coldroll.upload;
ALTER TABLE coldroll.upload
    ADD COLUMN length bigint CHECK (length >= 0),
    ADD COLUMN archive_url text NOT NULL CHECK (archive_url <> ''),
    ADD COLUMN object_name text NOT NULL CHECK (object_name <> ''),
    SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
COMMENT ON COLUMN coldroll.upload.stored_offset IS 'Bytes that the bucket has confirmed, as far as that was written down; who goes on asks the bucket.';
COMMENT ON COLUMN coldroll.upload.length IS 'Size that was announced when the session was opened; null: not known. A download of another size cannot go on with it.';
COMMENT ON COLUMN coldroll.upload.archive_url IS 'Archive that the session belongs to.';
COMMENT ON COLUMN coldroll.upload.object_name IS 'Name of the object that it makes, fixed when it was opened.';

-- However a job ends (stored, dead, skipped by a person, deleted by hand), its upload ends in the same statement. Once for
-- a statement, not for each row: completions come in batches of hundreds, and hardly any has an upload. The array hides
-- how many jobs there are, so that the few uploads are not joined with the batch.
CREATE FUNCTION coldroll.forget_uploads() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    DELETE FROM coldroll.upload AS u WHERE u.part_id = ANY (ARRAY (SELECT g.part_id FROM gone AS g));
    RETURN NULL;
END
$body$;
REVOKE ALL ON FUNCTION coldroll.forget_uploads() FROM PUBLIC;
COMMENT ON FUNCTION coldroll.forget_uploads() IS 'Trigger: deletes the half-done uploads of jobs that were deleted.';
CREATE TRIGGER forget_uploads AFTER DELETE ON coldroll.job
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION coldroll.forget_uploads();

INSERT INTO coldroll.migration (version, name) VALUES (6, 'uploads');
COMMIT;
