"""What docker-compose.yml says is what works."""

import itertools
import pathlib
import secrets
import shutil
import signal

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
    fleet = fleet(items=120, arguments=("--bucket", "my-photos-archive", "--bucket", "my-photos-state"))
    fleet.google.archive = "my-photos-archive"
    compose = Compose(fleet.program, directory)
    trusting(fleet.google.ca)
    numbers = itertools.count(1)

    def start(service, host=network.workers[0], command=None):
        process = compose.start(host, service, directory / f"{service}-{next(numbers)}.log", command)
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
    compose.secret("photos_credentials", pathlib.Path(fleet.google.photos_credentials).read_text())
    compose.secret("storage_credentials", pathlib.Path(fleet.google.storage_credentials).read_text())

    network.database.call(*compose.check("postgres"))
    start("setup").end()
    producer = start("producer")
    workers = [start("worker", host) for host in network.workers * 4]
    producer.end()
    until("a third of the work", lambda: fleet.stored() >= 40)
    # The workers' account may read its secrets, and nothing else of what it has may be written.
    assert compose.services["worker"]["read_only"] and "status" in compose.check("worker")
    start("worker", command=compose.check("worker")).end()
    assert fleet.value("SELECT count(*) FROM coldroll.worker WHERE state = 'alive'") == 8

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
