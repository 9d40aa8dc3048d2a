"""The queue under full load while a transaction holds a snapshot, so that vacuum removes nothing: how fast it stays.

Run by Benchmarks/run with PostgreSQL's address in COLDROLL_TEST_POSTGRES. Writes what it saw in each second to a CSV file.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "depth"))
from ledger import PROGRAM, Ledger, query

ASK = """select pg_stat_get_dead_tuples('coldroll.job'::regclass), pg_relation_size('coldroll.job_ready') / 1048576,
    pg_relation_size('coldroll.job') / 1048576"""


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/bloat")
    parser.add_argument("--jobs", type=int, default=10_000_000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--before", type=int, default=60, help="seconds of load before the snapshot is taken")
    parser.add_argument("--held", type=int, default=600, help="seconds for which it is held")
    parser.add_argument("--after", type=int, default=300, help="seconds of load after it is let go")
    parser.add_argument("--csv", type=Path, default=Path(".build/bloat.csv"))
    options = parser.parse_args()

    ledger = Ledger("bloat", options.jobs)
    whole = options.before + options.held + options.after
    load = subprocess.Popen(
        [str(part) for part in (PROGRAM, "load", ledger.conninfo, options.batch, whole)],
        stdout=subprocess.PIPE, text=True, env=os.environ,
    )
    holder = None
    rows = []
    server = Server(ledger.conninfo)
    for line in load.stdout:
        second, jobs = (int(number) for number in line.split(","))
        if second == options.before:
            holder = threading.Thread(target=hold, args=(ledger.conninfo, options.held))
            holder.start()
        dead, index, table = (int(number) for number in query(ledger.conninfo, ASK).split("|"))
        phase = "before" if second <= options.before else "held" if holder.is_alive() else "after"
        rows.append((second, phase, jobs, dead, index, table, round(server.cpu_seconds(), 2)))
        if second % 30 == 0:
            print(f"  {second:4} s {phase:7} {jobs:7,} jobs/s, {dead:10,} dead rows, job_ready {index:4} MiB", flush=True)
    if load.wait() != 0:
        sys.exit("The load failed: its own words are above.")
    with options.csv.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("second", "phase", "jobs", "dead_rows", "ready_index_mib", "job_table_mib", "server_cpu_s"))
        writer.writerows(rows)
    left = query(ledger.conninfo, "select count(*) from coldroll.job where state = 'ready'")
    if left == "0":
        sys.exit("The jobs ran out before the time did: use more of them.")
    if query(ledger.conninfo, "select count(*) from coldroll.tally_error") != "0":
        sys.exit("The tallies are wrong: see coldroll.tally_error.")

    # A tenth of the time at each end, at least ten seconds; the first seconds warm the caches.
    span = max(10, options.held // 10)
    speed = lambda first, last: statistics.mean(row[2] for row in rows if first < row[0] <= last)
    spans = [
        (max(10, options.before - span), options.before),
        (options.before + options.held - span, options.before + options.held),
        (whole - min(span, options.after // 2), whole),
    ]
    start, end, back = (speed(*each) for each in spans)
    # What other programs do on the machine changes the speed, but not this.
    cost = lambda first, last: (rows[last - 1][6] - rows[first - 1][6]) / sum(row[2] for row in rows[first:last]) * 1e6
    cheap, dear, again = (cost(*each) for each in spans)
    print(f"  {start:,.0f} jobs/s before, {end:,.0f} at the end of the snapshot, {back:,.0f} after it")
    print(f"  CPU of the server a job: {cheap:.0f} µs before, {dear:.0f} at the end, {again:.0f} after")
    holds = True
    for name, value, limit in [("end / start", end / start, 0.7), ("after / start", back / start, 0.9)]:
        holds = holds and value >= limit
        print(f"  {name:20} {value:7.2f}  {'holds' if value >= limit else 'MISSED'}: at least {limit}")
    sys.exit(0 if holds else 1)


class Server:
    """The processes of a PostgreSQL on this machine."""

    def __init__(self, conninfo):
        directory = query(conninfo, "show data_directory")
        self.postmaster = int(Path(directory, "postmaster.pid").read_text().split()[0])

    def cpu_seconds(self):
        """User and system time of all of them, ended ones included."""
        ticks = 0
        for file in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = file.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            # Numbers of proc(5) less three: 4 is the parent, 14 to 17 are times, of waited-for children too.
            if int(file.parent.name) == self.postmaster:
                ticks += sum(int(field) for field in fields[11:15])
            elif int(fields[1]) == self.postmaster:
                ticks += sum(int(field) for field in fields[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")


def hold(conninfo, seconds):
    """A report that somebody forgot: it has read the queue once and stays open."""
    query(
        conninfo,
        "begin isolation level repeatable read; select count(*) from coldroll.worker;"
        f" select pg_sleep({seconds}); commit",
    )


if __name__ == "__main__":
    main()
