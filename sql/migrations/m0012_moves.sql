-- Migration 12: a ledger that was carried to another database says so, and takes no more writes.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0012_moves.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 12 THEN
        RAISE EXCEPTION 'migration 12 (moves) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 12 - 1 THEN
        RAISE EXCEPTION 'migration 12 (moves) needs migration % first', 12 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

ALTER TABLE coldroll.ledger
    ADD COLUMN standing text COLLATE "C" NOT NULL DEFAULT 'here' CHECK (standing IN ('here', 'moved', 'arriving')),
    ADD COLUMN move_id uuid,
    ADD COLUMN moved_at timestamptz,
    ADD COLUMN elsewhere text CHECK (elsewhere <> ''),
    ADD CONSTRAINT ledger_move CHECK (num_nulls(move_id, moved_at, elsewhere) = CASE WHEN standing = 'here' THEN 3 ELSE 0 END);
COMMENT ON COLUMN coldroll.ledger.standing IS 'here: this is the ledger; moved: it lives elsewhere now, and this is what it was then; arriving: a copy that is not the ledger yet.';
COMMENT ON COLUMN coldroll.ledger.move_id IS 'Number of the move, the same on both sides.';
COMMENT ON COLUMN coldroll.ledger.moved_at IS 'When it was moved, or its copy made.';
COMMENT ON COLUMN coldroll.ledger.elsewhere IS 'Where it went, or comes from; never holds a password.';

-- Whoever opened the ledger before it moved finds these triggers at the next write, so that a worker that slept meanwhile
-- changes nothing here. A ledger that was never moved has none, and pays nothing. Migrations, which hold their own lock, may
-- write: so what a moved ledger left behind is brought to a newer version without being opened for a moment.
CREATE FUNCTION coldroll.refuse_moved() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    ledger record;
BEGIN
    IF EXISTS (SELECT FROM pg_locks AS k
               WHERE k.pid = pg_backend_pid() AND k.granted AND k.locktype = 'advisory' AND k.objsubid = 1
                 AND (k.classid::bigint << 32) + k.objid::bigint = 7165629038451265) THEN
        RETURN NULL;
    END IF;
    SELECT l.standing, l.elsewhere, l.moved_at INTO ledger FROM coldroll.ledger AS l;
    IF ledger.standing = 'moved' THEN
        RAISE EXCEPTION 'This ledger was moved to % on %. Nothing is changed here any more: set COLDROLL_DATABASE_URL to where it is now.',
            ledger.elsewhere, to_char(ledger.moved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') USING ERRCODE = 'CRL01';
    ELSIF ledger.standing = 'arriving' THEN
        RAISE EXCEPTION 'This is the copy of a ledger whose move from % has not ended: repeat the move there.', ledger.elsewhere
            USING ERRCODE = 'CRL02';
    END IF;
    RETURN NULL;
END
$body$;
COMMENT ON FUNCTION coldroll.refuse_moved() IS 'Trigger: refuses writes to a ledger that lives elsewhere.';

CREATE FUNCTION coldroll.unseal() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    sealed regclass;
BEGIN
    FOR sealed IN SELECT t.tgrelid FROM pg_trigger AS t
                  WHERE t.tgfoid = 'coldroll.refuse_moved()'::regprocedure AND NOT t.tgisinternal LOOP
        EXECUTE format('DROP TRIGGER refuse_moved ON %s', sealed);
    END LOOP;
END
$body$;
COMMENT ON FUNCTION coldroll.unseal() IS 'Lets the tables be written again; part of coldroll move.';

CREATE FUNCTION coldroll.seal() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    open regclass;
BEGIN
    PERFORM coldroll.unseal();
    -- The ledger's own row says where it is; the list of migrations is each database's own.
    FOR open IN SELECT c.oid FROM pg_class AS c
                WHERE c.relnamespace = 'coldroll'::regnamespace AND c.relkind = 'r'
                  AND c.relname NOT IN ('ledger', 'migration') LOOP
        EXECUTE format('CREATE TRIGGER refuse_moved BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
                       'FOR EACH STATEMENT EXECUTE FUNCTION coldroll.refuse_moved()', open);
    END LOOP;
END
$body$;
COMMENT ON FUNCTION coldroll.seal() IS 'Makes every table refuse writes; part of coldroll move.';
REVOKE ALL ON FUNCTION coldroll.refuse_moved(), coldroll.unseal(), coldroll.seal() FROM PUBLIC;

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (12, 'moves');
COMMIT;
