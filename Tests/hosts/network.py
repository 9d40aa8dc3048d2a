"""Hosts that are network namespaces, joined by a bridge: tests see real packets, and real packets that are lost."""

import contextlib
import itertools
import json
import pathlib
import signal
import subprocess
import time

# What stands in each host's /etc/hosts. The simulator is Google: sign-in, token endpoint, Library API, base URLs, where
# videos are redirected, and at an address of its own Cloud Storage, so that the way to the bucket alone can be cut.
HOSTS = """127.0.0.1 localhost
10.77.0.10 database.coldroll.test postgres
10.77.0.20 accounts.google.com oauth2.googleapis.com www.googleapis.com
10.77.0.20 photoslibrary.googleapis.com photospicker.googleapis.com photos.google.com
10.77.0.20 lh3.googleusercontent.com video-downloads.googleusercontent.com
10.77.0.21 storage.googleapis.com
"""


def call(*command, **options):
    """Runs a command that must succeed; returns what it printed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}"
    return done.stdout


def until(what, condition, seconds=90):
    """Waits until `condition` gives something true, and returns it; a machine may be slow, so limits are wide."""
    end = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        time.sleep(0.1)


class Process:
    """A program on a host; what it prints stands in a file."""

    def __init__(self, host, arguments, environment, log, stdin=subprocess.DEVNULL):
        self.host, self.path = host, log
        self.words = " ".join(map(str, arguments[-3:]))
        with open(log, "wb") as output:
            self.child = subprocess.Popen(
                host.command(*arguments), env=environment, stdin=stdin, stdout=output, stderr=output
            )

    @property
    def log(self):
        return self.path.read_text(errors="replace")

    @property
    def is_running(self):
        return self.child.poll() is None

    def signal(self, number):
        assert self.is_running, f"{self.words} on {self.host.name} has ended already:\n{self.log}"
        self.child.send_signal(number)

    def kill(self):
        """As a host that loses its power: no last word."""
        self.signal(signal.SIGKILL)
        self.child.wait()

    def end(self, expected=0, seconds=180):
        """Waits for its end, which must have this exit code."""
        try:
            status = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.words} on {self.host.name} did not end within {seconds} s") from None
        assert status == expected, f"{self.words} on {self.host.name} ended with {status}, not {expected}:\n{self.log}"
        return self.log


class Cut:
    """A fault of the network by rules of nftables, which count what they struck."""

    def __init__(self, host, table):
        self.host, self.table, self.last = host, table, None

    @property
    def packets(self):
        if self.last is not None:
            return self.last
        rules = json.loads(call(*self.host.enter, "nft", "-j", "list", "table", "inet", self.table))["nftables"]
        parts = [part for rule in rules if "rule" in rule for part in rule["rule"]["expr"]]
        return sum(part["counter"]["packets"] for part in parts if "counter" in part)

    def heal(self):
        self.last = self.packets
        call(*self.host.enter, "nft", "delete", "table", "inet", self.table)


class Host:
    """One machine: an address, a name, an /etc/hosts and a resolver of its own."""

    tables = itertools.count(1)

    def __init__(self, name, *addresses):
        self.name, self.addresses, self.address = name, addresses, addresses[0]
        self.etc = pathlib.Path("/etc/netns") / name
        self.enter = ["ip", "netns", "exec", name]

    def command(self, *arguments):
        """The command line that runs these words on the host, under its name; signals reach the program itself."""
        return [*self.enter, "unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.name, *map(str, arguments)]

    def call(self, *arguments, **options):
        return call(*self.command(*arguments), **options)

    def limit(self, rate):
        """Lets what the host sends go no faster, as `100mbit`; None lifts the limit."""
        subprocess.run([*self.enter, "tc", "qdisc", "del", "dev", "eth0", "root"], capture_output=True)
        if rate:
            call(*self.enter, *f"tc qdisc add dev eth0 root tbf rate {rate} burst 64kb latency 100ms".split())

    @contextlib.contextmanager
    def _table(self, out, into):
        table = f"fault{next(self.tables)}"
        rules = f"table inet {table} {{\n"
        for hook, rule in (("output", out), ("input", into)):
            if rule:
                rules += f"chain {hook} {{ type filter hook {hook} priority 0; {rule}; }}\n"
        call(*self.enter, "nft", "-f", "-", input=rules + "}\n")
        cut = Cut(self, table)
        try:
            yield cut
        finally:
            cut.heal()

    def cut(self, *addresses):
        """Within the block no packet passes to or from these addresses, and nobody is told."""
        others = "{ " + ", ".join(addresses) + " }"
        return self._table(f"ip daddr {others} counter drop", f"ip saddr {others} counter drop")

    def reset(self, *addresses):
        """Within the block every connection to these addresses is broken at its next packet."""
        return self._table(f"ip daddr {{ {', '.join(addresses)} }} meta l4proto tcp counter reject with tcp reset", None)

    def lossy(self, percent):
        """Within the block so many of a hundred packets that come in are lost."""
        return self._table(None, f"numgen random mod 100 < {percent} counter drop")

    @contextlib.contextmanager
    def without_names(self):
        """Within the block the host finds no address for any name; counts the questions that its resolver sent."""
        hosts = self.etc / "hosts"
        known = hosts.read_text()
        # In place: programs that run have the file itself, not its name.
        hosts.write_text("127.0.0.1 localhost\n")
        try:
            with self._table("udp dport 53 counter drop", None) as cut:
                yield cut
        finally:
            hosts.write_text(known)


class Network:
    """Five hosts on a bridge, and the tests themselves at its first address."""

    def __init__(self):
        call("ip", "link", "add", "switch", "type", "bridge")
        call("ip", "addr", "add", "10.77.0.1/24", "dev", "switch")
        call("ip", "link", "set", "switch", "up")
        self.database = self._host("database", "10.77.0.10")
        self.google = self._host("google", "10.77.0.20", "10.77.0.21")
        self.workers = [self._host("worker-1", "10.77.0.31"), self._host("worker-2", "10.77.0.32")]
        self.third = self._host("worker-3", "10.77.0.33")

    def _host(self, name, *addresses):
        host = Host(name, *addresses)
        host.etc.mkdir()
        (host.etc / "hosts").write_text(HOSTS)
        # Nobody answers there: what the hosts file does not know has no address.
        (host.etc / "resolv.conf").write_text("nameserver 10.77.0.53\noptions timeout:1 attempts:1\n")
        call("ip", "netns", "add", name)
        call("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        call("ip", "link", "set", name, "master", "switch", "up")
        for address in addresses:
            call("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            call("ip", "-n", name, "link", "set", device, "up")
        return host
