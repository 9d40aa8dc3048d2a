-- Migration 16: turns of the run that `coldroll serve` takes when it is called or when its schedule says so; what was told.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0016_turns.sql "$COLDROLL_DATABASE_URL"
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
    IF latest >= 16 THEN
        RAISE EXCEPTION 'migration 16 (turns) is already applied' USING ERRCODE = 'CRM01';
    END IF;
    IF latest IS DISTINCT FROM 16 - 1 THEN
        RAISE EXCEPTION 'migration 16 (turns) needs migration % first', 16 - 1 USING ERRCODE = 'CRM02';
    END IF;
END
$guard$;

CREATE TABLE coldroll.turn (
    number      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id   bigint      NOT NULL REFERENCES coldroll.source (id),
    holder      bigint      CHECK (holder > 0),
    asked_at    timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz,
    begun_at    timestamptz,
    beat_at     timestamptz,
    next_try_at timestamptz,
    ended_at    timestamptz,
    asks        integer     NOT NULL DEFAULT 1 CHECK (asks > 0),
    tries       integer     NOT NULL DEFAULT 0 CHECK (tries >= 0),
    code        integer,
    why         text COLLATE "C" NOT NULL CHECK (why IN ('call', 'schedule')),
    host        text,
    message     text,
    CONSTRAINT turn_due UNIQUE (source_id, due_at),
    CONSTRAINT turn_held CHECK ((holder IS NULL) = (beat_at IS NULL)),
    CONSTRAINT turn_begun CHECK (num_nulls(begun_at, host) = CASE WHEN tries = 0 THEN 2 ELSE 0 END),
    CONSTRAINT turn_waits CHECK (next_try_at IS NULL OR (holder IS NULL AND ended_at IS NULL)),
    CONSTRAINT turn_end CHECK (ended_at IS NULL OR (code IS NOT NULL AND tries > 0))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
CREATE UNIQUE INDEX turn_open ON coldroll.turn (source_id) WHERE ended_at IS NULL;
COMMENT ON TABLE coldroll.turn IS 'Runs that were asked for at coldroll serve, or were due: of a source one at a time, whatever the number of hosts.';
COMMENT ON COLUMN coldroll.turn.number IS 'Key: what a call is answered. A turn that is tried again begins a run each time.';
COMMENT ON COLUMN coldroll.turn.source_id IS 'What is to be archived.';
COMMENT ON COLUMN coldroll.turn.holder IS 'Random number of the process that does it, or did it at the end; null: nobody has it now.';
COMMENT ON COLUMN coldroll.turn.asked_at IS 'When it was asked for first.';
COMMENT ON COLUMN coldroll.turn.due_at IS 'The time of the schedule that it is for; null: for none. A later one that comes while it goes on is its own too.';
COMMENT ON COLUMN coldroll.turn.begun_at IS 'When a process began with it.';
COMMENT ON COLUMN coldroll.turn.beat_at IS 'Last sign of life of its holder; whoever is silent for 45 s loses it.';
COMMENT ON COLUMN coldroll.turn.next_try_at IS 'When it is tried again, after a try that the network, the database or a quota ended.';
COMMENT ON COLUMN coldroll.turn.ended_at IS 'End; null: it waits or goes on.';
COMMENT ON COLUMN coldroll.turn.asks IS 'How often it was asked for, schedule included.';
COMMENT ON COLUMN coldroll.turn.tries IS 'How often a process began with it.';
COMMENT ON COLUMN coldroll.turn.code IS 'Exit code of the last try that ended, as coldroll run has them.';
COMMENT ON COLUMN coldroll.turn.why IS 'Who asked first: call (somebody called) or schedule.';
COMMENT ON COLUMN coldroll.turn.host IS 'Host that has it, or had it last.';
COMMENT ON COLUMN coldroll.turn.message IS 'What the last try that ended had to say.';

CREATE TABLE coldroll.schedule (
    source_id  bigint      PRIMARY KEY REFERENCES coldroll.source (id),
    since      timestamptz NOT NULL DEFAULT now(),
    expression text        NOT NULL CHECK (expression <> ''),
    zone       text        NOT NULL CHECK (zone <> '')
);
COMMENT ON TABLE coldroll.schedule IS 'When coldroll serve runs by itself, as the process that was started last was told.';
COMMENT ON COLUMN coldroll.schedule.source_id IS 'What is archived then.';
COMMENT ON COLUMN coldroll.schedule.since IS 'Since when it holds: no time before this was missed.';
COMMENT ON COLUMN coldroll.schedule.expression IS 'Five fields as cron has them.';
COMMENT ON COLUMN coldroll.schedule.zone IS 'Time zone in which they are meant.';

CREATE TABLE coldroll.notice (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id     bigint      NOT NULL REFERENCES coldroll.source (id),
    run           bigint,
    made_at       timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz,
    told_at       timestamptz,
    tries         integer     NOT NULL DEFAULT 0 CHECK (tries >= 0),
    event         text COLLATE "C" NOT NULL CHECK (event IN ('succeeded', 'failed', 'login', 'missed')),
    subject       text COLLATE "C" NOT NULL CHECK (subject <> ''),
    words         text        NOT NULL CHECK (words <> ''),
    CONSTRAINT notice_once UNIQUE (source_id, event, subject)
);
CREATE INDEX notice_untold ON coldroll.notice (source_id, id) WHERE told_at IS NULL;
COMMENT ON TABLE coldroll.notice IS 'What is to be told at COLDROLL_NOTIFY_URL, each once, whatever the number of hosts.';
COMMENT ON COLUMN coldroll.notice.id IS 'Key.';
COMMENT ON COLUMN coldroll.notice.source_id IS 'What it is about.';
COMMENT ON COLUMN coldroll.notice.run IS 'Number of the turn or, for coldroll run, of the run; null: of none.';
COMMENT ON COLUMN coldroll.notice.made_at IS 'When it was to be told first; after a day it is not told any more.';
COMMENT ON COLUMN coldroll.notice.claimed_until IS 'Until then a process tells it.';
COMMENT ON COLUMN coldroll.notice.told_at IS 'When it was received; null: not yet, or never.';
COMMENT ON COLUMN coldroll.notice.tries IS 'How often a process set about telling it, three times at most; more than once only if one was killed over it.';
COMMENT ON COLUMN coldroll.notice.event IS 'succeeded, failed, login (refused, or soon over) or missed (not begun within an hour of its time).';
COMMENT ON COLUMN coldroll.notice.subject IS 'Which event exactly, so that it is told once.';
COMMENT ON COLUMN coldroll.notice.words IS 'Sentences for a person.';

SELECT coldroll.grant_roles();

INSERT INTO coldroll.migration (version, name) VALUES (16, 'turns');
COMMIT;
