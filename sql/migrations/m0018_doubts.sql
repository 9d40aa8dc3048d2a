-- Migration 18: stored parts whose bytes are another item's as well are doubted, and fetched again.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0018_doubts.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 18 THEN
        RAISE EXCEPTION 'migration 18 (doubts) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 18 - 1 THEN
        RAISE EXCEPTION 'migration 18 (doubts) needs migration % first', 18 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- A constant default rewrites no row. What was stored before is unconfirmed: pairs of old are found by the next comparison.
ALTER TABLE coldroll.object ADD COLUMN confirmed boolean NOT NULL DEFAULT false;
COMMENT ON TABLE coldroll.object IS 'What stands in the archive, as the archive answered. Rows are added; one that is doubted waits in coldroll.doubt meanwhile.';
COMMENT ON COLUMN coldroll.object.lease IS 'Lease of the claim that stored it, or confirmed it.';
COMMENT ON COLUMN coldroll.object.worker_id IS 'Worker that stored it, or confirmed it.';
COMMENT ON COLUMN coldroll.object.confirmed IS 'True: another item has these very bytes too, and a later download brought them again, or a person says that they are right.';

ALTER TABLE coldroll.source ADD COLUMN compared_at timestamptz;
COMMENT ON COLUMN coldroll.source.compared_at IS 'When its stored parts were last searched for bytes that two items have; null: never.';

CREATE TABLE coldroll.doubt (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    part_id     bigint      NOT NULL,
    twin_id     bigint      NOT NULL,
    doubted_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    generation  bigint      NOT NULL CHECK (generation >= 0),
    size        bigint      NOT NULL CHECK (size >= 0),
    crc32c      bigint      NOT NULL CHECK (crc32c BETWEEN 0 AND 4294967295),
    lease       bigint      NOT NULL CHECK (lease > 0),
    worker_id   bigint      NOT NULL,
    stored_at   timestamptz NOT NULL,
    adopted     boolean     NOT NULL,
    fidelity    text COLLATE "C" NOT NULL,
    media_kind  text        NOT NULL,
    verdict     text COLLATE "C" CHECK (verdict IN ('confirmed', 'replaced', 'accepted')),
    object_name text COLLATE "C" NOT NULL,
    md5         text,
    decided_by  text,
    CONSTRAINT doubt_end CHECK (num_nulls(ended_at, verdict, decided_by) = CASE WHEN ended_at IS NULL THEN 3 ELSE 0 END),
    CONSTRAINT doubt_not_of_itself CHECK (twin_id <> part_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
-- Each claim looks here whether its parts are doubted.
CREATE UNIQUE INDEX doubt_open ON coldroll.doubt (part_id) WHERE ended_at IS NULL;
COMMENT ON TABLE coldroll.doubt IS 'Objects whose bytes another item of the source has as well: one of the two may have been given the other''s. While one is open its part is fetched again.';
COMMENT ON COLUMN coldroll.doubt.id IS 'Key, in order of time.';
COMMENT ON COLUMN coldroll.doubt.part_id IS 'The part; until the end it has no row in coldroll.object.';
COMMENT ON COLUMN coldroll.doubt.twin_id IS 'A part of another item that had the same bytes.';
COMMENT ON COLUMN coldroll.doubt.doubted_at IS 'When that was found.';
COMMENT ON COLUMN coldroll.doubt.ended_at IS 'End; null: open.';
COMMENT ON COLUMN coldroll.doubt.generation IS 'Generation of the object in the bucket.';
COMMENT ON COLUMN coldroll.doubt.size IS 'Its bytes.';
COMMENT ON COLUMN coldroll.doubt.crc32c IS 'CRC32C of them.';
COMMENT ON COLUMN coldroll.doubt.lease IS 'Lease of the claim that stored it.';
COMMENT ON COLUMN coldroll.doubt.worker_id IS 'Worker that stored it.';
COMMENT ON COLUMN coldroll.doubt.stored_at IS 'When that was recorded.';
COMMENT ON COLUMN coldroll.doubt.adopted IS 'As in coldroll.object.';
COMMENT ON COLUMN coldroll.doubt.fidelity IS 'As in coldroll.object.';
COMMENT ON COLUMN coldroll.doubt.media_kind IS 'As in coldroll.object.';
COMMENT ON COLUMN coldroll.doubt.verdict IS 'confirmed: another download brought the same bytes; replaced: two downloads brought others, which are stored under another name; accepted: a person keeps it.';
COMMENT ON COLUMN coldroll.doubt.object_name IS 'Name of the object in the archive; if replaced, it stands there still and is no part''s.';
COMMENT ON COLUMN coldroll.doubt.md5 IS 'As in coldroll.object.';
COMMENT ON COLUMN coldroll.doubt.decided_by IS 'worker, or who accepted it.';

-- Gone with its jobs: not worth the time that compressing them takes.
ALTER TABLE coldroll.job_start ALTER COLUMN parts SET STORAGE EXTERNAL, ALTER COLUMN leases SET STORAGE EXTERNAL;

CREATE VIEW coldroll.doubts AS
SELECT d.part_id AS part, d.object_name, d.twin_id AS twin, t.object_name AS twin_name,
       coalesce(d.verdict, CASE c.kind WHEN 'dead' THEN 'cannot be checked: ' || c.reason
                                       WHEN 'skipped' THEN 'skipped' ELSE 'is being checked' END) AS state,
       d.size, d.doubted_at, d.ended_at, p.object_name AS present_name
FROM coldroll.doubt AS d
JOIN coldroll.part AS p ON p.id = d.part_id
LEFT JOIN coldroll.part AS t ON t.id = d.twin_id
LEFT JOIN coldroll.outcome AS c ON d.ended_at IS NULL AND c.part_id = d.part_id AND c.superseded_at IS NULL
ORDER BY d.ended_at IS NOT NULL, d.id DESC;
COMMENT ON VIEW coldroll.doubts IS 'Parts that were stored with the bytes of another item, those in doubt first. Objects that are no part''s any more: select object_name from coldroll.doubts where state = ''replaced'';';
COMMENT ON COLUMN coldroll.doubts.part IS 'Number of the part.';
COMMENT ON COLUMN coldroll.doubts.object_name IS 'The object that is, or was, in doubt.';
COMMENT ON COLUMN coldroll.doubts.twin IS 'Part of another item that had the same bytes.';
COMMENT ON COLUMN coldroll.doubts.twin_name IS 'Name in the archive of that one.';
COMMENT ON COLUMN coldroll.doubts.state IS 'is being checked; cannot be checked, with the reason; skipped; confirmed: it is what Google has; replaced: Google has other bytes for it, so that it was another item''s, or was edited since; accepted by a person.';
COMMENT ON COLUMN coldroll.doubts.size IS 'Its bytes.';
COMMENT ON COLUMN coldroll.doubts.doubted_at IS 'When that was found.';
COMMENT ON COLUMN coldroll.doubts.ended_at IS 'When the doubt ended.';
COMMENT ON COLUMN coldroll.doubts.present_name IS 'Name in the archive that the part has now.';

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

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (18, 'doubts');
COMMIT;
