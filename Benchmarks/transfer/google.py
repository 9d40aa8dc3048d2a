"""The simulated Google, under Google's own names."""

import contextlib
import json
import ssl
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path


class Google:
    """A running photos-simulator."""

    def __init__(self, said):
        self.ca = said["ca"]
        self.photos_credentials = said["photos_credentials"]
        self.storage_credentials = said["storage_credentials"]
        self.storage_user_credentials = said["storage_user_credentials"]
        self.context = ssl.create_default_context(cafile=self.ca)

    def get(self, url, token=None):
        headers = {"Authorization": "Bearer " + token} if token else {}
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), context=self.context) as answer:
            return json.load(answer)

    def control(self, name):
        return self.get("https://storage.googleapis.com/control/" + name)

    def token(self, credentials):
        """A fresh access token of a login."""
        file = json.loads(Path(credentials).read_text())
        form = {key: file[key] for key in ("client_id", "client_secret", "refresh_token")}
        body = urllib.parse.urlencode(form | {"grant_type": "refresh_token"}).encode()
        with urllib.request.urlopen(file["token_uri"], body, context=self.context) as answer:
            return json.load(answer)["access_token"]

    def items(self):
        """Every item as the Library API lists it, with a fresh base URL."""
        token, page, found = self.token(self.photos_credentials), "", []
        while True:
            url = f"https://photoslibrary.googleapis.com/v1/mediaItems?pageSize=100&pageToken={page}"
            answer = self.get(url, token)
            found += answer.get("mediaItems", [])
            page = urllib.parse.quote(answer.get("nextPageToken", ""))
            if not page:
                return found

    def stored(self, bucket):
        """The checksums of a bucket's objects, in order."""
        return sorted(o["crc32c"] for o in self.control("objects") if o["bucket"] == bucket)


@contextlib.contextmanager
def google(program, state: Path, *arguments):
    """Starts the simulator on port 443 and ends it."""
    state.mkdir()
    process = subprocess.Popen(
        [str(program), "--tls", "--google-names", "--port", "443", "--state", state, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        if not line:
            raise SystemExit("photos-simulator did not start: its own words are above.")
        yield Google(json.loads(line))
    finally:
        process.terminate()
        process.wait()
