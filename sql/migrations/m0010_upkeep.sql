-- Migration 10: what the upkeep of the tables needs, and the whole rights of the roles.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0010_upkeep.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 10 THEN
        RAISE EXCEPTION 'migration 10 (upkeep) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 10 - 1 THEN
        RAISE EXCEPTION 'migration 10 (upkeep) needs migration % first', 10 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- A beat begins at the oldest lease that is held, behind the dead entries of jobs that ended before.
DROP INDEX coldroll.job_running;
CREATE INDEX job_running ON coldroll.job (worker_id, lease) WHERE state = 'running';

-- History is written in order of time, so that a block range index finds what is old enough to be pruned.
CREATE INDEX job_error_at ON coldroll.job_error USING brin (at) WITH (autosummarize = on);

-- Counting reads the visibility map of tables that only grow: let vacuum set it before a fifth of ten million is new.
ALTER TABLE coldroll.object SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE coldroll.part SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
ALTER TABLE coldroll.job_error SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);

-- A reader sees nothing of other users' sessions; the owner sees at least those of the workers. A transaction that wrote
-- holds vacuum up by its own number, also while it has no snapshot; a vacuum holds up no other.
CREATE FUNCTION coldroll.snapshot_held() RETURNS interval
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT date_trunc('second', clock_timestamp() - min(a.xact_start))
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database() AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
      AND a.pid <> pg_backend_pid() AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
      AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum AS v WHERE v.pid = a.pid)
$body$;
REVOKE ALL ON FUNCTION coldroll.snapshot_held() FROM PUBLIC;
COMMENT ON FUNCTION coldroll.snapshot_held() IS 'How long the oldest transaction that the owner may see has kept vacuum from removing rows; null: none.';

CREATE OR REPLACE FUNCTION coldroll.grant_roles() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    role name;
BEGIN
    FOREACH role IN ARRAY ARRAY['coldroll_reader', 'coldroll_operator'] LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role);
        EXECUTE format('GRANT USAGE ON SCHEMA coldroll TO %I', role);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA coldroll TO %I', role);
        EXECUTE format('REVOKE ALL ON coldroll.upload FROM %I', role);
        EXECUTE format('GRANT EXECUTE ON FUNCTION coldroll.snapshot_held() TO %I', role);
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'coldroll_operator') THEN
        GRANT EXECUTE ON FUNCTION coldroll.retry(bigint), coldroll.retry_failed(text), coldroll.skip(bigint, text),
            coldroll.accept(bigint), coldroll.pause(bigint), coldroll.resume(bigint), coldroll.recount()
            TO coldroll_operator;
    END IF;
    -- `coldroll psql` becomes the reader: whoever owns the schema must be able to. From PostgreSQL 16 on who makes a role
    -- is its member, but may not become it before it grants itself that; 15 knows no such right apart from membership.
    IF EXISTS (SELECT FROM pg_roles AS r
               WHERE r.rolname = 'coldroll_reader'
                 AND NOT pg_has_role(r.oid, CASE WHEN current_setting('server_version_num')::integer >= 160000
                                                 THEN 'SET' ELSE 'MEMBER' END)) THEN
        BEGIN
            EXECUTE format('GRANT coldroll_reader TO %I', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'coldroll psql stays the owner in read-only transactions: %', SQLERRM;
        END;
    END IF;
END
$body$;
-- As before, but behind everything that did not fail, as a worker's own failures are (job.fail); with `--order oldest`
-- the rank 0 would come before all that was taken after 1970.
CREATE OR REPLACE FUNCTION coldroll.requeue(parts bigint[], by_what text, accept_reduced boolean) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    back bigint;
BEGIN
    WITH undone AS (
        UPDATE coldroll.outcome AS c SET superseded_at = now(), superseded_by = session_user || ', ' || by_what
        WHERE c.id = ANY (ARRAY (SELECT d.id FROM coldroll.outcome AS d
                                 WHERE d.part_id = ANY (parts) AND d.superseded_at IS NULL
                                 ORDER BY d.part_id FOR NO KEY UPDATE))
          AND c.superseded_at IS NULL
        RETURNING c.part_id
    )
    INSERT INTO coldroll.job (part_id, lane_id, rank, accept_reduced)
    SELECT u.part_id, (SELECT l.id FROM coldroll.lane AS l
                       WHERE l.source_id = p.source_id AND l.kind = CASE WHEN i.is_video THEN 'video' ELSE 'photo' END),
           2000000000000, requeue.accept_reduced
    FROM undone AS u
    JOIN coldroll.part AS p ON p.id = u.part_id
    JOIN coldroll.item AS i ON i.id = p.item_id;
    GET DIAGNOSTICS back = ROW_COUNT;
    IF back > 0 THEN
        PERFORM pg_notify('coldroll_job', '');
    END IF;
    RETURN back;
END
$body$;

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (10, 'upkeep');
COMMIT;
