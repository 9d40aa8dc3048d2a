-- Migration 19: what is known of entries without an id is kept, so that an owner accepts these and no others.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0019_unread.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 19 THEN
        RAISE EXCEPTION 'migration 19 (unread) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 19 - 1 THEN
        RAISE EXCEPTION 'migration 19 (unread) needs migration % first', 19 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- Of scans of before nothing is kept: what was accepted then was a number, and is to be accepted again.
CREATE TABLE coldroll.unread (
    scan_id      bigint      NOT NULL REFERENCES coldroll.scan (id) ON DELETE CASCADE,
    entries      bigint      NOT NULL CHECK (entries > 0),
    capture_time timestamptz,
    identity     text COLLATE "C" NOT NULL,
    filename     text,
    PRIMARY KEY (scan_id, identity),
    CONSTRAINT unread_nothing CHECK (identity <> '' OR num_nonnulls(capture_time, filename) = 0)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE coldroll.unread IS 'Entries without an id by what was known of them, of the scans since the last full one and of the last that was accepted; 1000 different ones a scan.';
COMMENT ON COLUMN coldroll.unread.scan_id IS 'The scan that listed them.';
COMMENT ON COLUMN coldroll.unread.entries IS 'How many the scan listed that look the same.';
COMMENT ON COLUMN coldroll.unread.capture_time IS 'As the source has it; null: unknown.';
COMMENT ON COLUMN coldroll.unread.identity IS 'Digest of all that the source says of one but its base URL; empty: it says nothing.';
COMMENT ON COLUMN coldroll.unread.filename IS 'Its filename, 200 characters of it at most; null: unknown.';
COMMENT ON COLUMN coldroll.scan.unreadable IS 'Entries that could not be read as an item (no id); not part of seen. What is known of them: coldroll.unread.';

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (19, 'unread');
COMMIT;
