"""`coldroll serve` on three hosts, called over the network as Cloud Scheduler calls it."""

import concurrent.futures
import json
import secrets

from network import until

AUDIENCE = "https://archive.example.com/run"
ACCOUNT = "monthly@simulated-project.iam.gserviceaccount.com"
PORT = 8080


class Served:
    """The hosts of a fleet that serve, and who calls them."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.hosts = [*fleet.network.workers, fleet.network.third]
        self.processes = {}

    def start(self):
        self.fleet.run(self.fleet.one, "setup")
        for host in self.hosts:
            self.processes[host] = self.fleet.start(
                *(host, "serve", "--listen", f"0.0.0.0:{PORT}", "--slots", "4"),
                COLDROLL_SERVE_AUDIENCE=AUDIENCE,
                COLDROLL_SERVE_ACCOUNT=ACCOUNT,
            )
        for host in self.hosts:
            until(f"{host.name} to be ready", lambda: self.ask(host, "readyz")[0] == 200)
        return self

    def ask(self, host, path, *words):
        """The status (0: nobody answered) and the body; asked from Google's host."""
        command = ["curl", "--silent", "--write-out", r"\n%{http_code}", "--max-time", "30", *words]
        try:
            text = self.fleet.network.google.call(*command, f"http://{host.address}:{PORT}/{path}")
        except AssertionError:
            return 0, ""
        body, _, status = text.rpartition("\n")
        return int(status), body

    def token(self, fault=None):
        """What Cloud Scheduler sends, or what is wrong with it in one way; as curl's option."""
        wanted = {"audience": AUDIENCE, "account": ACCOUNT} | ({"fault": fault} if fault else {})
        file = self.fleet.directory / f"call-{secrets.token_hex(8)}"
        file.write_text("Authorization: Bearer " + self.fleet.google.control("identity-token", wanted)["token"])
        return ["--header", f"@{file}"]

    def call(self, host, token=()):
        return self.ask(host, "run", "--request", "POST", *token)

    def calls(self, count):
        """So many good calls at once, to all hosts in turn."""
        tokens = [self.token() for _ in range(count)]
        with concurrent.futures.ThreadPoolExecutor(count) as threads:
            hosts = [self.hosts[number % len(self.hosts)] for number in range(count)]
            return list(threads.map(self.call, hosts, tokens))

    def turns(self):
        return self.fleet.rows("SELECT number, host, code, tries FROM coldroll.turn ORDER BY number")

    def ended(self):
        """Waits for the end of the turn."""
        until("the end of the run", lambda: self.fleet.value("SELECT bool_and(ended_at IS NOT NULL) FROM coldroll.turn"), 180)

    def stop(self):
        for process in self.processes.values():
            if process.is_running:
                process.child.terminate()
                process.end(expected=130)


def test_ten_calls_at_once_on_three_hosts_are_one_run(fleet):
    served = Served(fleet(items=60)).start()
    for host in served.hosts:
        assert served.call(host)[0] == 401
        assert served.call(host, served.token("expired"))[0] == 401
        assert served.call(host, served.token("other_account"))[0] == 403
    assert served.turns() == []
    answers = served.calls(10)
    assert {status for status, _ in answers} == {202}, answers
    told = [json.loads(body) for _, body in answers]
    assert {answer["run"] for answer in told} == {1}, told
    assert [answer["joined"] for answer in told].count(False) == 1, told
    served.ended()
    ((_, _, code, tries),) = served.turns()
    assert (code, tries) == (0, 1)
    assert served.fleet.value("SELECT count(*) FROM coldroll.run") == 1
    assert served.fleet.value("SELECT count(*) FROM coldroll.scan") == 1
    served.fleet.prove_stored()
    served.stop()


def test_a_host_that_dies_in_the_run_leaves_it_to_another_and_calls_meanwhile_are_that_run(fleet):
    served = Served(fleet(items=120)).start()
    fleet = served.fleet
    status, body = served.call(fleet.one, served.token())
    assert (status, json.loads(body)) == (202, {"run": 1, "joined": False})
    until("a tenth of the work", lambda: fleet.stored() >= 12)
    ((_, first, _, _),) = served.turns()
    (holder,) = [host for host in served.hosts if host.name == first]
    served.processes[holder].kill()
    stored = fleet.stored()
    assert stored <= 108, f"{stored} of 120 were stored when the host died"
    left = [host for host in served.hosts if host is not holder]
    for host in left:
        status, body = served.call(host, served.token())
        assert (status, json.loads(body)) == (202, {"run": 1, "joined": True})
    served.ended()
    ((_, second, code, tries),) = served.turns()
    assert (code, tries) == (0, 2) and second != first
    assert fleet.deaths(holder) == 1
    fleet.prove_stored()
    served.stop()
