"""Faults of hosts and of the network between them: every part ends stored, once, and the sums add up."""

import pathlib
import signal
import time

import pytest

from network import call, until

# The bucket makes the object at once and answers late: whatever stops a worker finds it with objects that it has not
# told the ledger of.
LATE_ANSWER = {"on": "uploadMultipart", "do": "latency", "ms": 1500}


def untold(fleet):
    """Objects in the bucket that the ledger does not know yet."""
    return len(fleet.google.objects()) - fleet.stored()


def test_two_hosts_share_the_work(fleet):
    fleet = fleet(arguments=("--latency-photos", 20, "--latency-storage", 20)).scanned()
    both = [fleet.work(fleet.one), fleet.work(fleet.two)]
    fleet.busy(fleet.one, fleet.two)
    assert {worker["host"] for worker in fleet.status()["workers"]} == {"worker-1", "worker-2"}
    for worker in both:
        worker.end()
    fleet.prove_stored()
    assert min(fleet.stored(fleet.one), fleet.stored(fleet.two)) >= 10


def test_what_a_killed_worker_had_in_hand_is_taken_over(fleet):
    size = 9_000_000
    fleet = fleet(items=16, sizes="9MB-9.5MB", videos=50, rate="400mbit").scanned()
    # The first bodies stop half-way, so that the worker is in the middle of as many uploads as it has slots.
    fleet.google.faults({"on": "download,redirectTarget", "do": "stall", "at": 0.5, "times": 4})
    victim = fleet.work(fleet.one)
    until("the middle of four uploads", lambda: fleet.google.uploaded() > 4 * 0.4 * size)
    sent = fleet.google.uploaded()
    victim.kill()
    assert fleet.google.struck() == [4] and fleet.google.control("counters")["open_sessions"] == 4
    assert 0.1 < sent / (4 * size) < 0.9 and fleet.google.objects() == []
    assert fleet.running(fleet.one) >= 4

    fleet.work(fleet.two).end()
    fleet.prove_stored()
    assert fleet.deaths(fleet.one) == 1 and fleet.stored(fleet.two) == 16


def test_a_worker_cut_off_from_the_database_is_replaced_and_its_late_word_refused(fleet):
    fleet = fleet().scanned()
    fleet.google.faults(LATE_ANSWER)
    zombie, other = fleet.work(fleet.one), fleet.work(fleet.two)
    fleet.busy(fleet.one, fleet.two)
    until("four uploads under way", lambda: untold(fleet) >= 4)
    # Who takes a job over looks at its object first, and here for so long that the zombie's late word comes meanwhile.
    fleet.google.faults(LATE_ANSWER, {"on": "objectGet", "do": "latency", "ms": 12_000})
    with fleet.one.cut(fleet.network.database.address) as cut:
        until("the death of the silent worker", lambda: fleet.deaths(fleet.one) == 1)
        # The network to Google was whole: objects were made that nobody could tell the ledger of.
        assert untold(fleet) > 0
        # All of it: the word about a job that nobody has claimed since is taken, and rightly.
        taken = "SELECT count(*) FROM coldroll.job WHERE state = 'running' AND crashes > 0"
        free = "SELECT count(*) FROM coldroll.job WHERE state <> 'running' AND crashes > 0"
        until("what it had is in the other's hands", lambda: fleet.value(taken) > 0 and fleet.value(free) == 0)
    assert cut.packets > 0
    until("the zombie begins a new life", lambda: zombie_lives(fleet) == 2)
    until("looks that were slow", lambda: fleet.google.struck()[1] > 0)
    fleet.google.faults()
    zombie.end()
    other.end()
    fleet.prove_stored()
    late = fleet.value(
        "SELECT count(*) FROM coldroll.object AS o JOIN coldroll.worker AS w ON w.id = o.worker_id"
        " WHERE w.state = 'dead' AND o.stored_at > w.ended_at"
    )
    assert late == 0, "the word of a worker that had lost its leases was taken"
    assert fleet.value("SELECT count(*) FROM coldroll.object WHERE adopted") > 0


def zombie_lives(fleet):
    return fleet.value("SELECT count(*) FROM coldroll.worker WHERE host = 'worker-1'")


