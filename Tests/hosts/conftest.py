import itertools
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import leaks
from fleet import Fleet
from google import Google
from network import Network, call
from postgres import Postgres

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIRECTORY = pathlib.Path(os.environ["HOSTS_DIRECTORY"])


def programs():
    """The directory of the newest build, or the one that HOSTS_PROGRAMS names."""
    if named := os.environ.get("HOSTS_PROGRAMS"):
        return (ROOT / named).resolve()
    built = [ROOT / ".build" / kind for kind in ("release", "debug")]
    found = [path for path in built if (path / "coldroll").exists() and (path / "photos-simulator").exists()]
    assert found, "coldroll is not built: run scripts/build"
    return max(found, key=lambda path: (path / "coldroll").stat().st_mtime)


@pytest.fixture(scope="session")
def network():
    return Network()


@dataclass
class Certificates:
    """Files for TLS to the database: who signed the server's certificate, and who did not."""

    authority: pathlib.Path
    foreign: pathlib.Path
    certificate: pathlib.Path
    key: pathlib.Path


@pytest.fixture(scope="session")
def certificates():
    """The database's certificate says database.coldroll.test."""
    place = DIRECTORY / "certificates"
    place.mkdir(mode=0o755)
    made = Certificates(*(place / name for name in ("authority.pem", "foreign.pem", "database.pem", "database.key")))
    new = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7".split()
    for authority in (made.authority, made.foreign):
        call(*new, "-subj", f"/CN={authority.stem}", "-keyout", authority.with_suffix(".key"), "-out", authority)
    signer = ["-CA", made.authority, "-CAkey", made.authority.with_suffix(".key")]
    name = "database.coldroll.test"
    extensions = ["-addext", f"subjectAltName=DNS:{name}", "-addext", "basicConstraints=critical,CA:FALSE"]
    call(*new, "-subj", f"/CN={name}", *extensions, *signer, "-keyout", made.key, "-out", made.certificate)
    call("chown", "postgres", made.key)
    return made


@pytest.fixture(scope="session")
def postgres(network, certificates):
    """The server of all ledgers; each test has a database of its own."""
    server = Postgres(network.database, DIRECTORY / "pg")
    server.settings |= {"ssl": "on", "ssl_cert_file": certificates.certificate, "ssl_key_file": certificates.key}
    server.create()
    server.start()
    yield server
    server.stop()
    leaks.refuse(*(path for path in server.directory.iterdir() if path.is_file() and "log" in path.name))


@pytest.fixture
def directory(request, numbers=itertools.count(1)):
    path = DIRECTORY / f"test-{next(numbers)}"
    path.mkdir(mode=0o755)
    yield path
    # Everything that ran has ended, and whatever the test was about: no log of a program or of a server has a secret in it.
    # A test that failed before it started anything has none.
    if logs := [*path.rglob("*.log")]:
        leaks.refuse(*logs)


@pytest.fixture
def google(network, directory):
    """Starts the simulated Google of a test with these arguments."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            network.google.command(
                *(programs() / "photos-simulator", "--listen", "0.0.0.0", "--port", "443"),
                *("--tls", "--google-names", "--no-md5", "--state", directory / "google"),
                *("--bucket", "archive", "--bucket", "state", *arguments),
            ),
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return Google(process, network.google)

    yield start
    for process in started:
        assert process.poll() is None, f"the simulator ended with status {process.returncode} before the test did"
        process.kill()
        process.wait()


@pytest.fixture
def fleet(request, network, google, postgres, directory):
    """Makes a library of made-up items, an empty ledger, and the fleet that archives the one into the other."""
    made = []

    def make(items=80, sizes="300KB-600KB", videos=10, rate="24mbit", beat=1, arguments=(), server=postgres):
        database = "ledger_" + directory.name.replace("-", "_")
        server.rows("postgres", f"CREATE DATABASE {database}")
        # What the library gives is what limits the work: so a fault comes while it goes on.
        network.google.limit(rate)
        started = google("--synthesize", items, "--sizes", sizes, "--video-percent", videos, *arguments)
        made.append(Fleet(programs() / "coldroll", network, started, server, database, directory, beat))
        return made[-1]

    yield make
    network.google.limit(None)
    for one in made:
        one.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows what each program said last."""
    report = yield
    path = item.funcargs.get("directory")
    if report.failed and path:
        for log in sorted(path.glob("*.log"), key=lambda log: log.stat().st_mtime):
            report.sections.append((log.name, log.read_text(errors="replace")[-4000:]))
    return report
