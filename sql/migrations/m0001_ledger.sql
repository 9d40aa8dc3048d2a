-- Migration 1: the ledger, permanent tables that say what was found and what is stored where.
--
-- Run by `coldroll setup`, or by hand, each file once and in order of its number:
--     psql -v ON_ERROR_STOP=1 -f m0001_ledger.sql "$COLDROLL_DATABASE_URL"
-- The file is one transaction: it waits for anyone else who migrates, refuses to run a second time or out of order
-- (SQLSTATE CRM01 and CRM02), and enters itself in coldroll.migration. Once published it is never edited.
BEGIN;
SELECT pg_advisory_xact_lock(7165629038451265);
DO $guard$
BEGIN
    IF to_regclass('coldroll.migration') IS NOT NULL THEN
        RAISE EXCEPTION 'migration 1 (ledger) is already applied' USING ERRCODE = 'CRM01';
    END IF;
END
$guard$;

CREATE SCHEMA IF NOT EXISTS coldroll;
COMMENT ON SCHEMA coldroll IS 'coldroll: a photo library on its way into an archive. Start with: select * from coldroll.queue_overview;';

CREATE TABLE coldroll.migration (
    version    integer     PRIMARY KEY CHECK (version > 0),
    name       text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text        NOT NULL DEFAULT session_user
);
COMMENT ON TABLE coldroll.migration IS 'Steps of the schema that were applied, one row a file of sql/migrations.';
COMMENT ON COLUMN coldroll.migration.version IS 'Number of the file, from 1, without gaps.';
COMMENT ON COLUMN coldroll.migration.name IS 'Name of the file without its number.';
COMMENT ON COLUMN coldroll.migration.applied_at IS 'When it was applied.';
COMMENT ON COLUMN coldroll.migration.applied_by IS 'Database user who applied it.';

CREATE TABLE coldroll.ledger (
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    bound_at   timestamptz,
    archive    text,
    is_only    boolean     PRIMARY KEY DEFAULT true CHECK (is_only),
    CONSTRAINT ledger_binding CHECK ((archive IS NULL) = (bound_at IS NULL))
);
COMMENT ON TABLE coldroll.ledger IS 'This ledger itself: always one row.';
COMMENT ON COLUMN coldroll.ledger.id IS 'Identity of this ledger; the marker in the state store names it, so that a foreign or lost ledger is noticed.';
COMMENT ON COLUMN coldroll.ledger.created_at IS 'When the schema was made.';
COMMENT ON COLUMN coldroll.ledger.bound_at IS 'When it was bound to its archive.';
COMMENT ON COLUMN coldroll.ledger.archive IS 'The archive that this ledger describes, as a URL; bound once, never changed.';
COMMENT ON COLUMN coldroll.ledger.is_only IS 'Always true: its key keeps the table at one row.';
INSERT INTO coldroll.ledger DEFAULT VALUES;

CREATE TABLE coldroll.source (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    kind       text        NOT NULL CHECK (kind IN ('library', 'picker', 'takeout')),
    account    text        NOT NULL CHECK (account <> ''),
    client_id  text,
    CONSTRAINT source_identity UNIQUE (kind, account)
);
COMMENT ON TABLE coldroll.source IS 'A library to archive.';
COMMENT ON COLUMN coldroll.source.id IS 'Key.';
COMMENT ON COLUMN coldroll.source.created_at IS 'When it was first used.';
COMMENT ON COLUMN coldroll.source.kind IS 'library: the Google Photos Library API; picker: what a person picked; takeout: files of a Takeout export.';
COMMENT ON COLUMN coldroll.source.account IS 'The owner''s label of the account, or the account as Google names it.';
COMMENT ON COLUMN coldroll.source.client_id IS 'OAuth client that lists it; Google shows each client only what that client uploaded, so it never changes. Null: not known yet.';

-- One sequence for every lease, of scans and of jobs. CACHE 1 on purpose: a cached range would be handed out of order.
CREATE SEQUENCE coldroll.lease AS bigint CACHE 1;
COMMENT ON SEQUENCE coldroll.lease IS 'Fencing numbers: each claim of a job and each opening of a scan draws one.';

