-- Migration 17: a source that was chosen by mistake can be forgotten; how many were picked is told for picks that ended, too.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0017_forget.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 17 THEN
        RAISE EXCEPTION 'migration 17 (forget) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 17 - 1 THEN
        RAISE EXCEPTION 'migration 17 (forget) needs migration % first', 17 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

-- Runs outlive their source: the marker in the state store counts them, and fewer would look like an old backup.
ALTER TABLE coldroll.run DROP CONSTRAINT run_source_id_fkey;
COMMENT ON COLUMN coldroll.run.source_id IS 'What was archived; of a source that was forgotten only its runs stay.';

CREATE FUNCTION coldroll.forget(kind text, account text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    name text := format('the source %s of account %s', kind, account);
    key bigint;
    who text;
    open_page boolean;
BEGIN
    -- Keeps out a second one of these, and whoever makes a scan, lane or login of the source, by their foreign keys. Items have
    -- none: it is the lock on the scans that waits for whoever records them.
    SELECT s.id INTO key FROM coldroll.source AS s
    WHERE s.kind = forget.kind AND s.account = forget.account FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is not in the ledger', name
            USING ERRCODE = 'CRF01', HINT = 'The sources are in coldroll.source.';
    END IF;
    -- Whoever records a page holds its scan: what it brought is seen below.
    PERFORM s.id FROM coldroll.scan AS s WHERE s.source_id = key FOR UPDATE;
    IF EXISTS (SELECT FROM coldroll.item AS i WHERE i.source_id = key)
       OR EXISTS (SELECT FROM coldroll.part AS p WHERE p.source_id = key) THEN
        RAISE EXCEPTION '% has items in the ledger and cannot be forgotten: what is known of them and their files would be lost', name
            USING ERRCODE = 'CRF02';
    END IF;
    IF EXISTS (SELECT FROM coldroll.scan AS s WHERE s.source_id = key AND s.unreadable > 0) THEN
        RAISE EXCEPTION '% cannot be forgotten: Google listed entries without an id in it, which may be photos', name
            USING ERRCODE = 'CRF02';
    END IF;
    -- Six beats are a death, and a beat is a minute at most.
    SELECT format('a worker on %s, process %s', w.host, w.process_id) INTO who FROM coldroll.worker AS w
    WHERE w.state = 'alive' AND key = ANY (w.sources) AND w.beat_at > now() - interval '6 minutes' LIMIT 1;
    IF NOT FOUND THEN
        SELECT 'a scan' INTO who FROM coldroll.scan AS s
        WHERE s.source_id = key AND s.outcome IS NULL AND s.renewed_at > now() - interval '30 seconds';
    END IF;
    IF NOT FOUND THEN
        SELECT format('a run on %s', t.host) INTO who FROM coldroll.turn AS t
        WHERE t.source_id = key AND t.ended_at IS NULL AND t.beat_at > now() - interval '45 seconds';
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION '% is in use by %: stop it first; if it was killed, wait some minutes', name, who
            USING ERRCODE = 'CRF02';
    END IF;
    IF EXISTS (SELECT FROM coldroll.pick_session AS p
               WHERE p.source_id = key AND p.ended_at IS NULL AND p.picked_at IS NOT NULL) THEN
        RAISE EXCEPTION '% cannot be forgotten: what was picked in it is not listed yet; run it once more', name
            USING ERRCODE = 'CRF02';
    END IF;
    open_page := EXISTS (SELECT FROM coldroll.pick_session AS p WHERE p.source_id = key AND p.ended_at IS NULL);
    DELETE FROM coldroll.pick_page AS g USING coldroll.pick_session AS p WHERE p.id = g.session_id AND p.source_id = key;
    DELETE FROM coldroll.pick_session AS p WHERE p.source_id = key;
    DELETE FROM coldroll.sighting AS g USING coldroll.scan AS s WHERE s.id = g.scan_id AND s.source_id = key;
    DELETE FROM coldroll.scan AS s WHERE s.source_id = key;
    DELETE FROM coldroll.notice AS n WHERE n.source_id = key;
    DELETE FROM coldroll.schedule AS c WHERE c.source_id = key;
    DELETE FROM coldroll.turn AS t WHERE t.source_id = key;
    DELETE FROM coldroll.login AS l WHERE l.source_id = key;
    DELETE FROM coldroll.lane AS l WHERE l.source_id = key;
    DELETE FROM coldroll.source AS s WHERE s.id = key;
    RETURN name || ' is forgotten'
        || CASE WHEN open_page
                THEN '; its page of Google''s Picker is not looked at any more, so what is picked there is not archived'
                ELSE '' END;
END
$body$;
COMMENT ON FUNCTION coldroll.forget(text, text) IS 'Takes a source out of the ledger of which nothing was ever found, as if it had not been chosen; its runs stay.';
REVOKE ALL ON FUNCTION coldroll.forget(text, text) FROM PUBLIC;

CREATE OR REPLACE VIEW coldroll.picks AS
SELECT p.id AS session, s.account, p.scan_id AS scan, p.begun_at, p.picked_at, p.expires_at, p.ended_at,
       coalesce(p.outcome, CASE WHEN p.picked_at IS NULL THEN 'waits for the person'
                                WHEN c.outcome IS NULL OR p.unlisted THEN 'is being listed'
                                ELSE 'is being archived' END) AS state,
       (SELECT count(*) FROM coldroll.pick_page AS g JOIN coldroll.pick AS k ON k.page_id = g.id
        WHERE g.session_id = p.id) AS items,
       c.seen AS listed
FROM coldroll.pick_session AS p
JOIN coldroll.source AS s ON s.id = p.source_id
JOIN coldroll.scan AS c ON c.id = p.scan_id
ORDER BY p.id DESC;
COMMENT ON COLUMN coldroll.picks.items IS 'Items that can be had through it now: 0 once it ended; those that were picked again later count there.';
COMMENT ON COLUMN coldroll.picks.listed IS 'Items that its scan listed, those that came twice counted twice.';

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
            coldroll.accept(bigint), coldroll.pause(bigint), coldroll.resume(bigint), coldroll.recount(),
            coldroll.forget(text, text) TO coldroll_operator;
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

INSERT INTO coldroll.migration (version, name) VALUES (17, 'forget');
COMMIT;
