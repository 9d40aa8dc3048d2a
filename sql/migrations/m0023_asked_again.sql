-- Migration 23: a scan remembers how to ask again for the pages that came without any item.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0023_asked_again.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 23 THEN
        RAISE EXCEPTION 'migration 23 (asked_again) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 23 - 1 THEN
        RAISE EXCEPTION 'migration 23 (asked_again) needs migration % first', 23 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

CREATE TABLE coldroll.empty_page (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scan_id bigint NOT NULL REFERENCES coldroll.scan (id) ON DELETE CASCADE,
    page    bigint NOT NULL CHECK (page >= 0),
    is_believed boolean NOT NULL DEFAULT false,
    token   text
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX empty_page_of_scan ON coldroll.empty_page (scan_id);
COMMENT ON TABLE coldroll.empty_page IS 'Pages that came without any item, of the scans that are going on: each is asked for again when the rest is listed.';
COMMENT ON COLUMN coldroll.empty_page.id IS 'Key; the order in which they came.';
COMMENT ON COLUMN coldroll.empty_page.scan_id IS 'The scan.';
COMMENT ON COLUMN coldroll.empty_page.page IS 'Pages that the scan had recorded by then.';
COMMENT ON COLUMN coldroll.empty_page.is_believed IS 'Whether it was empty again when it was asked for later, in the middle of the listing.';
COMMENT ON COLUMN coldroll.empty_page.token IS 'What it was asked for with; null: it was the first page.';
COMMENT ON COLUMN coldroll.scan.empty_pages IS 'Pages that came without any item, also when they were asked for again, but for one that was all there was; counted at its end.';
ALTER TABLE coldroll.scan ADD COLUMN found_before bigint NOT NULL DEFAULT 0;
ALTER TABLE coldroll.scan ADD CONSTRAINT scan_found_before CHECK (found_before BETWEEN 0 AND new);
COMMENT ON COLUMN coldroll.scan.found_before IS 'Items of new that were found before the pass began anew at the first page: they are expected in it.';

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (23, 'asked_again');
COMMIT;
