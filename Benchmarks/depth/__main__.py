"""How the queue behaves with ten million ready jobs beside ten thousand, and what the tallies cost.

Run by Benchmarks/run with PostgreSQL's address in COLDROLL_TEST_POSTGRES.
"""

import argparse
import csv
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from ledger import COLDROLL, PROGRAM, Ledger, query

PARTS = ("found", "stored", "duplicate", "skipped", "dead", "ready", "scheduled", "running", "unaccounted", "stored_bytes")
TALLIED = ("part", "job", "object", "outcome")


def measure(jobs, claims, batch):
    """Numbers of one ledger of this size."""
    ledger = Ledger("depth", jobs)
    found = {}
    claimed = ledger.run(PROGRAM, "claims", ledger.conninfo, claims, batch)
    found["claim, median ms"] = claimed.json["median_ms"]
    found["claim, 99 in 100 ms"] = claimed.json["p99_ms"]
    found["claim, memory MiB"] = claimed.mebibytes
    # The second time: the first one reads the program itself from the disk.
    ledger.run(COLDROLL, "status", "--json")
    quick = ledger.run(COLDROLL, "status", "--json")
    exact = ledger.run(COLDROLL, "status", "--json", "--exact")
    found["status s"] = quick.seconds
    found["status --exact s"] = exact.seconds
    found["balance s"], balance = ledger.seconds("select sum(found), sum(stored), sum(unaccounted) from coldroll.balance")
    for part in PARTS:
        if quick.json["parts"][part] != exact.json["parts"][part]:
            sys.exit(f"The tallies say {quick.json['parts'][part]} {part}, there are {exact.json['parts'][part]}.")
    stored = claims * batch
    if exact.json["corrected"] or balance != f"{jobs}|{stored}|0" or quick.json["parts"]["stored"] != stored:
        sys.exit(f"The sums do not agree: {exact.json['corrected']}, {balance}, {quick.json['parts']}.")
    return found


def tallies(rounds, jobs, batch):
    """Drains with and without the tallies' triggers, in turns: the rates' ratio."""
    rates = {True: [], False: []}
    for turn in range(rounds):
        for kept in (True, False) if turn % 2 == 0 else (False, True):
            ledger = Ledger("depth_drain", jobs)
            if not kept:
                for table in TALLIED:
                    # Others' triggers stay: only the tallies' cost is asked for.
                    query(ledger.conninfo, f"drop function coldroll.tally_{table} cascade")
            said = ledger.run(PROGRAM, "drain", ledger.conninfo, batch).json
            rates[kept].append(said["jobs"] / said["seconds"])
            print(f"  drain {'with' if kept else 'without'} tallies: {rates[kept][-1]:,.0f} jobs/s", flush=True)
    return statistics.median(rates[True]) / statistics.median(rates[False])


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/depth")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=10_000_000)
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--drained", type=int, default=100_000)
    parser.add_argument("--csv", type=Path, default=Path(".build/depth.csv"))
    options = parser.parse_args()

    ratio = tallies(options.rounds, options.drained, 100)
    few, many = (measure(jobs, 100, 64) for jobs in (options.few, options.jobs))
    with options.csv.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("what", options.few, options.jobs))
        writer.writerows((name, round(value, 3), round(many[name], 3)) for name, value in few.items())
    print(f"  {'':24} {options.few:>12,} {options.jobs:>12,}")
    for name, value in few.items():
        print(f"  {name:24} {value:12.2f} {many[name]:12.2f}")
    holds = True
    for name, value, limit in [
        ("claim, many / few", many["claim, median ms"] / few["claim, median ms"], 1.5),
        ("claim's memory, many / few", many["claim, memory MiB"] / few["claim, memory MiB"], 1.1),
        ("status, many, s", many["status s"], 1),
        ("balance, many, s", many["balance s"], 60),
        ("drain without tallies / with", 1 / ratio, 1.25),
    ]:
        holds = holds and value <= limit
        print(f"  {name:30} {value:7.2f}  {'holds' if value <= limit else 'MISSED'}: at most {limit}")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
