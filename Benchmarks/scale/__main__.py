"""Drains one queue with 1, 2, 4, 8 and more worker processes while every answer comes 100 ms late: does it scale?

Run by Benchmarks/run, in a network where Google's names lead to this machine (Benchmarks/in-own-network), with
PostgreSQL's address in COLDROLL_TEST_POSTGRES.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "transfer"))
from google import google
from usage import process_seconds, server_seconds

PROGRAMS = Path(__file__).resolve().parents[2] / ".build" / "release"
FULL = 0.9
"""Share of the machine's CPU from which on it counts as full: what is left is waiting for turns."""


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/scale")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", default="1,2,4,8,16,24", help="numbers of processes")
    parser.add_argument("--slots", type=int, default=4, help="transfers at once in each of them")
    parser.add_argument("--latency", type=int, default=100, help="milliseconds before each answer of Photos and the bucket")
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--sizes", default="20KB-60KB")
    parser.add_argument("--seconds", type=float, default=15, help="measured, once all workers are at work")
    options = parser.parse_args()

    numbers = [int(number) for number in options.workers.split(",")]
    turns = [(turn, number) for turn in range(options.rounds) for number in numbers]
    buckets = ["first", *(f"round-{turn}-of-{number}" for turn, number in turns)]
    with tempfile.TemporaryDirectory(prefix="coldroll-scale.") as name:
        directory = Path(name)
        directory.chmod(0o711)
        arguments = ["--synthesize", options.items, "--sizes", options.sizes, "--video-percent", 0, "--storage", "hashes"]
        arguments += ["--latency-photos", options.latency, "--latency-storage", options.latency]
        # Days of Google's quota are not what is measured.
        arguments += ["--api-quota", 10**9, "--media-quota", 10**9]
        arguments += [part for bucket in buckets for part in ("--bucket", bucket, "--bucket", "state-of-" + bucket)]
        with google(PROGRAMS / "photos-simulator", directory / "google", *arguments) as there:
            bench = Bench(directory, there, options)
            bench.scan()
            print(f"{options.items} items, {options.slots} slots a process, {options.latency} ms; {os.cpu_count()} CPUs")
            found = {number: [] for number in numbers}
            for turn, number in turns:
                sample = bench.drain(number, f"round-{turn}-of-{number}")
                found[number].append(sample)
                print(f"  {turn + 1} {number} processes  {sample}", flush=True)
    sys.exit(0 if judge(found) else 1)


@dataclass
class Sample:
    rate: float
    """Parts a second."""
    cpu: float
    """Share of the machine's CPU that was busy, with whatever ran."""
    workers: float
    """Share that the workers used; then the simulator's, then PostgreSQL's."""
    simulator: float
    postgres: float

    @property
    def others(self):
        return self.cpu - self.workers - self.simulator - self.postgres

    def __str__(self):
        return (
            f"{self.rate:7.1f} parts/s  CPU {self.cpu:4.0%} (workers {self.workers:.0%}, simulator {self.simulator:.0%},"
            f" PostgreSQL {self.postgres:.0%}, others {self.others:.0%})"
        )


