-- Migration 14: logins that a whole fleet shares. The refresh token itself is in the state store, sealed.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0014_logins.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 14 THEN
        RAISE EXCEPTION 'migration 14 (logins) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 14 - 1 THEN
        RAISE EXCEPTION 'migration 14 (logins) needs migration % first', 14 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

ALTER TABLE coldroll.source ADD COLUMN subject text COLLATE "C" CHECK (subject <> '');
COMMENT ON COLUMN coldroll.source.subject IS 'Google''s number of the account (sub), learned at the first login; a login as somebody else is refused. Null: never logged in by coldroll login.';

CREATE TABLE coldroll.login (
    source_id      bigint      PRIMARY KEY REFERENCES coldroll.source (id),
    signed_in_at   timestamptz NOT NULL DEFAULT now(),
    ends_at        timestamptz,
    refused_at     timestamptz,
    token_ends_at  timestamptz,
    refreshed_at   timestamptz,
    refresh_until  timestamptz,
    refresh_lease  bigint,
    refreshes      bigint      NOT NULL DEFAULT 0 CHECK (refreshes >= 0),
    id             uuid        NOT NULL,
    scopes         text[]      NOT NULL,
    refusal        text        CHECK (refusal <> ''),
    sealed_token   text        CHECK (sealed_token <> ''),
    CONSTRAINT login_refusal CHECK ((refused_at IS NULL) = (refusal IS NULL)),
    CONSTRAINT login_token CHECK ((sealed_token IS NULL) = (token_ends_at IS NULL)),
    CONSTRAINT login_refresh CHECK ((refresh_lease IS NULL) = (refresh_until IS NULL))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
COMMENT ON TABLE coldroll.login IS 'A source''s login by coldroll login, as the fleet shares it. The refresh token is not here: it is in the state store, encrypted.';
COMMENT ON COLUMN coldroll.login.source_id IS 'Whose login it is.';
COMMENT ON COLUMN coldroll.login.signed_in_at IS 'When the owner logged in.';
COMMENT ON COLUMN coldroll.login.ends_at IS 'When Google will refuse it (an app in testing: 7 days after the login). Null: Google names no end.';
COMMENT ON COLUMN coldroll.login.refused_at IS 'When Google refused it for good, or the owner logged out; all lanes of the source are paused then, until the next login.';
COMMENT ON COLUMN coldroll.login.token_ends_at IS 'When the access token that is shared ends.';
COMMENT ON COLUMN coldroll.login.refreshed_at IS 'When it was fetched.';
COMMENT ON COLUMN coldroll.login.refresh_until IS 'Until when one process has the right to fetch the next access token; the others wait for it.';
COMMENT ON COLUMN coldroll.login.refresh_lease IS 'Random number of that process''s right.';
COMMENT ON COLUMN coldroll.login.refreshes IS 'Access tokens fetched since the login.';
COMMENT ON COLUMN coldroll.login.id IS 'Of the login: the sealed file in the state store has the same.';
COMMENT ON COLUMN coldroll.login.scopes IS 'What the owner granted.';
COMMENT ON COLUMN coldroll.login.refusal IS 'Why it cannot be used.';
COMMENT ON COLUMN coldroll.login.sealed_token IS 'The access token, encrypted with the fleet''s key (COLDROLL_KEY_FILE): nothing to read here.';

COMMENT ON COLUMN coldroll.lane.paused_by IS 'Database user who paused it, or what coldroll paused it for.';

INSERT INTO coldroll.migration (version, name) VALUES (14, 'logins');
COMMIT;
