import contextlib
import json
import os
import pathlib
import subprocess
import time
import uuid
from dataclasses import dataclass

import google.auth.crypt
import google.auth.jwt
import pytest

from signin import App
from wire import Bucket, Caller

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclass
class Simulator:
    """A running photos-simulator and what it said when it began to listen."""

    url: str
    ca: str | None
    photos_credentials: str
    picker_credentials: str
    storage_credentials: str
    storage_user_credentials: str
    client: str
    web_client: str
    other_client: str
    accounts: list

    def caller(self, token=None):
        return Caller(self.url, self.ca, token)

    def user(self, file=None):
        """A login, of the library's owner unless told otherwise: a file of type authorized_user."""
        login = json.loads(pathlib.Path(file or self.photos_credentials).read_text())
        return {key: login[key] for key in ("client_id", "client_secret", "refresh_token")}

    def refresh(self, **changed):
        """Asks for an access token with the owner's refresh token."""
        return self.caller().post_form("/token", self.user() | {"grant_type": "refresh_token"} | changed)

    def assertion(self, **changed):
        """A JWT signed with the key of a file of type service_account, made by Google's own library."""
        file = json.loads(pathlib.Path(self.storage_credentials).read_text())
        now = int(time.time())
        claims = {
            "iss": file["client_email"],
            "scope": "https://www.googleapis.com/auth/devstorage.read_write",
            "aud": file["token_uri"],
            "iat": now,
            "exp": now + 3600,
        }
        signer = google.auth.crypt.RSASigner.from_service_account_info(file)
        return google.auth.jwt.encode(signer, claims | changed).decode()

    def grant(self, assertion):
        """Asks for an access token with a signed JWT."""
        kind = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return self.caller().post_form("/token", {"grant_type": kind, "assertion": assertion})

    def granted(self, file):
        """What the token endpoint answers to the login in a file."""
        answer = self.refresh(**self.user(file))
        assert answer.status == 200, answer
        return answer.json()

    def token(self, file):
        return self.granted(file)["access_token"]

    def photos_token(self):
        return self.token(self.photos_credentials)

    def storage_token(self, scope="https://www.googleapis.com/auth/devstorage.read_write"):
        answer = self.grant(self.assertion(scope=scope))
        assert answer.status == 200, answer
        return answer.json()["access_token"]

    def photos(self):
        return self.caller(self.photos_token())

    def bucket(self, name="archive"):
        return Bucket(self.caller(self.storage_token()), name)

    def person(self, email):
        """What was announced about somebody with an account."""
        (person,) = [person for person in self.accounts if person["email"] == email]
        return person

    def counted(self):
        """The steps of logins that were taken so far."""
        return self.caller().get_json("/control/counters")["oauth"]

    def control(self, name, value=None):
        """One of the simulator's own requests, POST /control/NAME; what it answers."""
        answer = self.caller().post_json("/control/" + name, {} if value is None else value)
        assert answer.status == 200, answer
        return answer.json()

    @contextlib.contextmanager
    def faults(self, *rules):
        """Lets things go wrong by these rules, and only within the block."""
        self.control("faults", list(rules))
        try:
            yield
        finally:
            self.control("faults", [])


def program():
    """The newest build of the simulator, or the one that PHOTOS_SIMULATOR names."""
    named = os.environ.get("PHOTOS_SIMULATOR")
    built = [ROOT / ".build" / kind / "photos-simulator" for kind in ("release", "debug")]
    found = [pathlib.Path(named)] if named else [path for path in built if path.exists()]
    assert found, "photos-simulator is not built: run scripts/build"
    return max(found, key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="session")
def spawn(tmp_path_factory):
    """Starts simulators with the given arguments; all are stopped at the end."""
    running = []

    def start(*arguments, writes=("--no-write-limit",)):
        state = tmp_path_factory.mktemp("simulator")
        process = subprocess.Popen(
            [
                *(program(), "--port", "0", "--state", state, "--storage", state / "bytes"),
                *("--bucket", "archive", "--bucket", "state"),
                *(*writes, *arguments),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        line = process.stdout.readline()
        assert line, f"photos-simulator ended with status {process.wait()} before it listened"
        said = json.loads(line)
        assert said["event"] == "listening", said
        files = [said[name + "_credentials"] for name in ("photos", "picker", "storage", "storage_user")]
        clients = [said[name] for name in ("client", "web_client", "other_client")]
        return Simulator(said["url"], said.get("ca"), *files, *clients, said["accounts"])

    yield start
    ended = [process.returncode for process in running if process.poll() is not None]
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert not ended, f"simulators ended before the tests did, with these statuses: {ended}"


@pytest.fixture(scope="session")
def fragile(spawn):
    """A small library whose simulator a test may turn: it is only used by tests that turn it back."""
    return spawn("--synthesize", "30", "--sizes", "300KB-600KB", "--video-percent", "50")


@pytest.fixture(scope="session")
def samples(spawn):
    """A library of the real files that the project ships."""
    return spawn("--library", ROOT / "Samples")


@pytest.fixture(scope="session")
def many(spawn):
    """A library of 260 made-up items: three pages of the largest size."""
    return spawn("--synthesize", "260", "--sizes", "10KB-20KB", "--video-percent", "20")


@pytest.fixture(scope="session")
def bucket(samples):
    """The archive bucket, with a token that may write to it."""
    return samples.bucket()


@pytest.fixture(scope="session")
def issuer(spawn):
    """Where people sign in; each test forgets all consents first."""
    return spawn("--synthesize", "3", "--sizes", "10KB")


@pytest.fixture
def app(issuer):
    """A desktop app whom nobody has allowed anything yet."""
    issuer.control("revoke-logins")
    return App(issuer)


@pytest.fixture(scope="session")
def unverified(spawn):
    """The same, while its app is in Testing."""
    return spawn("--synthesize", "3", "--sizes", "10KB", "--testing-app")


@pytest.fixture
def limited(spawn):
    """A bucket that limits writes to one object, as the service does."""
    return spawn("--synthesize", "1", "--sizes", "10KB", writes=()).bucket()


@pytest.fixture
def name():
    """An object name that no other test uses."""
    return f"202401/{uuid.uuid4().hex}.jpg"
