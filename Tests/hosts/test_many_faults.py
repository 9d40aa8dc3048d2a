"""Everything at once: kills, lost connections, lost packets, cut bodies, refusals and web pages in place of photos."""

import contextlib

from network import until


def test_a_fleet_under_every_fault_at_once_loses_nothing_and_stores_nothing_twice(fleet):
    fleet = fleet(items=150, sizes="100KB-10MB", videos=20, rate="300mbit").scanned()
    fleet.google.faults(
        {"on": "download,redirectTarget", "do": "cut", "at": 0.5, "rate": 0.03},
        {"on": "uploadMultipart,uploadStart,uploadData", "do": "status", "status": 503, "rate": 0.05},
        {"on": "download,redirectTarget", "do": "html", "rate": 0.02},
    )
    terminated = 0
    with fleet.one.lossy(1) as lost_by_one, fleet.two.lossy(1) as lost_by_two:
        workers = [fleet.work(host) for host in (fleet.one, fleet.two, fleet.one)]
        for victim, replaced_on in zip(list(workers), (fleet.two, fleet.one, fleet.two), strict=True):
            before = fleet.stored()
            until("progress", lambda: fleet.stored() >= before + 8 or fleet.is_drained())
            until("large uploads under way", lambda: fleet.google.control("counters")["open_sessions"] >= 2, 30)
            victim.kill()
            # What the victim had begun stays as it was: nobody can go on with a session of another process.
            assert fleet.google.control("counters")["open_sessions"] >= 1
            terminated += fleet.value(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            workers.remove(victim)
            workers.append(fleet.work(replaced_on))
        for worker in workers:
            worker.end(seconds=300)
    assert all(struck > 0 for struck in fleet.google.struck()), fleet.google.struck()
    assert lost_by_one.packets > 0 and lost_by_two.packets > 0 and terminated >= 3
    assert fleet.deaths(fleet.one) + fleet.deaths(fleet.two) >= 3
    fleet.prove_stored()
