-- Migration 20: a scan that has ended tells how many items it listed, each counted once however often it came.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0020_listed.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 20 THEN
        RAISE EXCEPTION 'migration 20 (listed) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 20 - 1 THEN
        RAISE EXCEPTION 'migration 20 (listed) needs migration % first', 20 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

ALTER TABLE coldroll.scan ADD COLUMN items bigint CHECK (items >= 0);
COMMENT ON TABLE coldroll.sighting IS 'What the scans that are going on have seen so far, one row a page.';
COMMENT ON COLUMN coldroll.scan.items IS 'Different items that it listed; null: it has not ended, or did so before this was counted.';

-- An open one that is not a full one has noted nothing of what it has seen: it starts over, and finds its items known.
UPDATE coldroll.scan AS c SET page_token = NULL
WHERE c.outcome IS NULL
  AND (num_nonnulls(c.since, c.until) > 0 OR (SELECT s.kind FROM coldroll.source AS s WHERE s.id = c.source_id) = 'picker');

CREATE OR REPLACE VIEW coldroll.picks AS
SELECT p.id AS session, s.account, p.scan_id AS scan, p.begun_at, p.picked_at, p.expires_at, p.ended_at,
       coalesce(p.outcome, CASE WHEN p.picked_at IS NULL THEN 'waits for the person'
                                WHEN c.outcome IS NULL OR p.unlisted THEN 'is being listed'
                                ELSE 'is being archived' END) AS state,
       (SELECT count(*) FROM coldroll.pick_page AS g JOIN coldroll.pick AS k ON k.page_id = g.id
        WHERE g.session_id = p.id) AS items,
       coalesce(c.items, c.seen) AS listed
FROM coldroll.pick_session AS p
JOIN coldroll.source AS s ON s.id = p.source_id
JOIN coldroll.scan AS c ON c.id = p.scan_id
ORDER BY p.id DESC;
COMMENT ON COLUMN coldroll.picks.listed IS 'Different items that its scan listed; while that goes on, those that came twice count twice.';

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (20, 'listed');
COMMIT;