class Bench:
    def __init__(self, directory, there, options):
        self.directory, self.there, self.options = directory, there, options
        self.postgres = os.environ["COLDROLL_TEST_POSTGRES"]
        data = self.query("postgres", "show data_directory")
        self.postmaster = int(Path(data, "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        self.simulator = int(children[0])

    def query(self, database, text):
        command = ["psql", f"{self.postgres} dbname={database}", "-qAtc", text]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def environment(self, database, bucket):
        host, user = (part.partition("=")[2] for part in self.postgres.split())
        return {"PATH": os.environ["PATH"]} | {
            "SSL_CERT_FILE": self.there.ca,
            "COLDROLL_HOME": str(self.directory / "home"),
            "COLDROLL_SOURCE": "library",
            "COLDROLL_PHOTOS_CREDENTIALS": self.there.photos_credentials,
            "GOOGLE_APPLICATION_CREDENTIALS": self.there.storage_credentials,
            "COLDROLL_ARCHIVE": "gs://" + bucket,
            "COLDROLL_STATE": "gs://state-of-" + bucket,
            "COLDROLL_DATABASE_URL": f"postgresql://{user}@/{database}?host={host}",
            "COLDROLL_API_QUOTA": str(10**9),
            "COLDROLL_MEDIA_QUOTA": str(10**9),
        }

    def scan(self):
        """Lists the library once; every run works on a copy of that queue."""
        self.query("postgres", "create database scanned")
        for command in ("setup", "scan"):
            with (self.directory / f"{command}.log").open("wb") as log:
                status = subprocess.run(
                    [PROGRAMS / "coldroll", command], env=self.environment("scanned", "first"), stdout=log, stderr=log
                ).returncode
            if status != 0:
                sys.exit(f"coldroll {command} failed:\n" + (self.directory / f"{command}.log").read_text()[-3000:])

    def drain(self, number, bucket) -> Sample:
        """Lets so many processes work on a fresh copy of the queue, and looks at them while all of them do."""
        database = bucket.replace("-", "_")
        self.query("postgres", f"create database {database} template scanned")
        self.query(database, f"update coldroll.ledger set id = gen_random_uuid(), archive = 'gs://{bucket}'")
        logs = [self.directory / f"{bucket}-{each}.log" for each in range(number)]
        workers = []
        for path in logs:
            with path.open("wb") as log:
                command = [PROGRAMS / "coldroll", "work", "--drain", "--slots", str(self.options.slots)]
                environment = self.environment(database, bucket)
                workers.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL))
        try:
            self.await_all(database, number)
            before = self.look(database, workers)
            time.sleep(self.options.seconds)
            after = self.look(database, workers)
            ended = [path for worker, path in zip(workers, logs) if worker.poll() is not None]
            if ended:
                sys.exit("A worker ended before its time (are there enough items?):\n" + ended[0].read_text()[-3000:])
        finally:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait()
        self.check(database, bucket)
        parts, clock, ticks, busy, own, simulator, postgres = (b - a for a, b in zip(before, after))
        machine = clock * os.cpu_count()
        return Sample(parts / clock, busy / ticks, own / machine, simulator / machine, postgres / machine)

    def await_all(self, database, number):
        """Until every process has stored something, and a second more."""
        ends = time.monotonic() + 120
        while int(self.query(database, "select count(distinct worker_id) from coldroll.object")) < number:
            if time.monotonic() > ends:
                sys.exit(f"Not all of {number} workers stored something within 120 s.")
            time.sleep(0.1)
        time.sleep(1)

    def look(self, database, workers):
        parts = int(self.query(database, "select count(*) from coldroll.object"))
        # proc(5): user, nice, system, idle, iowait, irq, softirq, steal.
        ticks = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return (
            parts, time.monotonic(), sum(ticks), sum(ticks) - ticks[3] - ticks[4],
            sum(process_seconds(worker.pid) for worker in workers),
            process_seconds(self.simulator), server_seconds(self.postmaster),
        )

    def check(self, database, bucket):
        """Everything that the ledger calls stored is in the bucket, once, and the sums add up."""
        names = [o["name"] for o in self.there.control("objects") if o["bucket"] == bucket]
        known = int(self.query(database, "select count(*) from coldroll.object"))
        wrong = self.query(database, "select coalesce(sum(unaccounted), 0) from coldroll.balance")
        if len(names) != len(set(names)) or known != len(names) or wrong != "0":
            sys.exit(f"{bucket} has {len(names)} objects, the ledger {known}; unaccounted: {wrong}")


def judge(found):
    """The best round of each number: what else the machine does only ever takes from it."""
    best = {number: max(samples, key=lambda sample: sample.rate) for number, samples in found.items()}
    least = min(best)
    single = best[least].rate / least
    holds = True
    print("best of the rounds:")
    for number, sample in best.items():
        ratio = sample.rate / (number * single)
        # The CPU counts as full only by what belongs to the measurement, and more processes must not make it slower.
        slower = sample.rate < 0.9 * max(other.rate for smaller, other in best.items() if smaller <= number)
        own = sample.cpu - sample.others
        word = "holds" if ratio >= 0.9 else "MISSED" if slower or own < FULL else "CPU full"
        if word == "MISSED" and sample.cpu >= FULL > own:
            word = "DISTURBED"
        holds = holds and word not in ("MISSED", "DISTURBED")
        print(f"  {number} processes  {sample.rate:7.1f} parts/s  {ratio:5.2f} of {number} x one  CPU {sample.cpu:4.0%}  {word}")
    full = [number for number, sample in best.items() if sample.cpu >= FULL]
    print(f"  the CPU is full with {full[0]} processes" if full else "  the CPU was full with none of them")
    return holds


if __name__ == "__main__":
    main()
