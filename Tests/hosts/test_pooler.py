"""PostgreSQL behind pgbouncer, and behind TLS that is checked."""

import contextlib
import json
import subprocess

import psycopg
import pytest

from network import call, until

TLS = "database.coldroll.test"


@pytest.fixture
def pooler(network, postgres, directory):
    """A pgbouncer in transaction mode on the database's host: few connections to the server, for however many clients."""
    place = directory / "pgbouncer"
    place.mkdir()
    call("chown", "postgres", place)
    (place / "pgbouncer.ini").write_text(
        f"""
        [databases]
        * = host={postgres.directory} port={postgres.port} user=postgres pool_size=4
        [pgbouncer]
        pool_mode = transaction
        auth_type = any
        admin_users = admin
        listen_addr = {network.database.address}
        listen_port = 6432
        unix_socket_dir =
        """.replace("        ", "")
    )
    log = directory / "pgbouncer.log"
    with open(log, "wb") as output:
        # It refuses to run as root.
        command = network.database.command("pgbouncer", "-u", "postgres", place / "pgbouncer.ini")
        process = subprocess.Popen(command, stdout=output, stderr=output)
    url = f"postgresql://someone@{network.database.address}:6432/"

    def answers():
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(url + "postgres").close()
            return True

    until("the start of pgbouncer", answers)
    yield url
    assert process.poll() is None, log.read_text()
    process.kill()
    process.wait()


def clients(fleet):
    """Addresses that the server itself talks to for this ledger, with the last statement of each."""
    return fleet.rows(
        "SELECT host(client_addr), query FROM pg_stat_activity"
        " WHERE datname = current_database() AND client_addr IS NOT NULL AND application_name <> 'test'"
    )


def test_everything_works_through_pgbouncer_and_the_doorbell_has_a_way_of_its_own(fleet, pooler, postgres):
    fleet = fleet(items=120)
    direct = fleet.environment["COLDROLL_DATABASE_URL"]
    fleet.environment["COLDROLL_DATABASE_URL"] = pooler + fleet.database
    fleet.scanned()
    rings = fleet.work(fleet.one, COLDROLL_LISTEN_URL=direct)
    polls = fleet.work(fleet.two)
    fleet.busy(fleet.one, fleet.two)
    assert [address for address, _ in clients(fleet)] == [fleet.one.address], "one direct connection, for the doorbell"
    assert "LISTEN" in clients(fleet)[0][1]
    rings.end()
    polls.end()
    fleet.run(fleet.two, "run")
    fleet.prove_stored()
    with psycopg.connect(pooler.replace("someone", "admin") + "pgbouncer", autocommit=True) as console:
        # Its console speaks the simple protocol only.
        rows = psycopg.ClientCursor(console).execute("SHOW STATS").fetchall()
    transactions = {row[0]: row[1] for row in rows}
    assert transactions[fleet.database] > 100


def test_a_worker_waits_for_new_work_behind_pgbouncer(fleet, pooler):
    fleet = fleet(items=20)
    fleet.environment["COLDROLL_DATABASE_URL"] = pooler + fleet.database
    fleet.run(fleet.one, "setup")
    worker = fleet.start(fleet.two, "work", "--slots", "4")
    until("the worker's first beat", lambda: fleet.value("SELECT count(*) FROM coldroll.worker WHERE state = 'alive'"))
    fleet.run(fleet.one, "scan")
    until("all that the scan found", lambda: fleet.stored() == 20)
    worker.signal(15)
    worker.end(expected=130)
    fleet.prove_stored()


def test_the_database_is_reached_over_tls_that_is_checked_to_the_last(fleet, certificates):
    fleet = fleet(items=40)
    checked = f"postgresql://postgres@{TLS}/{fleet.database}?sslmode=verify-full&sslrootcert={certificates.authority}"
    fleet.environment["COLDROLL_DATABASE_URL"] = checked
    fleet.scanned()
    worker = fleet.work(fleet.two)
    fleet.busy(fleet.two)
    versions = fleet.rows(
        "SELECT s.version FROM pg_stat_ssl AS s JOIN pg_stat_activity AS a USING (pid) WHERE a.client_addr = %s",
        fleet.two.address,
    )
    assert versions and all(version == "TLSv1.3" for (version,) in versions), versions
    worker.end()
    fleet.prove_stored()

    for url, words in (
        (checked.replace(certificates.authority.name, certificates.foreign.name), "certificate verify failed"),
        (checked.replace(TLS, "postgres"), f'server certificate for "{TLS}" does not match host name "postgres"'),
    ):
        refused = fleet.run(fleet.one, "work", "--drain", expected=4, COLDROLL_DATABASE_URL=url)
        said = json.loads(refused.splitlines()[-1])["message"]
        assert words in said and "check the host, sslrootcert and sslmode" in said, said
    ended = fleet.rows("SELECT 1 FROM coldroll.worker WHERE host = 'worker-1'")
    assert ended == [], "a worker registered over a connection that was not to be trusted"
