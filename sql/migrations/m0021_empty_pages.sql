-- Migration 21: a scan remembers pages without any item, over whatever becomes of its process.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0021_empty_pages.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 21 THEN
        RAISE EXCEPTION 'migration 21 (empty_pages) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 21 - 1 THEN
        RAISE EXCEPTION 'migration 21 (empty_pages) needs migration % first', 21 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

ALTER TABLE coldroll.scan ADD COLUMN empty_pages bigint NOT NULL DEFAULT 0 CHECK (empty_pages >= 0);
COMMENT ON COLUMN coldroll.scan.empty_pages IS 'Pages before the last that came without any item: items that are missing beside one are doubted.';

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (21, 'empty_pages');
COMMIT;
