"""Faults of the database: it restarts, is away, is full, loses its connections, and is replaced by a copy that lags."""

import contextlib
import time

import psycopg
import pytest

from conftest import DIRECTORY
from network import until
from postgres import Postgres


def working(fleet):
    """Both hosts in the middle of their work."""
    workers = [fleet.work(fleet.one), fleet.work(fleet.two)]
    fleet.busy(fleet.one, fleet.two)
    return workers


def finished(fleet, workers):
    """Both end well, nothing was counted against a part, and nobody was taken for dead who was only cut off."""
    for worker in workers:
        worker.end()
    fleet.prove_stored()
    assert fleet.value("SELECT count(*) FROM coldroll.job_error") == 0
    assert fleet.deaths(fleet.one) == fleet.deaths(fleet.two) == 0


def test_a_restart_of_the_database_stops_nobody(fleet, postgres):
    fleet = fleet(items=120).scanned()
    workers = working(fleet)
    with fleet.full_speed_within(45, fleet.one, fleet.two):
        with postgres.away():
            time.sleep(1)
    finished(fleet, workers)
    assert all("waiting for the database" in worker.log or "heartbeat failed" in worker.log for worker in workers)


def test_a_database_that_is_away_longer_than_every_lease_kills_no_worker(fleet, postgres):
    fleet = fleet(items=120).scanned()
    workers = working(fleet)
    with fleet.full_speed_within(45, fleet.one, fleet.two):
        with postgres.away():
            # A death takes 6 s here, connecting at most 10 s.
            time.sleep(20)
    finished(fleet, workers)
    assert all("giving up what is in hand" in worker.log for worker in workers), "no worker let go of its jobs"


def test_a_database_without_a_free_connection_is_waited_for(fleet, postgres):
    fleet = fleet(items=120).scanned()
    workers = working(fleet)
    with fleet.full_speed_within(45, fleet.one, fleet.two):
        with contextlib.ExitStack() as others:
            mine = others.enter_context(postgres.connect())
            refused = 0
            # Whatever the fleet gives up is taken by others, until there is nothing left.
            while refused < 20:
                mine.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [fleet.database])
                with contextlib.suppress(psycopg.OperationalError):
                    for _ in range(postgres.connections + 1):
                        others.enter_context(postgres.connect())
                refused += 1
                time.sleep(0.5)
            left = mine.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state IS NOT NULL", [fleet.database]
            ).fetchone()[0]
            assert left == 0, "the fleet still had connections"
    assert all("53300" in worker.log or "too many clients" in worker.log for worker in workers)
    finished(fleet, workers)


def test_backends_that_are_terminated_cost_nothing(fleet, postgres):
    fleet = fleet(items=120).scanned()
    workers = working(fleet)
    ended = 0
    with fleet.full_speed_within(45, fleet.one, fleet.two):
        for _ in range(20):
            ended += fleet.value(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            time.sleep(0.2)
    assert ended >= 20
    finished(fleet, workers)


@pytest.fixture
def pair(network):
    """A primary and a standby that follows it, each commit some time after it was made."""
    servers = [Postgres(network.database, DIRECTORY / name, port) for name, port in (("primary", 5441), ("standby", 5442))]
    primary, standby = servers
    primary.create()
    primary.start()
    standby.copy_of(primary)
    standby.start()
    yield primary, standby
    for server in servers:
        if server.is_running:
            server.stop()


def test_what_a_failover_to_a_lagging_standby_forgot_is_stored_once_all_the_same(fleet, pair):
    primary, standby = pair
    fleet = fleet(items=120, server=primary)
    address = fleet.network.database.address
    fleet.environment["COLDROLL_DATABASE_URL"] = (
        f"postgresql://postgres@{address}:{primary.port},{address}:{standby.port}/{fleet.database}"
        "?target_session_attrs=read-write&connect_timeout=2"
    )
    fleet.scanned()
    workers = working(fleet)
    count = "SELECT count(*) FROM coldroll.object"
    until("the standby follows", lambda: standby.value(fleet.database, count) > 0)
    # From now on it learns nothing: what is committed is lost with the primary.
    standby.rows("postgres", "ALTER SYSTEM SET primary_conninfo = ''")
    standby.rows("postgres", "SELECT pg_reload_conf()")
    until("the end of the stream", lambda: not standby.rows("postgres", "SELECT 1 FROM pg_stat_wal_receiver"))
    known = standby.value(fleet.database, count)
    until("commits that only the primary has", lambda: fleet.stored() > known + 10)
    primary.stop()
    standby.promote()
    fleet.postgres = standby
    for worker in workers:
        worker.end()
    fleet.prove_stored()
    # What the ledger had forgotten was found in the bucket, and known for what it is.
    assert fleet.value("SELECT count(*) FROM coldroll.object WHERE adopted") > 5