CREATE TABLE coldroll.scan (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id  bigint      NOT NULL REFERENCES coldroll.source (id),
    lease      bigint      NOT NULL DEFAULT nextval('coldroll.lease') CHECK (lease > 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    renewed_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    pages      bigint      NOT NULL DEFAULT 0 CHECK (pages >= 0),
    seen       bigint      NOT NULL DEFAULT 0,
    new        bigint      NOT NULL DEFAULT 0 CHECK (new >= 0),
    known      bigint      NOT NULL DEFAULT 0 CHECK (known >= 0),
    parts      bigint      NOT NULL DEFAULT 0,
    jobs       bigint      NOT NULL DEFAULT 0,
    unreadable bigint      NOT NULL DEFAULT 0 CHECK (unreadable >= 0),
    since      text,
    until      text,
    page_token text,
    outcome    text        CHECK (outcome IN ('complete', 'suspicious', 'failed')),
    reason     text,
    CONSTRAINT scan_counts_agree CHECK (seen = new + known),
    CONSTRAINT scan_parts_have_jobs CHECK (parts = jobs),
    CONSTRAINT scan_end CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    CONSTRAINT scan_reason CHECK ((reason IS NOT NULL) = (outcome IS NOT NULL AND outcome <> 'complete'))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE UNIQUE INDEX scan_open ON coldroll.scan (source_id) WHERE outcome IS NULL;
COMMENT ON TABLE coldroll.scan IS 'Enumeration passes. The page token is committed with the items of its page, so that a killed scan goes on where it was.';
COMMENT ON COLUMN coldroll.scan.id IS 'Key.';
COMMENT ON COLUMN coldroll.scan.source_id IS 'What is enumerated; at most one scan of a source is open.';
COMMENT ON COLUMN coldroll.scan.lease IS 'Fence: only the process that holds this number may write.';
COMMENT ON COLUMN coldroll.scan.started_at IS 'Start of the pass.';
COMMENT ON COLUMN coldroll.scan.renewed_at IS 'Last sign of life of the process that scans.';
COMMENT ON COLUMN coldroll.scan.ended_at IS 'End of the pass.';
COMMENT ON COLUMN coldroll.scan.pages IS 'Pages recorded.';
COMMENT ON COLUMN coldroll.scan.seen IS 'Entries in them, repeated ones too: always new + known.';
COMMENT ON COLUMN coldroll.scan.new IS 'Items that the ledger did not know and that have their parts now.';
COMMENT ON COLUMN coldroll.scan.known IS 'Entries whose item was already there.';
COMMENT ON COLUMN coldroll.scan.parts IS 'Parts recorded.';
COMMENT ON COLUMN coldroll.scan.jobs IS 'Jobs made for them: always as many.';
COMMENT ON COLUMN coldroll.scan.unreadable IS 'Entries that could not be read as an item (no id); not part of seen.';
COMMENT ON COLUMN coldroll.scan.since IS 'First day asked for; null with until null: a full pass.';
COMMENT ON COLUMN coldroll.scan.until IS 'Last day asked for.';
COMMENT ON COLUMN coldroll.scan.page_token IS 'Where to go on; null: at the start.';
COMMENT ON COLUMN coldroll.scan.outcome IS 'Null while open; complete; suspicious: ended, but what it saw is not to be believed; failed.';
COMMENT ON COLUMN coldroll.scan.reason IS 'Why it is suspicious or failed.';

CREATE TABLE coldroll.run (
    number       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id    bigint      NOT NULL REFERENCES coldroll.source (id),
    started_at   timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    found        bigint,
    stored       bigint,
    duplicate    bigint,
    skipped      bigint,
    dead         bigint,
    live         bigint,
    unaccounted  bigint,
    stored_bytes bigint,
    host         text        NOT NULL,
    outcome      text        CHECK (outcome <> ''),
    CONSTRAINT run_end CHECK ((outcome IS NULL) = (ended_at IS NULL)),
    CONSTRAINT run_counts CHECK (
        num_nulls(found, stored, duplicate, skipped, dead, live, unaccounted, stored_bytes)
        = CASE WHEN ended_at IS NULL THEN 8 ELSE 0 END)
);
COMMENT ON TABLE coldroll.run IS 'Runs: scan, then work until the jobs are gone, then this record of it.';
COMMENT ON COLUMN coldroll.run.number IS 'Key; the marker in the state store names the last one.';
COMMENT ON COLUMN coldroll.run.source_id IS 'What was archived.';
COMMENT ON COLUMN coldroll.run.started_at IS 'Start.';
COMMENT ON COLUMN coldroll.run.ended_at IS 'End; null: still going, or killed.';
COMMENT ON COLUMN coldroll.run.found IS 'Parts found when it ended. The counts are of the whole source, not of this run alone.';
COMMENT ON COLUMN coldroll.run.stored IS 'Parts stored.';
COMMENT ON COLUMN coldroll.run.duplicate IS 'Parts that are copies of another one.';
COMMENT ON COLUMN coldroll.run.skipped IS 'Parts left out, with a reason.';
COMMENT ON COLUMN coldroll.run.dead IS 'Parts given up, with a reason.';
COMMENT ON COLUMN coldroll.run.live IS 'Parts still queued.';
COMMENT ON COLUMN coldroll.run.unaccounted IS 'Parts in none or in more than one of these: 0, or something is wrong.';
COMMENT ON COLUMN coldroll.run.stored_bytes IS 'Bytes stored.';
COMMENT ON COLUMN coldroll.run.host IS 'Host that began it.';
COMMENT ON COLUMN coldroll.run.outcome IS 'How it ended, in a word.';

-- No foreign keys from here on: their checks would cost more than the rows, and lock rows that workers share.
-- What they would hold, the view balance shows: a part that is nowhere, or in two places, is unaccounted.
CREATE TABLE coldroll.item (
    id           bigint      GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    source_id    bigint      NOT NULL,
    scan_id      bigint      NOT NULL,
    found_at     timestamptz NOT NULL DEFAULT now(),
    capture_time timestamptz,
    width        bigint,
    height       bigint,
    is_video     boolean     NOT NULL,
    source_item  text COLLATE "C" NOT NULL CHECK (source_item <> ''),
    capture_from text        NOT NULL,
    filename     text,
    mime_type    text,
    CONSTRAINT item_identity UNIQUE (source_id, source_item)
);
COMMENT ON TABLE coldroll.item IS 'What a source calls one photo or video.';
COMMENT ON COLUMN coldroll.item.id IS 'Key.';
COMMENT ON COLUMN coldroll.item.source_id IS 'The source; with source_item the identity of the item.';
COMMENT ON COLUMN coldroll.item.scan_id IS 'Scan that found it first.';
COMMENT ON COLUMN coldroll.item.found_at IS 'When it was found first.';
COMMENT ON COLUMN coldroll.item.capture_time IS 'When it was taken, as last reported; null: unknown.';
COMMENT ON COLUMN coldroll.item.width IS 'Width in pixels as the source reports it.';
COMMENT ON COLUMN coldroll.item.height IS 'Height in pixels as the source reports it.';
COMMENT ON COLUMN coldroll.item.is_video IS 'Whether its jobs go into the video lane.';
COMMENT ON COLUMN coldroll.item.source_item IS 'The source''s own id.';
COMMENT ON COLUMN coldroll.item.capture_from IS 'Where the capture time comes from.';
COMMENT ON COLUMN coldroll.item.filename IS 'Filename as last reported, unaltered.';
COMMENT ON COLUMN coldroll.item.mime_type IS 'Media type as last reported.';

CREATE TABLE coldroll.part (
    id           bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    item_id      bigint NOT NULL,
    source_id    bigint NOT NULL,
    kind         text COLLATE "C" NOT NULL CHECK (kind IN ('still', 'video', 'motion', 'file')),
    folder_month text COLLATE "C" NOT NULL CHECK (folder_month = 'undated' OR folder_month ~ '^[0-9]{6}$'),
    object_name  text COLLATE "C" NOT NULL CHECK (octet_length(object_name) BETWEEN 1 AND 1024),
    name_key     text COLLATE "C" NOT NULL CHECK (name_key <> ''),
    CONSTRAINT part_of_item UNIQUE (item_id, kind),
    CONSTRAINT part_name_key UNIQUE (name_key)
);
COMMENT ON TABLE coldroll.part IS 'Files to store, at least one for each item. Each is in exactly one place: a job (ready, scheduled, running), an object, or a current outcome.';
COMMENT ON COLUMN coldroll.part.id IS 'Key, also of its job.';
COMMENT ON COLUMN coldroll.part.item_id IS 'The item.';
COMMENT ON COLUMN coldroll.part.source_id IS 'The source of the item, here so that sums need not read item.';
COMMENT ON COLUMN coldroll.part.kind IS 'still: the photo; video; motion: the clip of a motion photo; file: a file of a Takeout export.';
COMMENT ON COLUMN coldroll.part.folder_month IS 'Folder in the archive: month of capture in UTC as YYYYMM, or undated. Chosen once.';
COMMENT ON COLUMN coldroll.part.object_name IS 'Name in the archive. Chosen before the job exists; changes only while nothing is stored.';
COMMENT ON COLUMN coldroll.part.name_key IS 'The name as systems that ignore case see it; no two parts share one.';

CREATE TABLE coldroll.object (
    part_id    bigint      PRIMARY KEY,
    generation bigint      NOT NULL CHECK (generation >= 0),
    size       bigint      NOT NULL CHECK (size >= 0),
    crc32c     bigint      NOT NULL CHECK (crc32c BETWEEN 0 AND 4294967295),
    lease      bigint      NOT NULL CHECK (lease > 0),
    worker_id  bigint      NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now(),
    adopted    boolean     NOT NULL,
    fidelity   text COLLATE "C" NOT NULL CHECK (fidelity IN ('original', 'rendition', 'reduced', 'unrecognised')),
    media_kind text        NOT NULL,
    md5        text
);
CREATE INDEX object_stored_at ON coldroll.object USING brin (stored_at) WITH (autosummarize = on);
COMMENT ON TABLE coldroll.object IS 'What stands in the archive, as the archive answered. Rows are only ever added.';
COMMENT ON COLUMN coldroll.object.part_id IS 'The part; its object_name is the name in the archive.';
COMMENT ON COLUMN coldroll.object.generation IS 'Generation of the object in the bucket.';
COMMENT ON COLUMN coldroll.object.size IS 'Bytes.';
COMMENT ON COLUMN coldroll.object.crc32c IS 'CRC32C of the bytes, as a number.';
COMMENT ON COLUMN coldroll.object.lease IS 'Lease of the claim that stored it.';
COMMENT ON COLUMN coldroll.object.worker_id IS 'Worker that stored it.';
COMMENT ON COLUMN coldroll.object.stored_at IS 'When that was recorded.';
COMMENT ON COLUMN coldroll.object.adopted IS 'True: it was already there under this very identity.';
COMMENT ON COLUMN coldroll.object.fidelity IS 'original: the uploaded file; rendition: what Google makes of it for download; reduced: smaller than reported; unrecognised: bytes of an unknown kind.';
COMMENT ON COLUMN coldroll.object.media_kind IS 'Kind of the bytes, by looking at them.';
COMMENT ON COLUMN coldroll.object.md5 IS 'MD5 as the bucket answered, base64; null where it gives none.';

CREATE TABLE coldroll.outcome (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    part_id       bigint      NOT NULL,
    decided_at    timestamptz NOT NULL DEFAULT now(),
    superseded_at timestamptz,
    lease         bigint      NOT NULL DEFAULT 0 CHECK (lease >= 0),
    worker_id     bigint,
    duplicate_of  bigint,
    attempts      smallint    NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    crashes       smallint    NOT NULL DEFAULT 0 CHECK (crashes >= 0),
    kind          text COLLATE "C" NOT NULL CHECK (kind IN ('duplicate', 'skipped', 'dead')),
    reason        text        NOT NULL CHECK (reason <> ''),
    decided_by    text        NOT NULL,
    superseded_by text,
    CONSTRAINT outcome_duplicate CHECK ((kind = 'duplicate') = (duplicate_of IS NOT NULL)),
    CONSTRAINT outcome_not_of_itself CHECK (duplicate_of <> part_id),
    CONSTRAINT outcome_superseded CHECK ((superseded_at IS NULL) = (superseded_by IS NULL))
);
CREATE UNIQUE INDEX outcome_current ON coldroll.outcome (part_id) WHERE superseded_at IS NULL;
CREATE INDEX outcome_part ON coldroll.outcome (part_id, lease);
COMMENT ON TABLE coldroll.outcome IS 'Ends other than being stored. Rows are added, and superseded when a person decides otherwise; never deleted.';
COMMENT ON COLUMN coldroll.outcome.id IS 'Key.';
COMMENT ON COLUMN coldroll.outcome.part_id IS 'The part.';
COMMENT ON COLUMN coldroll.outcome.decided_at IS 'When it was decided.';
COMMENT ON COLUMN coldroll.outcome.superseded_at IS 'When it stopped being true; null: current. A part has at most one current outcome.';
COMMENT ON COLUMN coldroll.outcome.lease IS 'Lease of the claim that ended so; 0: not decided by a worker.';
COMMENT ON COLUMN coldroll.outcome.worker_id IS 'Worker of that claim.';
COMMENT ON COLUMN coldroll.outcome.duplicate_of IS 'Part that holds the same content.';
COMMENT ON COLUMN coldroll.outcome.attempts IS 'Failures counted until then.';
COMMENT ON COLUMN coldroll.outcome.crashes IS 'Workers that vanished over it until then.';
COMMENT ON COLUMN coldroll.outcome.kind IS 'duplicate; skipped: left out on purpose; dead: given up.';
COMMENT ON COLUMN coldroll.outcome.reason IS 'Why.';
COMMENT ON COLUMN coldroll.outcome.decided_by IS 'Who said so: worker, reaper, or a database user.';
COMMENT ON COLUMN coldroll.outcome.superseded_by IS 'Who superseded it, and how.';

INSERT INTO coldroll.migration (version, name) VALUES (1, 'ledger');
COMMIT;
