-- Migration 5: what a full scan saw, and what it missed.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0005_listing.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 5 THEN
        RAISE EXCEPTION 'migration 5 (listing) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 5 - 1 THEN
        RAISE EXCEPTION 'migration 5 (listing) needs migration % first', 5 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- One row a page, so that a known item costs no write of its own; gone when the scan ends.
CREATE TABLE coldroll.sighting (
    scan_id bigint   NOT NULL,
    items   bigint[] NOT NULL
);
CREATE INDEX sighting_of_scan ON coldroll.sighting (scan_id);
COMMENT ON TABLE coldroll.sighting IS 'What the full scans that are going on have seen so far, one row a page.';
COMMENT ON COLUMN coldroll.sighting.scan_id IS 'The scan.';
COMMENT ON COLUMN coldroll.sighting.items IS 'Keys of the items of one page.';

CREATE TABLE coldroll.absence (
    item_id   bigint      PRIMARY KEY,
    source_id bigint      NOT NULL,
    scan_id   bigint      NOT NULL,
    noted_at  timestamptz NOT NULL DEFAULT now(),
    believed  boolean     NOT NULL
);
COMMENT ON TABLE coldroll.absence IS 'Items that the last full scan did not see any more. What is stored of them stays stored.';
COMMENT ON COLUMN coldroll.absence.item_id IS 'The item.';
COMMENT ON COLUMN coldroll.absence.source_id IS 'Its source.';
COMMENT ON COLUMN coldroll.absence.scan_id IS 'First scan that did not see it.';
COMMENT ON COLUMN coldroll.absence.noted_at IS 'When that scan ended.';
COMMENT ON COLUMN coldroll.absence.believed IS 'Whether a scan that is complete missed it: deleted at the source. Else the scan is suspicious, and the item is still expected.';

ALTER TABLE coldroll.scan
    ADD COLUMN missing bigint CHECK (missing >= 0),
    ADD COLUMN accepted boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT scan_accepted CHECK (NOT accepted OR outcome IS NOT DISTINCT FROM 'complete' AND since IS NULL AND until IS NULL);
COMMENT ON COLUMN coldroll.scan.missing IS 'Items that it should have seen, by the scans before it, and did not; null: not compared.';
COMMENT ON COLUMN coldroll.scan.accepted IS 'The owner knows what it missed and could not read, and takes it as it is.';

ALTER TABLE coldroll.run ADD COLUMN unreadable bigint CHECK (unreadable >= 0);
COMMENT ON COLUMN coldroll.run.unreadable IS 'Entries that the source listed without an id, not acknowledged: in none of the other counts.';

CREATE VIEW coldroll.missing AS
SELECT s.kind AS source, s.account, i.filename, i.capture_time, p.object_name, p.id AS part, o.part_id IS NOT NULL AS stored,
       a.believed, a.noted_at
FROM coldroll.absence AS a
JOIN coldroll.item AS i ON i.id = a.item_id
LEFT JOIN coldroll.source AS s ON s.id = a.source_id
LEFT JOIN coldroll.part AS p ON p.item_id = a.item_id
LEFT JOIN coldroll.object AS o ON o.part_id = p.id
ORDER BY a.noted_at DESC, i.capture_time DESC NULLS LAST, p.id;
COMMENT ON VIEW coldroll.missing IS 'Files whose item Google does not list any more: deleted there, or left out of a listing that is not to be believed.';
COMMENT ON COLUMN coldroll.missing.source IS 'Kind of source.';
COMMENT ON COLUMN coldroll.missing.account IS 'Its account.';
COMMENT ON COLUMN coldroll.missing.filename IS 'Filename as last reported.';
COMMENT ON COLUMN coldroll.missing.capture_time IS 'When it was taken.';
COMMENT ON COLUMN coldroll.missing.object_name IS 'Name in the archive.';
COMMENT ON COLUMN coldroll.missing.part IS 'Number of the part.';
COMMENT ON COLUMN coldroll.missing.stored IS 'Whether it stands in the archive.';
COMMENT ON COLUMN coldroll.missing.believed IS 'Taken for deleted; false: the scan that missed it is suspicious.';
COMMENT ON COLUMN coldroll.missing.noted_at IS 'When it was first missed.';

-- An open scan has seen pages that are noted nowhere: it starts over, and finds its items known.
UPDATE coldroll.scan SET page_token = NULL WHERE outcome IS NULL;

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (5, 'listing');
COMMIT;
