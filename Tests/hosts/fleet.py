"""coldroll's own program on the hosts, and what must hold when it is done."""

import collections
import contextlib
import itertools
import json
import subprocess
import time

from network import Process, until


class Fleet:
    """The workers of one ledger and one archive."""

    def __init__(self, program, network, google, postgres, database, directory, beat):
        self.program, self.network, self.google, self.postgres = program, network, google, postgres
        self.database, self.directory = database, directory
        self.one, self.two = network.workers
        self.processes = []
        self.numbers = itertools.count(1)
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "COLDROLL_DATABASE_URL": postgres.url(database),
            "COLDROLL_HOME": str(directory / "home"),
            "COLDROLL_SOURCE": "library",
            "COLDROLL_ARCHIVE": "gs://archive",
            "COLDROLL_STATE": "gs://state",
            "COLDROLL_PHOTOS_CREDENTIALS": google.photos_credentials,
            "GOOGLE_APPLICATION_CREDENTIALS": google.storage_credentials,
            "SSL_CERT_FILE": google.ca,
        }
        if beat:
            self.environment["COLDROLL_BEAT"] = f"{beat}s"

    def start(self, host, *arguments, **changes):
        """Starts coldroll on a host, with these changes of its environment; None takes a variable away."""
        changed = {name: value for name, value in (self.environment | changes).items() if value is not None}
        words = [f"{name}={value}" for name, value in changed.items()]
        log = self.directory / f"{next(self.numbers)}-{host.name}-{arguments[0]}.log"
        # The environment is coldroll's alone: ip and sh must not run with what it preloads.
        process = Process(host, ["env", "-i", *words, self.program, *arguments], None, log)
        self.processes.append(process)
        return process

    def run(self, host, *arguments, expected=0, seconds=180, **changes):
        return self.start(host, *arguments, **changes).end(expected, seconds)

    def work(self, host, *arguments, **changes):
        """A worker that ends when everything is stored; few slots, so that a fault never meets it idle."""
        return self.start(host, "work", "--drain", "--slots", "4", *arguments, **changes)

    def scanned(self):
        """Sets everything up and lists the library; the work is left to do."""
        self.run(self.one, "setup")
        self.run(self.one, "scan")
        return self

    def end(self):
        for process in self.processes:
            if process.is_running:
                process.child.kill()
                process.child.wait()

    # What the ledger says.

    def rows(self, statement, *values):
        return self.postgres.rows(self.database, statement, *values)

    def value(self, statement, *values):
        return self.postgres.value(self.database, statement, *values)

    def stored(self, host=None):
        """Parts that the ledger calls stored, those of one host's workers only if it is named."""
        if host is None:
            return self.value("SELECT count(*) FROM coldroll.object")
        return self.value(
            "SELECT count(*) FROM coldroll.object AS o JOIN coldroll.worker AS w ON w.id = o.worker_id WHERE w.host = %s",
            host.name,
        )

    def running(self, host):
        return self.value(
            "SELECT count(*) FROM coldroll.job AS j JOIN coldroll.worker AS w ON w.id = j.worker_id"
            " WHERE j.state = 'running' AND w.host = %s",
            host.name,
        )

    def deaths(self, host):
        """Workers of this host that the ledger gave up on."""
        return self.value("SELECT count(*) FROM coldroll.worker WHERE host = %s AND state = 'dead'", host.name)

    def busy(self, *hosts, count=3):
        """Waits until each of these hosts has stored some parts and has others in hand."""
        for host in hosts:
            until(f"work on {host.name}", lambda: self.stored(host) >= count and self.running(host) > 0)

    @contextlib.contextmanager
    def full_speed_within(self, seconds, *hosts):
        """After the block, each of these hosts stores something new within this time: nobody waits out a long pause."""
        yield
        healed = time.monotonic()
        before = {host: self.stored(host) for host in hosts}
        for host in hosts:
            left = seconds - (time.monotonic() - healed)
            done = lambda: self.stored(host) > before[host] or self.is_drained()  # noqa: E731
            until(f"new work on {host.name} after the fault", done, max(left, 0.1))

    def is_drained(self):
        return self.value("SELECT count(*) = 0 FROM coldroll.job")

    def status(self):
        return json.loads(self.run(self.one, "status", "--json"))

    # What must hold at the end.

    def prove_stored(self):
        """The bucket holds every part of the library once, with the right bytes, and the ledger's sums say the same."""
        wanted = self.google.wanted()
        found = collections.Counter()
        for item in self.google.objects():
            part = item["metadata"]["coldroll-item"], item["metadata"]["coldroll-part"]
            found[part] += 1
            assert part in wanted, f"{item['name']} is no part of the library"
            assert (int(item["size"]), item["crc32c"]) == (wanted[part]["size"], wanted[part]["crc32c"]), item["name"]
        twice = {part: count for part, count in found.items() if count > 1}
        assert not twice, f"stored under two names: {twice}"
        missing = wanted.keys() - found.keys()
        assert not missing, f"missing in the bucket: {missing}"
        parts = self.status()["parts"]
        assert parts["found"] == parts["stored"] == len(wanted), parts
        assert parts["unaccounted"] == parts["dead"] == parts["skipped"] == 0, parts
        assert parts["stored_bytes"] == sum(part["size"] for part in wanted.values()), parts
        # The ledger's record of each object is the object: generation, size and checksum.
        known = {name: (generation, size) for name, generation, size in self.rows(
            "SELECT p.object_name, o.generation, o.size FROM coldroll.object AS o JOIN coldroll.part AS p ON p.id = o.part_id"
        )}
        there = {item["name"]: (int(item["generation"]), int(item["size"])) for item in self.google.objects()}
        assert known == there
        return self
