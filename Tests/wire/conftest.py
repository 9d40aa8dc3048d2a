import json
import os
import pathlib
import subprocess
import uuid
from dataclasses import dataclass

import pytest

from wire import Bucket, Caller

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclass
class Simulator:
    """A running photos-simulator and what it said when it began to listen."""

    url: str
    ca: str | None
    photos_credentials: str
    storage_credentials: str

    def caller(self, token=None):
        return Caller(self.url, self.ca, token)

    def credentials(self, which):
        path = self.photos_credentials if which == "photos" else self.storage_credentials
        return json.loads(pathlib.Path(path).read_text())

    def refresh(self, which, **changed):
        """Asks for an access token with a file of kind authorized_user."""
        file = self.credentials(which)
        fields = {key: file[key] for key in ("client_id", "client_secret", "refresh_token")}
        return self.caller().post_form("/token", fields | {"grant_type": "refresh_token"} | changed)

    def token(self, which):
        answer = self.refresh(which)
        assert answer.status == 200, answer
        return answer.json()["access_token"]

    def photos(self):
        return self.caller(self.token("photos"))

    def bucket(self, name="archive"):
        return Bucket(self.caller(self.token("storage")), name)

    def control(self, method, target, value=None):
        answer = (
            self.caller().send(method, "/control" + target)
            if value is None
            else self.caller().send(
                method, "/control" + target, json.dumps(value).encode(), {"Content-Type": "application/json"}
            )
        )
        assert answer.status in (200, 204), answer
        return json.loads(answer.body) if answer.body else None


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

    def start(*arguments):
        state = tmp_path_factory.mktemp("simulator")
        process = subprocess.Popen(
            [program(), "--state", state, "--port", "0", "--bucket", "archive", "--bucket", "state", *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        line = process.stdout.readline()
        assert line, f"photos-simulator ended with status {process.wait()} before it listened"
        said = json.loads(line)
        assert said["event"] == "listening", said
        return Simulator(said["url"], said.get("ca"), said["photos_credentials"], said["storage_credentials"])

    yield start
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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


@pytest.fixture
def name():
    """An object name that no other test uses."""
    return f"202401/{uuid.uuid4().hex}.jpg"
