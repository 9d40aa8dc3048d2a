-- Migration 8: what all workers share beside the jobs: Google's daily quotas, pauses that Google asks for, and outages.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0008_limits.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 8 THEN
        RAISE EXCEPTION 'migration 8 (limits) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 8 - 1 THEN
        RAISE EXCEPTION 'migration 8 (limits) needs migration % first', 8 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- Whoever shares a project shares its quotas and its pauses. Pure, and so for everybody to call.
CREATE FUNCTION coldroll.project(client_id text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT CASE WHEN coalesce(client_id, '') = '' THEN 'unknown'
                ELSE coalesce(substring(client_id COLLATE "C" FROM '^([0-9]+)-'), client_id) END
$body$;
COMMENT ON FUNCTION coldroll.project(text) IS 'Google Cloud project of an OAuth client: the number that its id begins with; else the whole id, and unknown for none.';

CREATE TABLE coldroll.budget (
    day_limit  bigint      NOT NULL CHECK (day_limit >= 0),
    drawn      bigint      NOT NULL DEFAULT 0 CHECK (drawn >= 0),
    refused_at timestamptz,
    day        date        NOT NULL,
    project    text COLLATE "C" NOT NULL CHECK (project <> ''),
    kind       text COLLATE "C" NOT NULL CHECK (kind IN ('api', 'media')),
    CONSTRAINT budget_pkey PRIMARY KEY (project, kind)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
COMMENT ON TABLE coldroll.budget IS 'Google''s daily quotas: all processes draw requests from these rows in batches before they send them.';
COMMENT ON COLUMN coldroll.budget.day_limit IS 'Requests a day, as the process that drew last was configured.';
COMMENT ON COLUMN coldroll.budget.drawn IS 'Requests handed out on that day; what a process did not need, it gives back at its end.';
COMMENT ON COLUMN coldroll.budget.refused_at IS 'When Google said that this day''s quota is used up; null: it has not.';
COMMENT ON COLUMN coldroll.budget.day IS 'The day that is counted, in Pacific time: Google''s quotas start anew at midnight there.';
COMMENT ON COLUMN coldroll.budget.project IS 'Google Cloud project of the OAuth client: the number that its client id begins with. All accounts of a client share it. See coldroll.project.';
COMMENT ON COLUMN coldroll.budget.kind IS 'api: requests to the Library API; media: requests for the bytes of photos and videos.';

ALTER TABLE coldroll.lane
    ADD COLUMN slowed_at timestamptz,
    ADD COLUMN slowed_for double precision,
    ADD CONSTRAINT lane_slow CHECK ((slowed_at IS NULL) = (slowed_for IS NULL));
COMMENT ON COLUMN coldroll.lane.slowed_at IS 'When Google last asked for a pause (429) that counted; answers to requests sent before do not count again.';
COMMENT ON COLUMN coldroll.lane.slowed_for IS 'Seconds of that pause: the next one is twice as long, if it follows at once.';

CREATE TABLE coldroll.breaker (
    since         timestamptz,
    next_probe_at timestamptz,
    sound_at      timestamptz,
    prober        bigint,
    service       text COLLATE "C" NOT NULL CHECK (service IN ('library', 'media', 'storage')),
    place         text COLLATE "C" NOT NULL CHECK (place <> ''),
    reason        text,
    CONSTRAINT breaker_pkey PRIMARY KEY (service, place),
    CONSTRAINT breaker_open CHECK (num_nulls(since, next_probe_at, reason) IN (0, 3))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
COMMENT ON TABLE coldroll.breaker IS 'Outages of a service as a whole: while one is open, no worker begins a transfer, and one of them tries the service now and then.';
COMMENT ON COLUMN coldroll.breaker.since IS 'Since when the service is away; null: it works.';
COMMENT ON COLUMN coldroll.breaker.next_probe_at IS 'Before this time nobody tries it.';
COMMENT ON COLUMN coldroll.breaker.sound_at IS 'When a process last noted that the service answered it; noted every few seconds, not with each answer.';
COMMENT ON COLUMN coldroll.breaker.prober IS 'Number of the process that tried it last.';
COMMENT ON COLUMN coldroll.breaker.service IS 'library: the Library API; media: the servers that send photos and videos; storage: the bucket.';
COMMENT ON COLUMN coldroll.breaker.place IS 'Which one: the OAuth client''s project, or the archive.';
COMMENT ON COLUMN coldroll.breaker.reason IS 'What it answered when it was tried last.';

-- As before, and what Google said of the day's quota does not count any longer: it would park the lane again at the
-- first job.
CREATE OR REPLACE FUNCTION coldroll.resume(lane bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text := coldroll.lane_name(lane);
BEGIN
    UPDATE coldroll.lane AS l SET paused_at = NULL, paused_by = NULL, parked_until = NULL, park_reason = NULL
    WHERE l.id = resume.lane AND (l.paused_at IS NOT NULL OR l.parked_until > now());
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is neither paused nor parked', name USING ERRCODE = 'CRF02';
    END IF;
    UPDATE coldroll.budget AS b SET refused_at = NULL
    WHERE b.refused_at IS NOT NULL
      AND b.project = (SELECT coldroll.project(s.client_id)
                       FROM coldroll.lane AS l JOIN coldroll.source AS s ON s.id = l.source_id
                       WHERE l.id = resume.lane);
    PERFORM pg_notify('coldroll_job', '');
    RETURN name || ' is open';
END
$body$;
COMMENT ON FUNCTION coldroll.resume(bigint) IS 'Opens a lane that is paused or parked; a quota that Google called used up is tried again.';

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (8, 'limits');
COMMIT;
