-- Migration 26: what is accepted before it is given up leaves a trace, too.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0026_accepted.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 26 THEN
        RAISE EXCEPTION 'migration 26 (accepted) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 26 - 1 THEN
        RAISE EXCEPTION 'migration 26 (accepted) needs migration % first', 26 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

CREATE OR REPLACE FUNCTION coldroll.accept(part bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text := coldroll.name_of(part);
    live record;
    waits boolean;
BEGIN
    -- Whoever queues it again meanwhile does so before, or not at all.
    PERFORM FROM coldroll.outcome AS c WHERE c.part_id = accept.part AND c.superseded_at IS NULL FOR UPDATE;
    SELECT j.state, j.worker_id INTO live FROM coldroll.job AS j WHERE j.part_id = accept.part FOR UPDATE;
    waits := FOUND;
    IF waits AND live.state = 'running' THEN
        PERFORM coldroll.refuse_running(part, live.worker_id);
    END IF;
    IF waits OR EXISTS (SELECT FROM coldroll.outcome AS c
                                   WHERE c.part_id = accept.part AND c.superseded_at IS NULL AND c.kind = 'dead') THEN
        WITH ended AS (
            UPDATE coldroll.doubt AS d SET ended_at = now(), verdict = 'accepted', decided_by = session_user
            WHERE d.part_id = accept.part AND d.ended_at IS NULL
            RETURNING d.*
        )
        INSERT INTO coldroll.object (part_id, generation, size, crc32c, lease, worker_id, stored_at, adopted, confirmed,
                                     fidelity, media_kind, md5)
        SELECT e.part_id, e.generation, e.size, e.crc32c, e.lease, e.worker_id, e.stored_at, e.adopted, true, e.fidelity,
               e.media_kind, e.md5
        FROM ended AS e;
        IF FOUND THEN
            DELETE FROM coldroll.job AS j WHERE j.part_id = accept.part;
            UPDATE coldroll.outcome AS c SET superseded_at = now(), superseded_by = session_user || ', accept'
            WHERE c.part_id = accept.part AND c.superseded_at IS NULL;
            RETURN name || ' stays stored as it is';
        END IF;
    END IF;
    IF waits THEN
        -- The word is kept: what is stored by it may be less than Google has.
        INSERT INTO coldroll.outcome (part_id, attempts, crashes, kind, reason, decided_by, superseded_at, superseded_by)
        SELECT j.part_id, j.attempt, j.crashes, 'dead',
               coalesce((SELECT left(e.reason || ': ' || e.message, 500) FROM coldroll.job_error AS e
                         WHERE e.part_id = j.part_id ORDER BY e.is_crash, e.id DESC LIMIT 1), 'no failure is recorded'),
               session_user, now(), session_user || ', accept'
        FROM coldroll.job AS j
        WHERE j.part_id = accept.part AND NOT j.accept_reduced;
        UPDATE coldroll.job AS j SET state = 'ready', due = NULL, accept_reduced = true WHERE j.part_id = accept.part;
        PERFORM pg_notify('coldroll_job', '');
        RETURN name || ' is tried again, and stored even if it is smaller than reported or ends oddly; it fails again where something else is wrong';
    END IF;
    IF EXISTS (SELECT FROM coldroll.outcome AS c
               WHERE c.part_id = accept.part AND c.superseded_at IS NULL AND c.kind = 'dead')
       AND coldroll.requeue(ARRAY[part], 'accept', true) = 1 THEN
        RETURN name || ' is in the queue again, and stored even if it is smaller than reported or ends oddly; it fails again where something else is wrong';
    END IF;
    PERFORM coldroll.refuse_ended(part);
END
$body$;
COMMENT ON FUNCTION coldroll.accept(bigint) IS 'Stores a part although it is smaller than reported; it is marked reduced. Keeps what is stored of one whose bytes another item has too. For one that is dead, or that waits in the queue.';

COMMENT ON COLUMN coldroll.outcome.superseded_at IS 'When it stopped being true; null: current. A part has at most one current outcome. The same as decided_at, and superseded by accept: accepted before it was given up.';

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (26, 'accepted');
COMMIT;
