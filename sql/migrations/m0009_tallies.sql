-- Migration 9: tallies, so that sums over ten million parts cost no more than over ten.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0009_tallies.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 9 THEN
        RAISE EXCEPTION 'migration 9 (tallies) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 9 - 1 THEN
        RAISE EXCEPTION 'migration 9 (tallies) needs migration % first', 9 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- Each statement that moves parts adds a row here, in its own transaction: nobody waits for anybody, and no row is
-- updated, since a counter that is updated while an old snapshot is held gets slower with every update. Sweeps fold the
-- rows. Without a key: rows are told apart by nothing, and folded by where they lie.
CREATE TABLE coldroll.tally (
    source_id bigint NOT NULL,
    lane_id   bigint,
    parts     bigint NOT NULL,
    bytes     bigint NOT NULL DEFAULT 0,
    place     text COLLATE "C" NOT NULL
              CHECK (place IN ('found', 'live', 'original', 'rendition', 'duplicate', 'skipped', 'dead'))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
COMMENT ON TABLE coldroll.tally IS 'Parts by where they are, as changes to be added up; triggers keep it. Compare: select * from coldroll.tally_error; correct: select * from coldroll.recount();';
COMMENT ON COLUMN coldroll.tally.source_id IS 'The source; 0: a row that belongs to no known part or lane.';
COMMENT ON COLUMN coldroll.tally.lane_id IS 'The lane, for live parts; null for the others.';
COMMENT ON COLUMN coldroll.tally.parts IS 'Parts that came, less those that left.';
COMMENT ON COLUMN coldroll.tally.bytes IS 'Their bytes, for stored parts.';
COMMENT ON COLUMN coldroll.tally.place IS 'found: all parts; live: in the queue; original and rendition: stored; duplicate, skipped, dead: current outcomes.';

-- A statement that ends jobs by the hundred knows what it moves and adds its rows itself; it says so by a setting of its
-- transaction, coldroll.tallied. Everything else, a person's hand too, is counted by the triggers.

-- The triggers look keys up by scalar subqueries: index lookups under any statistics, where a join may read a table.

CREATE FUNCTION coldroll.tally_part() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    INSERT INTO coldroll.tally (source_id, place, parts)
    SELECT c.source_id, 'found', CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END * count(*)
    FROM changed AS c
    GROUP BY c.source_id;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION coldroll.tally_part() IS 'Counts parts that were added or removed.';
CREATE TRIGGER tally_added AFTER INSERT ON coldroll.part
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION coldroll.tally_part();
CREATE TRIGGER tally_removed AFTER DELETE ON coldroll.part
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION coldroll.tally_part();

CREATE FUNCTION coldroll.tally_job() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF current_setting('coldroll.tallied', true) = 'yes' THEN
        RETURN NULL;
    END IF;
    INSERT INTO coldroll.tally (source_id, lane_id, place, parts)
    SELECT coalesce((SELECT l.source_id FROM coldroll.lane AS l WHERE l.id = g.lane_id), 0), g.lane_id, 'live',
           CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END * g.jobs
    FROM (SELECT c.lane_id, count(*) AS jobs FROM changed AS c GROUP BY c.lane_id) AS g;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION coldroll.tally_job() IS 'Counts jobs that were made or ended; a claim ends none.';
CREATE TRIGGER tally_added AFTER INSERT ON coldroll.job
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION coldroll.tally_job();
CREATE TRIGGER tally_removed AFTER DELETE ON coldroll.job
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION coldroll.tally_job();

CREATE FUNCTION coldroll.tally_object() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF current_setting('coldroll.tallied', true) = 'yes' THEN
        RETURN NULL;
    END IF;
    INSERT INTO coldroll.tally (source_id, place, parts, bytes)
    SELECT g.source_id, CASE WHEN g.is_original THEN 'original' ELSE 'rendition' END,
           CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END * count(*),
           CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END * sum(g.size)
    FROM (SELECT coalesce((SELECT p.source_id FROM coldroll.part AS p WHERE p.id = c.part_id), 0) AS source_id,
                 c.fidelity = 'original' AS is_original, c.size
          FROM changed AS c) AS g
    GROUP BY g.source_id, g.is_original;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION coldroll.tally_object() IS 'Counts parts that were stored, and objects that somebody removed by hand.';
CREATE TRIGGER tally_added AFTER INSERT ON coldroll.object
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION coldroll.tally_object();
CREATE TRIGGER tally_removed AFTER DELETE ON coldroll.object
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION coldroll.tally_object();

CREATE FUNCTION coldroll.tally_outcome() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO coldroll.tally (source_id, place, parts)
        SELECT g.source_id, g.kind, -count(*)
        FROM (SELECT coalesce((SELECT p.source_id FROM coldroll.part AS p WHERE p.id = c.part_id), 0) AS source_id, c.kind
              FROM removed AS c
              WHERE c.superseded_at IS NULL) AS g
        GROUP BY g.source_id, g.kind;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO coldroll.tally (source_id, place, parts)
        SELECT g.source_id, g.kind, count(*)
        FROM (SELECT coalesce((SELECT p.source_id FROM coldroll.part AS p WHERE p.id = c.part_id), 0) AS source_id, c.kind
              FROM added AS c
              WHERE c.superseded_at IS NULL) AS g
        GROUP BY g.source_id, g.kind;
    END IF;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION coldroll.tally_outcome() IS 'Counts outcomes that became, or stopped being, current.';
CREATE TRIGGER tally_added AFTER INSERT ON coldroll.outcome
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION coldroll.tally_outcome();
CREATE TRIGGER tally_changed AFTER UPDATE ON coldroll.outcome
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION coldroll.tally_outcome();
CREATE TRIGGER tally_removed AFTER DELETE ON coldroll.outcome
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION coldroll.tally_outcome();

CREATE VIEW coldroll.tally_error AS
SELECT coalesce(e.source_id, t.source_id) AS source_id, coalesce(e.lane_id, t.lane_id) AS lane_id,
       coalesce(e.place, t.place) AS place, coalesce(t.parts, 0)::bigint AS tallied, coalesce(e.parts, 0)::bigint AS counted,
       coalesce(t.bytes, 0)::bigint AS tallied_bytes, coalesce(e.bytes, 0)::bigint AS counted_bytes
FROM (
    SELECT p.source_id, NULL::bigint AS lane_id, 'found' AS place, count(*) AS parts, 0::numeric AS bytes
    FROM coldroll.part AS p
    GROUP BY 1
    UNION ALL
    SELECT coalesce(l.source_id, 0), g.lane_id, 'live', g.jobs, 0
    FROM (SELECT j.lane_id, count(*) AS jobs FROM coldroll.job AS j GROUP BY 1) AS g
    LEFT JOIN coldroll.lane AS l ON l.id = g.lane_id
    UNION ALL
    SELECT coalesce(p.source_id, 0), NULL, CASE WHEN o.fidelity = 'original' THEN 'original' ELSE 'rendition' END,
           count(*), sum(o.size)
    FROM coldroll.object AS o
    LEFT JOIN coldroll.part AS p ON p.id = o.part_id
    GROUP BY 1, 3
    UNION ALL
    SELECT coalesce(p.source_id, 0), NULL, c.kind, count(*), 0
    FROM coldroll.outcome AS c
    LEFT JOIN coldroll.part AS p ON p.id = c.part_id
    WHERE c.superseded_at IS NULL
    GROUP BY 1, 3
) AS e
FULL JOIN (
    SELECT q.source_id, q.lane_id, q.place, sum(q.parts) AS parts, sum(q.bytes) AS bytes
    FROM coldroll.tally AS q
    GROUP BY 1, 2, 3
) AS t ON t.source_id = e.source_id AND t.place = e.place AND coalesce(t.lane_id, 0) = coalesce(e.lane_id, 0)
WHERE coalesce(t.parts, 0) <> coalesce(e.parts, 0) OR coalesce(t.bytes, 0) <> coalesce(e.bytes, 0);
COMMENT ON VIEW coldroll.tally_error IS 'Tallies that differ from what is really there: always empty. Counts every part: half a minute for ten million.';
COMMENT ON COLUMN coldroll.tally_error.source_id IS 'The source.';
COMMENT ON COLUMN coldroll.tally_error.lane_id IS 'The lane, for live parts.';
COMMENT ON COLUMN coldroll.tally_error.place IS 'Where the parts are: see coldroll.tally.';
COMMENT ON COLUMN coldroll.tally_error.tallied IS 'Parts by the tally.';
COMMENT ON COLUMN coldroll.tally_error.counted IS 'Parts, counted one by one.';
COMMENT ON COLUMN coldroll.tally_error.tallied_bytes IS 'Stored bytes by the tally.';
COMMENT ON COLUMN coldroll.tally_error.counted_bytes IS 'Stored bytes, summed object by object.';

-- One statement sees the parts and their tallies as of one moment, since both change in one transaction; so the
-- difference is right while workers go on, and is added as one more change. The lock keeps two callers from adding it
-- both; a snapshot from before the lock would defeat it.
CREATE FUNCTION coldroll.recount() RETURNS SETOF coldroll.tally_error
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'recount works in a transaction of the level read committed only' USING ERRCODE = 'CRF05';
    END IF;
    PERFORM pg_advisory_xact_lock(7165629038451267);
    RETURN QUERY
        WITH wrong AS MATERIALIZED (
            SELECT * FROM coldroll.tally_error
        ), corrected AS (
            INSERT INTO coldroll.tally (source_id, lane_id, place, parts, bytes)
            SELECT w.source_id, w.lane_id, w.place, w.counted - w.tallied, w.counted_bytes - w.tallied_bytes
            FROM wrong AS w
        )
        SELECT * FROM wrong;
END
$body$;
COMMENT ON FUNCTION coldroll.recount() IS 'Counts every part and corrects the tallies; returns those that were wrong.';
REVOKE ALL ON FUNCTION coldroll.recount(), coldroll.tally_part(), coldroll.tally_job(), coldroll.tally_object(),
    coldroll.tally_outcome() FROM PUBLIC;

CREATE OR REPLACE VIEW coldroll.queue_overview AS
SELECT s.kind AS source, s.account, l.kind AS work, l.id AS lane,
       CASE WHEN l.paused_at IS NOT NULL THEN 'paused by ' || l.paused_by
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

SELECT * FROM coldroll.recount();
SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (9, 'tallies');
COMMIT;
