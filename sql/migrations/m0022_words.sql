-- Migration 22: sizes in decimal units, as the commands print them; a pause is told without coldroll's own database role.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0022_words.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 22 THEN
        RAISE EXCEPTION 'migration 22 (words) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 22 - 1 THEN
        RAISE EXCEPTION 'migration 22 (words) needs migration % first', 22 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

CREATE FUNCTION coldroll.size_text(bytes numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
    -- 999.5 and more would have four digits: the next unit takes it.
    SELECT CASE WHEN round(size_text.bytes) < 1000 THEN round(size_text.bytes) || ' B' ELSE (
        SELECT round(s.value, CASE WHEN s.value < 9.995 THEN 2 WHEN s.value < 99.95 THEN 1 ELSE 0 END) || ' ' || s.unit
        FROM (SELECT u.power, u.unit, size_text.bytes / power(1000::numeric, u.power) AS value
              FROM (VALUES (1, 'kB'), (2, 'MB'), (3, 'GB'), (4, 'TB'), (5, 'PB'), (6, 'EB')) AS u (power, unit)) AS s
        WHERE s.value < 999.5 OR s.power = 6
        ORDER BY s.power
        LIMIT 1) END
$body$;
COMMENT ON FUNCTION coldroll.size_text(numeric) IS 'Bytes for a reader: three digits, decimal units as Cloud Storage bills them (1 MB is 1,000,000 bytes).';

CREATE FUNCTION coldroll.pause_text(paused_by text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT CASE WHEN pause_text.paused_by = pg_get_userbyid(n.nspowner)::text THEN 'paused by hand'
                WHEN EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = pause_text.paused_by)
                THEN 'paused by the database role ' || pause_text.paused_by
                ELSE 'paused by ' || pause_text.paused_by END
    FROM pg_namespace AS n
    WHERE n.nspname = 'coldroll'
$body$;
COMMENT ON FUNCTION coldroll.pause_text(text) IS 'lane.paused_by in words; the role that owns the ledger, as which the commands work, is nobody in particular.';

CREATE OR REPLACE VIEW coldroll.queue_overview AS
SELECT s.kind AS source, s.account, l.kind AS work, l.id AS lane,
       CASE WHEN l.paused_at IS NOT NULL THEN coldroll.pause_text(l.paused_by)
            WHEN l.parked_until > now() THEN 'parked: ' || l.park_reason
            ELSE 'open' END AS state,
       CASE WHEN l.paused_at IS NULL AND l.parked_until > now() THEN date_trunc('second', l.parked_until - now()) END
       AS opens_in,
       (coalesce(t.live, 0) - coalesce(q.scheduled, 0) - coalesce(r.running, 0))::bigint AS ready,
       coalesce(q.scheduled, 0) AS scheduled, coalesce(r.running, 0) AS running,
       date_trunc('second', q.next_due - now()) AS next_in
FROM coldroll.lane AS l
JOIN coldroll.source AS s ON s.id = l.source_id
LEFT JOIN (SELECT y.lane_id, sum(y.parts) AS live FROM coldroll.tally AS y WHERE y.place = 'live' GROUP BY y.lane_id)
       AS t ON t.lane_id = l.id
LEFT JOIN (SELECT j.lane_id, count(*) AS scheduled, min(j.due) AS next_due
           FROM coldroll.job AS j WHERE j.state = 'scheduled' GROUP BY j.lane_id) AS q ON q.lane_id = l.id
LEFT JOIN (SELECT j.lane_id, count(*) AS running
           FROM coldroll.job AS j WHERE j.state = 'running' GROUP BY j.lane_id) AS r ON r.lane_id = l.id
ORDER BY s.id, l.kind;
COMMENT ON COLUMN coldroll.queue_overview.state IS 'open, paused (by hand, by a database role, or by a refused login), or parked with the reason.';

CREATE OR REPLACE VIEW coldroll.throughput AS
SELECT date_trunc('minute', o.stored_at) AS minute, count(*) AS items, sum(o.size)::bigint AS bytes,
       coldroll.size_text(sum(o.size)) AS size, count(DISTINCT o.worker_id) AS workers
FROM coldroll.object AS o
WHERE o.stored_at > now() - interval '1 hour' AND NOT o.adopted
GROUP BY 1
ORDER BY 1 DESC;

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (22, 'words');
COMMIT;
