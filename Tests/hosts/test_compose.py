"""What docker-compose.yml says is what works."""

import base64
import itertools
import pathlib
import re
import secrets
import shutil
import signal
import subprocess

import pytest

from compose import Compose
from network import until


@pytest.fixture
def trusting(network):
    """Lets the hosts trust an authority as an image's own list of authorities does, for this test only."""
    places = []

    def trust(authority):
        for host in network.workers:
            place = host.etc / "ssl"
            (place / "certs").mkdir(parents=True)
            shutil.copy(authority, place / "certs/ca-certificates.crt")
            shutil.copy("/etc/ssl/openssl.cnf", place)
            places.append(place)

    yield trust
    for place in places:
        shutil.rmtree(place)


def test_eight_workers_of_the_compose_file_archive_a_library_and_stop_in_time(fleet, postgres, network, directory, trusting):
    fleet = fleet(items=160, arguments=("--bucket", "my-photos-archive", "--bucket", "my-photos-state"))
    fleet.google.archive = "my-photos-archive"
    compose = Compose(fleet.program, directory)
    trusting(fleet.google.ca)
    # Together they must not have all of it in hand at the stop: as the .env file would say it.
    compose.services["worker"]["environment"]["COLDROLL_SLOTS"] = "4"
    numbers = itertools.count(1)

    def start(service, host=network.workers[0], command=None, **more):
        process = compose.start(host, service, directory / f"{service}-{next(numbers)}.log", command, **more)
        fleet.processes.append(process)
        return process

    # The database as its image makes it of these variables, and the secrets as the example says to make them.
    environment = compose.services["postgres"]["environment"]
    password = secrets.token_hex(24)
    postgres.rows("postgres", f"CREATE ROLE {environment['POSTGRES_USER']} SUPERUSER LOGIN PASSWORD '{password}'")
    postgres.rows("postgres", f"CREATE DATABASE {environment['POSTGRES_DB']} OWNER {environment['POSTGRES_USER']}")
    fleet.database = environment["POSTGRES_DB"]
    fleet.environment |= {"COLDROLL_DATABASE_URL": postgres.url(fleet.database), "COLDROLL_BEAT": None}
    fleet.environment |= {"COLDROLL_ARCHIVE": "gs://my-photos-archive", "COLDROLL_STATE": "gs://my-photos-state"}
    compose.secret("pgpass", f"postgres:5432:*:coldroll:{password}\n")
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    compose.secret("coldroll_key", f"coldroll-key-1 {key}\n")
    compose.secret("storage_credentials", pathlib.Path(fleet.google.storage_credentials).read_text())

    network.database.call(*compose.check("postgres"))
    assert "Almost ready: run 'coldroll login --client FILE'" in start("setup").end()
    # As docs/deploy/compose.md says, but that the client's file lies where a container of ours can have it.
    client = directory / "client.json"
    shutil.copy(fleet.google.client, client)
    client.chmod(0o644)
    login = start(
        "producer",
        command=[*compose.entry, "login", "--no-browser", "--client", "/run/client.json"],
        volumes=[(client, "/run/client.json")],
        stdin=subprocess.PIPE,
    )
    shown = re.compile(r"^https://accounts\.google\.com/\S+$", re.MULTILINE)
    until("the link of the login", lambda: shown.search(login.log))
    login.child.stdin.write(fleet.google.consent(shown.search(login.log)[0]).encode() + b"\n")
    login.child.stdin.flush()
    assert "Logged in as " in login.end()
    producer = start("producer")
    workers = [start("worker", host) for host in network.workers * 4]
    producer.end()
    until("a quarter of the work", lambda: fleet.stored() >= 40)
    # The workers' account may read its secrets, and nothing else of what it has may be written.
    assert compose.services["worker"]["read_only"] and "status" in compose.check("worker")
    start("worker", command=compose.check("worker")).end()
    alive = "SELECT count(*) FROM coldroll.worker WHERE state = 'alive'"
    until("eight workers", lambda: fleet.value(alive) == 8)

    for worker in workers:
        worker.signal(signal.SIGTERM)
    for worker in workers:
        worker.end(expected=130, seconds=compose.grace("worker"))
    assert fleet.value("SELECT count(*) FROM coldroll.job WHERE state = 'running'") == 0
    assert not fleet.is_drained(), "the work was over before the fleet was stopped"

    workers = [start("worker", host) for host in network.workers * 4]
    until("the rest of the work", fleet.is_drained)
    with postgres.away():
        check = start("worker", command=compose.check("worker"))
        assert check.child.wait(60) != 0, "the health check passed without a database"
    for worker in workers:
        worker.signal(signal.SIGTERM)
    for worker in workers:
        worker.end(expected=130, seconds=compose.grace("worker"))
    assert fleet.value("SELECT count(*) FROM coldroll.job_error") == 0
    fleet.prove_stored()