def test_a_worker_cut_off_from_the_bucket_holds_nobody_up(fleet):
    fleet = fleet(items=120).scanned()
    cut_off, other = fleet.work(fleet.one), fleet.work(fleet.two)
    fleet.busy(fleet.one, fleet.two)
    with fleet.full_speed_within(45, fleet.one):
        with fleet.one.cut("10.77.0.21") as cut:
            time.sleep(2)
            before = fleet.stored(fleet.two)
            until("the other one goes on", lambda: fleet.stored(fleet.two) > before + 10)
            time.sleep(10)
        assert cut.packets > 0
    cut_off.end()
    other.end()
    fleet.prove_stored()
    assert fleet.value("SELECT max(attempt) FROM coldroll.job_error") is None, "an outage cost attempts"


def test_a_worker_that_finds_no_names_goes_on_when_they_are_back(fleet):
    fleet = fleet(items=200)
    fleet.run(fleet.one, "setup")
    # It has not met Google Photos yet when the names go: open connections need none, and libcurl remembers an address.
    lost = fleet.start(fleet.one, "work", "--slots", "4")
    until("its first beat", lambda: fleet.value("SELECT count(*) FROM coldroll.worker WHERE host = 'worker-1'"))
    with fleet.full_speed_within(45, fleet.one):
        with fleet.one.without_names() as questions:
            fleet.run(fleet.two, "scan")
            other = fleet.work(fleet.two)
            fleet.busy(fleet.two)
            until("questions for an address", lambda: questions.packets > 0)
            time.sleep(5)
            assert fleet.stored(fleet.one) == 0
    other.end()
    assert lost.is_running and fleet.stored(fleet.one) > 0
    lost.signal(signal.SIGTERM)
    lost.end(expected=130)
    fleet.prove_stored()


def test_a_worker_stopped_for_a_minute_wakes_as_a_zombie_at_the_default_intervals(fleet):
    fleet = fleet(items=60, beat=None).scanned()
    fleet.google.faults(LATE_ANSWER)
    zombie, other = fleet.work(fleet.one), fleet.work(fleet.two)
    fleet.busy(fleet.one, fleet.two)
    until("four uploads under way", lambda: untold(fleet) >= 4)
    zombie.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    until("its death", lambda: fleet.deaths(fleet.one) == 1)
    assert 20 < time.monotonic() - stopped < 60, "by default 30 s of silence are a death"
    until("what it had is with the other", lambda: fleet.running(fleet.one) == 0)
    time.sleep(max(0, 60 - (time.monotonic() - stopped)))
    zombie.signal(signal.SIGCONT)
    zombie.end()
    other.end()
    assert zombie_lives(fleet) == 2, "it did not notice that it had been given up"
    fleet.prove_stored()
    assert fleet.value("SELECT count(*) FROM coldroll.object WHERE adopted") > 0


@pytest.fixture(scope="session")
def shifted_clock(tmp_path_factory):
    """A library that shifts the wall clock of the program that preloads it."""
    library = tmp_path_factory.mktemp("clock") / "shifted_clock.so"
    call("cc", "-O1", "-shared", "-fPIC", "-o", library, pathlib.Path(__file__).with_name("shifted_clock.c"), "-ldl")
    return library


def test_hosts_whose_clocks_are_a_day_off_archive_everything(fleet, shifted_clock, certificates_of_last_week):
    fleet = fleet().scanned()
    day = 86_400
    early = fleet.work(fleet.one, LD_PRELOAD=shifted_clock, SHIFTED_CLOCK=-day)
    late = fleet.work(fleet.two, LD_PRELOAD=shifted_clock, SHIFTED_CLOCK=day)
    fleet.busy(fleet.one, fleet.two)
    early.end()
    late.end()
    fleet.prove_stored()
    # The helper was at work: Google refuses what is signed by such clocks, and the workers asked once more each.
    assert fleet.google.control("counters")["statuses"].get("400", 0) >= 2
    # No client's clock enters the ledger.
    off = fleet.value("SELECT max(abs(extract(epoch FROM now() - stored_at))) FROM coldroll.object")
    assert off < 3600


@pytest.fixture
def certificates_of_last_week(directory, shifted_clock, monkeypatch):
    """Lets the simulator make its certificates a week ago, as Google's are, so that a clock a day late takes them."""
    programs = directory / "programs"
    programs.mkdir()
    openssl = programs / "openssl"
    openssl.write_text(f'#!/bin/sh\nLD_PRELOAD={shifted_clock} SHIFTED_CLOCK=-604800 exec /usr/bin/openssl "$@"\n')
    openssl.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
