"""coldroll, curl and rclone, each moving the same library into a bucket of its own."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from google import Google
from usage import Usage, measure


@dataclass
class Place:
    """Where a round of one contestant happens."""

    directory: Path
    google: Google
    bucket: str

    def environment(self, **more):
        own = ("PATH", "HOME", "LANG", "TMPDIR")
        return {name: os.environ[name] for name in own if name in os.environ} | {"SSL_CERT_FILE": self.google.ca} | more


class Coldroll:
    """The README's own commands: setup, then run; only run is measured."""

    def __init__(self, program, postgres, postmaster, slots=None):
        self.program = program
        self.postgres = postgres
        self.postmaster = postmaster
        self.slots = slots
        self.name = "coldroll" if slots is None else f"coldroll, {slots} slots"

    def move(self, place: Place) -> Usage:
        database = "coldroll_" + place.bucket.replace("-", "_")
        host, user = (part.partition("=")[2] for part in self.postgres.split())
        subprocess.run(["psql", "-q", self.postgres, "-c", f"create database {database}"], check=True)
        home = place.directory / "home"
        home.mkdir()
        environment = place.environment(
            COLDROLL_HOME=str(home),
            COLDROLL_SOURCE="library",
            COLDROLL_PHOTOS_CREDENTIALS=place.google.photos_credentials,
            GOOGLE_APPLICATION_CREDENTIALS=place.google.storage_credentials,
            COLDROLL_ARCHIVE="gs://" + place.bucket,
            COLDROLL_STATE="gs://state-of-" + place.bucket,
            COLDROLL_DATABASE_URL=f"postgresql://{user}@/{database}?host={host}",
        )
        measure([self.program, "setup", "--yes"], place.directory / "setup.log", environment=environment)
        slots = [] if self.slots is None else ["--slots", self.slots]
        return measure(
            [self.program, "run", *slots],
            place.directory / "run.log",
            environment=environment,
            postgres=self.postmaster,
        )


class Curl:
    """Two runs of curl: one downloads everything, one uploads the same bytes; connections are reused in each.

    It is spared what an archiver cannot be: what it downloads goes to /dev/null, what it uploads is in memory already,
    it lists nothing and remembers nothing.
    """

    name = "curl, both ways"

    def __init__(self, files: Path, parallel=16):
        self.files = files
        self.parallel = parallel

    def move(self, place: Place) -> Usage:
        items = place.google.items()
        if not self.files.exists():
            self.files.mkdir()
            self.run(place, "fetch", [self.download(item, self.files / item["id"]) for item in items])
        down = self.run(place, "down", [self.download(item, "/dev/null") for item in items])
        token = place.google.token(place.google.storage_user_credentials)
        up = self.run(place, "up", [self.upload(item, place.bucket, token) for item in items])
        return Usage(
            cpu=down.cpu + up.cpu, wall=down.wall + up.wall, peak=max(down.peak, up.peak), postgres=0
        )

    def run(self, place, name, transfers):
        config = place.directory / f"{name}.curl"
        config.write_text("\nnext\n".join("\n".join(lines) for lines in transfers) + "\n")
        config.chmod(0o600)
        options = ["--parallel", "--parallel-max", self.parallel, "--no-progress-meter", "--fail-early"]
        return measure(
            ["curl", "--disable", *options, "--config", config],
            place.directory / f"{name}.log",
            environment=place.environment(CURL_CA_BUNDLE=place.google.ca),
        )

    @staticmethod
    def download(item, output):
        suffix = "=dv" if item["mimeType"].startswith("video/") else "=d"
        return [f'url = "{item["baseUrl"]}{suffix}"', f'output = "{output}"', "fail", "location"]

    def upload(self, item, bucket, token):
        name = item["id"]
        return [
            f'url = "https://storage.googleapis.com/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"',
            f'upload-file = "{self.files / name}"',
            'request = "POST"',
            f'header = "Authorization: Bearer {token}"',
            f'header = "Content-Type: {item["mimeType"]}"',
            # Without this every upload waits for a word of the server first.
            'header = "Expect:"',
            'output = "/dev/null"',
            "fail",
        ]


class Rclone:
    """`rclone copy` from its Google Photos backend to its Cloud Storage backend, with its own defaults."""

    name = "rclone"

    def __init__(self, program):
        self.program = program

    def move(self, place: Place) -> Usage:
        login = json.loads(Path(place.google.photos_credentials).read_text())
        token = {
            "access_token": "expired",
            "token_type": "Bearer",
            "refresh_token": login["refresh_token"],
            "expiry": "2020-01-01T00:00:00Z",
        }
        sections = {
            "photos": {
                "type": "google photos",
                "client_id": login["client_id"],
                "client_secret": login["client_secret"],
                "token": json.dumps(token),
                "read_only": "true",
            },
            # The bucket exists, and has access by IAM only.
            "bucket": {
                "type": "google cloud storage",
                "service_account_file": place.google.storage_credentials,
                "bucket_policy_only": "true",
                "no_check_bucket": "true",
                "storage_class": "ARCHIVE",
            },
        }
        config = place.directory / "rclone.conf"
        config.write_text(
            "\n".join(
                f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in section.items())
                for name, section in sections.items()
            )
        )
        config.chmod(0o600)
        return measure(
            [self.program, "--config", config, "copy", "photos:media/all", f"bucket:{place.bucket}"],
            place.directory / "rclone.log",
            environment=place.environment(),
        )
