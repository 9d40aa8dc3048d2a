"""A ledger with millions of jobs in it, made by SQL since only its size matters, and questions to it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".build" / "release" / "queue-benchmark"
COLDROLL = ROOT / ".build" / "release" / "coldroll"

# Items as the Library API lists them (ids of 60 characters), a fifth of them videos, over twenty years of months.
CHUNK = """
WITH item AS (
    INSERT INTO coldroll.item (source_id, scan_id, is_video, source_item, filename, mime_type, capture_from, capture_time,
                               width, height)
    SELECT s.id, 1, n % 5 = 0, 'AGj1epU' || lpad(n::text, 53, 'x'), 'IMG_' || n || '.JPG', 'image/jpeg', 'api',
           timestamptz '2005-01-01 12:00Z' + n % 7300 * interval '1 day', 4032, 3024
    FROM coldroll.source AS s, generate_series({first}, {last}) AS n
    RETURNING id, source_id, is_video, filename, capture_time
), part AS (
    INSERT INTO coldroll.part (id, item_id, source_id, kind, folder_month, object_name, name_key)
    SELECT i.id, i.id, i.source_id, CASE WHEN i.is_video THEN 'video' ELSE 'still' END,
           to_char(i.capture_time, 'YYYYMM'), to_char(i.capture_time, 'YYYYMM/') || i.filename,
           lower(to_char(i.capture_time, 'YYYYMM/') || i.filename)
    FROM item AS i
)
INSERT INTO coldroll.job (part_id, lane_id)
SELECT i.id, l.id
FROM item AS i JOIN coldroll.lane AS l ON l.source_id = i.source_id AND l.kind = CASE WHEN i.is_video THEN 'video' ELSE 'photo' END
"""


class Ledger:
    """One fresh database with coldroll's schema and so many ready jobs."""

    def __init__(self, name, jobs, chunk=100_000):
        server = os.environ["COLDROLL_TEST_POSTGRES"]
        self.conninfo = f"{server} dbname={name}"
        for statement in (f"drop database if exists {name} with (force)", f"create database {name}"):
            query(server, statement)
        self.run(PROGRAM, "enqueue", self.conninfo, 1, 1)
        query(self.conninfo, "delete from coldroll.job; delete from coldroll.part; delete from coldroll.item")
        began = time.monotonic()
        for first in range(1, jobs + 1, chunk):
            query(self.conninfo, CHUNK.format(first=first, last=min(first + chunk - 1, jobs)))
        query(self.conninfo, "vacuum analyze")
        query(self.conninfo, "checkpoint")
        print(f"  {jobs:,} jobs were made in {time.monotonic() - began:.0f} s", flush=True)

    def run(self, program, *arguments):
        """What a program says last, and its peak memory in MiB."""
        environment = os.environ | {"COLDROLL_DATABASE_URL": self.conninfo}
        began = time.monotonic()
        process = subprocess.Popen([str(part) for part in (program, *arguments)], stdout=subprocess.PIPE, text=True, env=environment)
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"{program} {arguments[0]} failed: its own words are above.")
        return Answer(said, time.monotonic() - began, usage.ru_maxrss / 1024)

    def seconds(self, text):
        began = time.monotonic()
        answer = query(self.conninfo, text)
        return time.monotonic() - began, answer


class Answer:
    def __init__(self, text, seconds, mebibytes):
        self.text = text
        self.seconds = seconds
        self.mebibytes = mebibytes

    @property
    def json(self):
        return json.loads(self.text.splitlines()[-1])


def query(conninfo, text):
    ask = ["psql", "-XAtq", conninfo, "-v", "ON_ERROR_STOP=1", "-c", text]
    quiet = os.environ | {"PGOPTIONS": "-c client_min_messages=warning"}
    return subprocess.run(ask, check=True, stdout=subprocess.PIPE, text=True, env=quiet).stdout.strip()
