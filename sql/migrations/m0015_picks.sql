-- Migration 15: what a person picks in Google's Picker: sessions, their pages, and on which page an item was.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0015_picks.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 15 THEN
        RAISE EXCEPTION 'migration 15 (picks) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 15 - 1 THEN
        RAISE EXCEPTION 'migration 15 (picks) needs migration % first', 15 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

CREATE TABLE coldroll.pick_session (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id  bigint      NOT NULL REFERENCES coldroll.source (id),
    scan_id    bigint      NOT NULL REFERENCES coldroll.scan (id),
    begun_at   timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    picked_at  timestamptz,
    ended_at   timestamptz,
    unlisted   boolean     NOT NULL DEFAULT false,
    session    text COLLATE "C" NOT NULL CHECK (session <> ''),
    outcome    text COLLATE "C" CHECK (outcome IN ('done', 'expired', 'unused')),
    link       text        CHECK (link <> ''),
    CONSTRAINT pick_session_identity UNIQUE (source_id, session),
    CONSTRAINT pick_session_end CHECK ((outcome IS NULL) = (ended_at IS NULL) AND (outcome IS NULL OR link IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
CREATE INDEX pick_session_of_scan ON coldroll.pick_session (scan_id);
CREATE INDEX pick_session_open ON coldroll.pick_session (source_id) WHERE ended_at IS NULL;
COMMENT ON TABLE coldroll.pick_session IS 'Sessions of Google''s Picker. Not for readers, because of the link: see the view picks.';
COMMENT ON COLUMN coldroll.pick_session.id IS 'Key.';
COMMENT ON COLUMN coldroll.pick_session.source_id IS 'The source.';
COMMENT ON COLUMN coldroll.pick_session.scan_id IS 'Scan that lists it.';
COMMENT ON COLUMN coldroll.pick_session.begun_at IS 'When it was begun.';
COMMENT ON COLUMN coldroll.pick_session.expires_at IS 'When Google gives nothing of it any more; null: Google did not say.';
COMMENT ON COLUMN coldroll.pick_session.picked_at IS 'When it was seen that the person had pressed Done.';
COMMENT ON COLUMN coldroll.pick_session.ended_at IS 'When it ended for coldroll.';
COMMENT ON COLUMN coldroll.pick_session.unlisted IS 'Its listing had seemed to end, and goes on: the next scan lists it again.';
COMMENT ON COLUMN coldroll.pick_session.session IS 'Google''s id of it.';
COMMENT ON COLUMN coldroll.pick_session.outcome IS 'Null while it is needed; done: all that was picked is stored or acknowledged, and it was deleted at Google; expired: over before that; unused: nobody had picked.';
COMMENT ON COLUMN coldroll.pick_session.link IS 'The page in which the person picks, while it is needed: for the owner''s eyes only.';

CREATE TABLE coldroll.pick_page (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id bigint NOT NULL,
    page_token text
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX pick_page_of_session ON coldroll.pick_page (session_id);
COMMENT ON TABLE coldroll.pick_page IS 'Pages of the sessions that are needed still: asked for again, they bring fresh base URLs.';
COMMENT ON COLUMN coldroll.pick_page.id IS 'Key.';
COMMENT ON COLUMN coldroll.pick_page.session_id IS 'The session.';
COMMENT ON COLUMN coldroll.pick_page.page_token IS 'What the page was asked for with; null: it was the first.';

CREATE TABLE coldroll.pick (
    item_id bigint PRIMARY KEY,
    page_id bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX pick_of_page ON coldroll.pick (page_id);
COMMENT ON TABLE coldroll.pick IS 'On which page of which session an item was picked last, while that session is needed.';
COMMENT ON COLUMN coldroll.pick.item_id IS 'The item.';
COMMENT ON COLUMN coldroll.pick.page_id IS 'The page.';

CREATE VIEW coldroll.picks AS
SELECT p.id AS session, s.account, p.scan_id AS scan, p.begun_at, p.picked_at, p.expires_at, p.ended_at,
       coalesce(p.outcome, CASE WHEN p.picked_at IS NULL THEN 'waits for the person'
                                WHEN c.outcome IS NULL OR p.unlisted THEN 'is being listed'
                                ELSE 'is being archived' END) AS state,
       (SELECT count(*) FROM coldroll.pick_page AS g JOIN coldroll.pick AS k ON k.page_id = g.id
        WHERE g.session_id = p.id) AS items
FROM coldroll.pick_session AS p
JOIN coldroll.source AS s ON s.id = p.source_id
JOIN coldroll.scan AS c ON c.id = p.scan_id
ORDER BY p.id DESC;
COMMENT ON VIEW coldroll.picks IS 'Sessions of Google''s Picker, the newest first.';
COMMENT ON COLUMN coldroll.picks.session IS 'Number of the session here.';
COMMENT ON COLUMN coldroll.picks.account IS 'The account.';
COMMENT ON COLUMN coldroll.picks.scan IS 'Scan that lists it.';
COMMENT ON COLUMN coldroll.picks.begun_at IS 'When it was begun.';
COMMENT ON COLUMN coldroll.picks.picked_at IS 'When it was seen that the person had pressed Done.';
COMMENT ON COLUMN coldroll.picks.expires_at IS 'When Google gives nothing of it any more.';
COMMENT ON COLUMN coldroll.picks.ended_at IS 'When it ended for coldroll.';
COMMENT ON COLUMN coldroll.picks.state IS 'done, expired, unused; or what is going on with it.';
COMMENT ON COLUMN coldroll.picks.items IS 'Items that can be had through it now; those that were picked again later count there.';

COMMENT ON COLUMN coldroll.scan.since IS 'First day asked for; null with until null: a full pass, or where the source is a picker, what was picked.';

CREATE OR REPLACE FUNCTION coldroll.grant_roles() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    role name;
BEGIN
    FOREACH role IN ARRAY ARRAY['coldroll_reader', 'coldroll_operator'] LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role);
        EXECUTE format('GRANT USAGE ON SCHEMA coldroll TO %I', role);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA coldroll TO %I', role);
        EXECUTE format('REVOKE ALL ON coldroll.upload, coldroll.pick_session FROM %I', role);
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

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (15, 'picks');
COMMIT;
