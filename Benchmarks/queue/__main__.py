"""coldroll's queue beside pgqueuer's: jobs in, jobs out, on the same PostgreSQL, in turns.

Run by Benchmarks/run with PostgreSQL's address in COLDROLL_TEST_POSTGRES; it must be one that waits for the disk.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parents[1] / ".build" / "release" / "queue-benchmark"
BATCH = 50
"""Jobs a statement takes: the ids of one batchGet, which is what a worker holds ready ahead of its slots."""
LARGE_BATCH = 500
"""Told beside it: what the rows cost where statements hardly count."""


@dataclass
class Cost:
    rate: float
    """Jobs a second."""
    statements: float
    """Statements a job, each of which is a transaction of its own."""
    wal: float
    """Bytes of write-ahead log a job."""
    dead: float
    """Row versions a job that an update or delete left for vacuum."""


class Database:
    """One fresh database and what its server counts."""

    def __init__(self, server, name):
        self.server = server
        self.conninfo = f"{server} dbname={name}"
        for statement in (f"drop database if exists {name}", f"create database {name}"):
            self.query(server, statement)

    @staticmethod
    def query(conninfo, text):
        ask = ["psql", "-XAtq", conninfo, "-v", "ON_ERROR_STOP=1", "-c", text]
        return subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()

    def counts(self):
        # Programs that ended have told the server all that they did (PostgreSQL docs, The Cumulative Statistics System).
        return [
            float(number)
            for number in self.query(
                self.conninfo,
                "select (select xact_commit from pg_stat_database where datname = current_database()),"
                " pg_current_wal_insert_lsn() - '0/0',"
                " (select coalesce(sum(n_tup_upd + n_tup_del), 0) from pg_stat_user_tables)",
            ).split("|")
        ]

    def measure(self, program) -> Cost:
        """Runs a program that says how long it took and how many jobs it did."""
        self.query(self.conninfo, "checkpoint")
        before = self.counts()
        ended = subprocess.run([str(part) for part in program], stdout=subprocess.PIPE, text=True)
        if ended.returncode != 0:
            sys.exit(f"{program[0]} failed: its own words are above.")
        said = json.loads(ended.stdout.splitlines()[-1])
        after = self.counts()
        jobs = said["jobs"]
        statements, wal, dead = ((new - old) / jobs for old, new in zip(before, after))
        return Cost(jobs / said["seconds"], statements, wal, dead)


def coldroll(server, jobs, page, batch):
    database = Database(server, "queue_coldroll")
    enqueue = database.measure([PROGRAM, "enqueue", database.conninfo, jobs, page])
    drain = database.measure([PROGRAM, "drain", database.conninfo, batch])
    left = database.query(database.conninfo, "select count(*) from coldroll.job")
    stored = database.query(database.conninfo, "select count(*) from coldroll.object")
    if (left, stored) != ("0", str(jobs)):
        sys.exit(f"{left} of coldroll's jobs are left, {stored} of {jobs} stored.")
    return enqueue, drain


def pgqueuer(server, jobs, page, batch):
    database = Database(server, "queue_pgqueuer")
    peer = [sys.executable, HERE / "peer.py"]
    subprocess.run([*map(str, peer), "install", database.conninfo], check=True)
    enqueue = database.measure([*peer, "enqueue", database.conninfo, jobs, page])
    drain = database.measure([*peer, "drain", database.conninfo, batch])
    left = database.query(database.conninfo, "select count(*) from pgqueuer")
    if left != "0":
        sys.exit(f"{left} of pgqueuer's jobs are left.")
    return enqueue, drain


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/queue")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    options = parser.parse_args()
    server = os.environ["COLDROLL_TEST_POSTGRES"]
    if Database.query(server, "show fsync") != "on":
        sys.exit("This PostgreSQL does not wait for the disk (fsync is off): its rates say nothing.")

    small, large = f"{options.jobs:,} jobs", f"{options.many:,} jobs"
    columns = "jobs/s, statements, WAL bytes and dead row versions a job"
    print(f"round, what, {columns}:")
    found = {}
    for turn in range(options.rounds):
        for name, run, jobs, page, batch in [
            (f"coldroll, {small}", coldroll, options.jobs, 1000, BATCH),
            (f"coldroll, {small}, pages of 100", coldroll, options.jobs, 100, BATCH),
            (f"pgqueuer, {small}", pgqueuer, options.jobs, 1000, BATCH),
            (f"coldroll, {small}, batches of {LARGE_BATCH}", coldroll, options.jobs, 1000, LARGE_BATCH),
            (f"pgqueuer, {small}, batches of {LARGE_BATCH}", pgqueuer, options.jobs, 1000, LARGE_BATCH),
            (f"coldroll, {large}", coldroll, options.many, 1000, BATCH),
        ]:
            for kind, cost in zip(("enqueue", "drain"), run(server, jobs, page, batch)):
                found.setdefault((name, kind), []).append(cost.rate)
                print(
                    f"  {turn + 1} {name + ' ' + kind:50} {cost.rate:9,.0f}/s {cost.statements:8.4f}"
                    f" {cost.wal:7.0f} {cost.dead:5.2f}",
                    flush=True,
                )

    def rate(name, kind):
        return statistics.median(found[name, kind])

    holds = True
    print("medians of the rounds:")
    for name, value, limit in [
        ("enqueue, coldroll / pgqueuer", rate(f"coldroll, {small}", "enqueue") / rate(f"pgqueuer, {small}", "enqueue"), 0.8),
        ("drain, coldroll / pgqueuer", rate(f"coldroll, {small}", "drain") / rate(f"pgqueuer, {small}", "drain"), 5),
        (f"drain, {large} / {small}", rate(f"coldroll, {large}", "drain") / rate(f"coldroll, {small}", "drain"), 0.8),
    ]:
        holds = holds and value >= limit
        print(f"  {name:40} {value:7.2f}  {'holds' if value >= limit else 'MISSED'}: at least {limit}")
    ratio = rate(f"coldroll, {small}, batches of {LARGE_BATCH}", "drain") / rate(
        f"pgqueuer, {small}, batches of {LARGE_BATCH}", "drain"
    )
    print(f"  {f'drain, the same in batches of {LARGE_BATCH}':40} {ratio:7.2f}  no limit")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
