"""Moves a made-up library over TLS with coldroll, curl and rclone, in turns, and compares what it costs them.

Run by Benchmarks/run, in a network where Google's names lead to this machine (Benchmarks/in-own-network), with
PostgreSQL's address in COLDROLL_TEST_POSTGRES.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from contestants import Coldroll, Curl, Place, Rclone
from google import google

ROOT = Path(__file__).resolve().parents[2]
MIB = 1024 * 1024


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/transfer")
    parser.add_argument("kind", choices=["cpu", "latency"], help="what it costs, or how long it takes over slow links")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--sizes", default="1MB-9MB")
    parser.add_argument("--rclone", required=True, help="the program")
    parser.add_argument("--only", help="one contestant, for a look at it alone")
    parser.add_argument("--coldroll", help="another build of it, or a profiler's script", type=Path)
    parser.add_argument("--logs", help="a directory that keeps what the programs wrote", type=Path)
    options = parser.parse_args()

    postgres = os.environ["COLDROLL_TEST_POSTGRES"]
    data = query(postgres, "show data_directory")
    postmaster = int(Path(data, "postmaster.pid").read_text().splitlines()[0])
    programs = ROOT / ".build" / "release"

    with tempfile.TemporaryDirectory(prefix="coldroll-bench.", dir=in_memory()) as name:
        directory = Path(name)
        coldroll = [
            Coldroll(options.coldroll or programs / "coldroll", postgres, postmaster, slots)
            for slots in ([None] if options.kind == "latency" else [None, 16, 64])
        ]
        others = [Curl(directory / "files"), Rclone(options.rclone)]
        contestants = [*coldroll, *(others if options.kind == "cpu" else others[1:])]
        if options.only:
            contestants = [c for c in contestants if c.name == options.only]
        places = [(turn, c, f"bucket-{turn}-{n}") for turn in range(options.rounds) for n, c in enumerate(contestants)]
        buckets = [b for _, _, bucket in places for b in ("--bucket", bucket, "--bucket", "state-of-" + bucket)]
        latency = ["--latency-photos", "80", "--latency-storage", "120"] if options.kind == "latency" else []
        library = ["--synthesize", options.items, "--sizes", options.sizes, "--video-percent", "5"]
        simulator = programs / "photos-simulator"
        arguments = [*library, "--storage", "hashes", *buckets, *latency]
        with google(simulator, directory / "google", *arguments) as there:
            wanted = sorted(e["dv" if e["kind"] == "video" else "d"]["crc32c"] for e in there.control("library"))
            bytes_of_all = sum(e["dv" if e["kind"] == "video" else "d"]["size"] for e in there.control("library"))
            print(f"{options.items} items, {bytes_of_all / 1e9:.2f} GB, {options.kind}; round, what, and its cost:")
            usages = {c.name: [] for c in contestants}
            for turn, contestant, bucket in places:
                place = Place(directory / bucket, there, bucket)
                place.directory.mkdir(mode=0o711)
                usage = contestant.move(place)
                if there.stored(bucket) != wanted:
                    sys.exit(f"{contestant.name} did not store every item's bytes in {bucket}.")
                if options.logs:
                    shutil.copytree(place.directory, options.logs / bucket, dirs_exist_ok=True)
                usages[contestant.name].append(usage)
                show(f"{turn + 1} {contestant.name}", usage, bytes_of_all)
        if not options.only:
            sys.exit(0 if (judge_cpu if options.kind == "cpu" else judge_latency)(usages) else 1)


def in_memory():
    """A directory that costs no disk, so that curl reads what it uploads as cheaply as can be."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def query(postgres, text):
    return subprocess.run(["psql", postgres, "-Atc", text], check=True, capture_output=True, text=True).stdout.strip()


def show(name, usage, size):
    print(
        f"  {name:24} {usage.cpu:6.2f} CPU s ({usage.cpu / size * 1e9:5.2f} a GB)  {usage.wall:6.1f} s"
        f"  {usage.peak / MIB:7.1f} MiB"
        + (f"  PostgreSQL {usage.postgres:.2f} CPU s" if usage.postgres else ""),
        flush=True,
    )


def judge_cpu(usages):
    def cpu(name):
        return statistics.median(usage.cpu for usage in usages[name])

    def peak(name):
        return max(usage.peak for usage in usages[name]) / MIB

    return verdict(
        ("CPU, coldroll / curl", cpu("coldroll") / cpu("curl, both ways"), 1.15),
        ("CPU, coldroll / rclone", cpu("coldroll") / cpu("rclone"), 0.5),
        ("MiB at the most, 16 slots", peak("coldroll, 16 slots"), 64),
        ("MiB at the most, 64 slots", peak("coldroll, 64 slots"), 150),
    )


def judge_latency(usages):
    def wall(name):
        return statistics.median(usage.wall for usage in usages[name])

    return verdict(("wall time, coldroll / rclone", wall("coldroll") / wall("rclone"), 0.4))


def verdict(*rows):
    print("medians of the rounds:")
    for name, value, limit in rows:
        print(f"  {name:32} {value:8.3f}  {'holds' if value <= limit else 'MISSED'}: at most {limit}")
    return all(value <= limit for _, value, limit in rows)


if __name__ == "__main__":
    main()
