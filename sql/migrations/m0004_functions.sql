-- Migration 4: functions for a person at psql, and the roles for readers and operators.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0004_functions.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 4 THEN
        RAISE EXCEPTION 'migration 4 (functions) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 4 - 1 THEN
        RAISE EXCEPTION 'migration 4 (functions) needs migration % first', 4 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- Each runs with the rights of its owner, names every object in full and has a search path without anyone's objects.
-- A part is looked for in its job first, under a lock: a worker that ends it at the same time is waited for.

CREATE FUNCTION coldroll.name_of(part bigint) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text;
BEGIN
    SELECT p.object_name INTO name FROM coldroll.part AS p WHERE p.id = name_of.part;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'part % is not in the ledger', coalesce(part::text, 'null')
            USING ERRCODE = 'CRF01', HINT = 'Parts are numbered in coldroll.failures, coldroll.running and coldroll.part.';
    END IF;
    RETURN format('part %s (%s)', part, name);
END
$body$;
COMMENT ON FUNCTION coldroll.name_of(bigint) IS 'The part as messages call it; an error if there is none.';

CREATE FUNCTION coldroll.refuse_running(part bigint, worker_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    holder text;
BEGIN
    SELECT w.host || ', process ' || w.process_id INTO holder FROM coldroll.worker AS w WHERE w.id = refuse_running.worker_id;
    RAISE EXCEPTION '% is being transferred right now (%)', coldroll.name_of(part), coalesce(holder, 'unknown worker')
        USING ERRCODE = 'CRF02', HINT = 'Wait until it ends, or stop that worker.';
END
$body$;
COMMENT ON FUNCTION coldroll.refuse_running(bigint, bigint) IS 'Raises the error for a part that a worker has.';

CREATE FUNCTION coldroll.refuse_ended(part bigint) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    ended record;
BEGIN
    IF EXISTS (SELECT FROM coldroll.object AS o WHERE o.part_id = refuse_ended.part) THEN
        RAISE EXCEPTION '% is stored already', coldroll.name_of(part) USING ERRCODE = 'CRF02';
    END IF;
    SELECT c.kind, c.reason INTO ended
    FROM coldroll.outcome AS c WHERE c.part_id = refuse_ended.part AND c.superseded_at IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION '% is %: %', coldroll.name_of(part), ended.kind, ended.reason USING ERRCODE = 'CRF02';
    END IF;
    RAISE EXCEPTION '% is nowhere: it has no job, no object and no outcome', coldroll.name_of(part)
        USING ERRCODE = 'CRF03', HINT = 'coldroll.balance counts it as unaccounted. Please report this.';
END
$body$;
COMMENT ON FUNCTION coldroll.refuse_ended(bigint) IS 'Raises the error for a part that ended otherwise than the caller can change.';

CREATE FUNCTION coldroll.requeue(parts bigint[], by_what text, accept_reduced boolean) RETURNS bigint
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
    INSERT INTO coldroll.job (part_id, lane_id, accept_reduced)
    SELECT u.part_id, (SELECT l.id FROM coldroll.lane AS l
                       WHERE l.source_id = p.source_id AND l.kind = CASE WHEN i.is_video THEN 'video' ELSE 'photo' END),
           requeue.accept_reduced
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
COMMENT ON FUNCTION coldroll.requeue(bigint[], text, boolean) IS 'Supersedes the current outcomes of these parts and makes jobs for them; counts them. For retry, retry_failed and accept.';

CREATE FUNCTION coldroll.retry(part bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text := coldroll.name_of(part);
    live record;
BEGIN
    SELECT j.state, j.worker_id INTO live FROM coldroll.job AS j WHERE j.part_id = retry.part FOR NO KEY UPDATE;
    IF FOUND THEN
        IF live.state = 'running' THEN
            PERFORM coldroll.refuse_running(part, live.worker_id);
        END IF;
        IF live.state = 'ready' THEN
            RAISE EXCEPTION '% waits for a worker already', name USING ERRCODE = 'CRF02';
        END IF;
        UPDATE coldroll.job AS j SET state = 'ready', due = NULL WHERE j.part_id = retry.part;
        PERFORM pg_notify('coldroll_job', '');
        RETURN name || ' does not wait any longer';
    END IF;
    IF EXISTS (SELECT FROM coldroll.outcome AS c
               WHERE c.part_id = retry.part AND c.superseded_at IS NULL AND c.kind IN ('dead', 'skipped'))
       AND coldroll.requeue(ARRAY[part], 'retry', false) = 1 THEN
        RETURN name || ' is in the queue again';
    END IF;
    PERFORM coldroll.refuse_ended(part);
END
$body$;
COMMENT ON FUNCTION coldroll.retry(bigint) IS 'Puts a dead or skipped part back into the queue with a clean record, or lets a scheduled one wait no longer.';

CREATE FUNCTION coldroll.retry_failed(reason_pattern text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT coldroll.requeue(
        ARRAY (SELECT c.part_id FROM coldroll.outcome AS c
               WHERE c.superseded_at IS NULL AND c.kind = 'dead' AND c.reason ~* reason_pattern
               ORDER BY c.part_id),
        'retry_failed ' || reason_pattern, false)
$body$;
COMMENT ON FUNCTION coldroll.retry_failed(text) IS 'Puts the dead parts whose reason matches the regular expression (case ignored, anywhere in it) back into the queue; counts them.';

CREATE FUNCTION coldroll.skip(part bigint, reason text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text := coldroll.name_of(part);
    live record;
    attempts smallint;
    crashes smallint;
BEGIN
    IF coalesce(btrim(reason), '') = '' THEN
        RAISE EXCEPTION 'say why % is left out', name USING ERRCODE = 'CRF04';
    END IF;
    SELECT j.state, j.worker_id, j.attempt, j.crashes INTO live
    FROM coldroll.job AS j WHERE j.part_id = skip.part FOR UPDATE;
    IF FOUND THEN
        IF live.state = 'running' THEN
            PERFORM coldroll.refuse_running(part, live.worker_id);
        END IF;
        DELETE FROM coldroll.job AS j WHERE j.part_id = skip.part;
        attempts := live.attempt;
        crashes := live.crashes;
    ELSE
        UPDATE coldroll.outcome AS c SET superseded_at = now(), superseded_by = session_user || ', skip'
        WHERE c.part_id = skip.part AND c.superseded_at IS NULL AND c.kind = 'dead'
        RETURNING c.attempts, c.crashes INTO attempts, crashes;
        IF NOT FOUND THEN
            PERFORM coldroll.refuse_ended(part);
        END IF;
    END IF;
    INSERT INTO coldroll.outcome (part_id, kind, reason, attempts, crashes, decided_by)
    VALUES (part, 'skipped', reason, attempts, crashes, session_user);
    RETURN name || ' is skipped';
END
$body$;
COMMENT ON FUNCTION coldroll.skip(bigint, text) IS 'Leaves a part out for good: one that is dead, or that waits in the queue. The reason and who said so are kept.';

CREATE FUNCTION coldroll.accept(part bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text := coldroll.name_of(part);
    live record;
BEGIN
    SELECT j.state, j.worker_id INTO live FROM coldroll.job AS j WHERE j.part_id = accept.part FOR NO KEY UPDATE;
    IF FOUND THEN
        IF live.state = 'running' THEN
            PERFORM coldroll.refuse_running(part, live.worker_id);
        END IF;
        UPDATE coldroll.job AS j SET state = 'ready', due = NULL, accept_reduced = true WHERE j.part_id = accept.part;
        PERFORM pg_notify('coldroll_job', '');
        RETURN name || ' will be stored even if it is smaller than reported';
    END IF;
    IF EXISTS (SELECT FROM coldroll.outcome AS c
               WHERE c.part_id = accept.part AND c.superseded_at IS NULL AND c.kind = 'dead')
       AND coldroll.requeue(ARRAY[part], 'accept', true) = 1 THEN
        RETURN name || ' is in the queue again and will be stored even if it is smaller than reported';
    END IF;
    PERFORM coldroll.refuse_ended(part);
END
$body$;
COMMENT ON FUNCTION coldroll.accept(bigint) IS 'Stores a part although it is smaller than reported; it is marked reduced. For one that is dead, or that waits in the queue.';

CREATE FUNCTION coldroll.lane_name(lane bigint) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text;
BEGIN
    SELECT format('lane %s (%s of %s %s)', l.id, l.kind, s.kind, s.account) INTO name
    FROM coldroll.lane AS l JOIN coldroll.source AS s ON s.id = l.source_id
    WHERE l.id = lane_name.lane;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no lane %', coalesce(lane::text, 'null')
            USING ERRCODE = 'CRF01', HINT = 'Lanes are numbered in coldroll.queue_overview.';
    END IF;
    RETURN name;
END
$body$;
COMMENT ON FUNCTION coldroll.lane_name(bigint) IS 'The lane as messages call it; an error if there is none.';

CREATE FUNCTION coldroll.pause(lane bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text := coldroll.lane_name(lane);
BEGIN
    UPDATE coldroll.lane AS l SET paused_at = now(), paused_by = session_user
    WHERE l.id = pause.lane AND l.paused_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is paused already', name USING ERRCODE = 'CRF02';
    END IF;
    RETURN name || ' is paused; what runs is finished, nothing else is begun';
END
$body$;
COMMENT ON FUNCTION coldroll.pause(bigint) IS 'Hands out no more jobs of a lane until resume; what runs is finished.';

CREATE FUNCTION coldroll.resume(lane bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text := coldroll.lane_name(lane);
BEGIN
    UPDATE coldroll.lane AS l SET paused_at = NULL, paused_by = NULL, parked_until = NULL, park_reason = NULL
    WHERE l.id = resume.lane AND (l.paused_at IS NOT NULL OR l.parked_until > now());
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is neither paused nor parked', name USING ERRCODE = 'CRF02';
    END IF;
    PERFORM pg_notify('coldroll_job', '');
    RETURN name || ' is open';
END
$body$;
COMMENT ON FUNCTION coldroll.resume(bigint) IS 'Opens a lane that is paused or parked.';

-- Roles belong to the whole server: another database may have made them, or make them right now. Where the role that
-- migrates may not create roles, an administrator does, and runs the grants below again.
DO $roles$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'coldroll_reader') THEN
        CREATE ROLE coldroll_reader NOLOGIN;
    END IF;
EXCEPTION
    WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
        RAISE NOTICE 'role coldroll_reader not created: %', SQLERRM;
END
$roles$;
DO $roles$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'coldroll_operator') THEN
        CREATE ROLE coldroll_operator NOLOGIN;
    END IF;
EXCEPTION
    WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
        RAISE NOTICE 'role coldroll_operator not created: %', SQLERRM;
END
$roles$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA coldroll FROM PUBLIC;

CREATE FUNCTION coldroll.grant_roles() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'coldroll_reader') THEN
        GRANT USAGE ON SCHEMA coldroll TO coldroll_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA coldroll TO coldroll_reader;
        REVOKE ALL ON coldroll.upload FROM coldroll_reader;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'coldroll_operator') THEN
        GRANT USAGE ON SCHEMA coldroll TO coldroll_operator;
        GRANT SELECT ON ALL TABLES IN SCHEMA coldroll TO coldroll_operator;
        REVOKE ALL ON coldroll.upload FROM coldroll_operator;
        GRANT EXECUTE ON FUNCTION coldroll.retry(bigint), coldroll.retry_failed(text), coldroll.skip(bigint, text),
            coldroll.accept(bigint), coldroll.pause(bigint), coldroll.resume(bigint) TO coldroll_operator;
    END IF;
END
$body$;
REVOKE ALL ON FUNCTION coldroll.grant_roles() FROM PUBLIC;
COMMENT ON FUNCTION coldroll.grant_roles() IS 'Gives coldroll_reader and coldroll_operator their rights, as far as these roles exist. For whoever owns the schema.';
SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (4, 'functions');
COMMIT;
