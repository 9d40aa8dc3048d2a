-- Migration 24: a scan whose last page was empty is told from one with an empty page in the middle.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0024_empty_end.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 24 THEN
        RAISE EXCEPTION 'migration 24 (empty_end) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 24 - 1 THEN
        RAISE EXCEPTION 'migration 24 (empty_end) needs migration % first', 24 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

ALTER TABLE coldroll.scan ADD COLUMN empty_end boolean NOT NULL DEFAULT false;
ALTER TABLE coldroll.scan ADD CONSTRAINT scan_empty_end CHECK (NOT empty_end OR empty_pages > 0);
COMMENT ON COLUMN coldroll.scan.empty_end IS 'Whether the last page is one of empty_pages, which is how a listing may end: items that are missing are doubted where other pages than it are empty.';
COMMENT ON COLUMN coldroll.scan.empty_pages IS 'Pages that came without any item, also when they were asked for again, but for one that was all there was; counted at its end.';
COMMENT ON COLUMN coldroll.scan.page_token IS 'What the scan goes on with if it is broken off: of the next page, or of the last one where it has come to the end; null: it begins at the first page.';

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (24, 'empty_end');
COMMIT;
