"""A headless Chromium, driven as W3C WebDriver says, that trusts the simulator's certificates through its own store."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Missed(AssertionError):
    """The page did not get as far as it should."""


class Browser:
    def __init__(self, home, ca):
        database = home / ".pki" / "nssdb"
        database.mkdir(parents=True)
        for words in (["-N", "--empty-password"], ["-A", "-n", "simulator", "-t", "C,,", "-i", str(ca)]):
            subprocess.run(["certutil", "-d", f"sql:{database}", *words], check=True)
        self.driver = subprocess.Popen(
            [shutil.which("chromedriver"), "--port=9515", "--log-level=SEVERE"],
            env={"HOME": str(home), "PATH": "/usr/bin:/bin", "TMPDIR": str(home)},
        )
        self.session = ""
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        self.wait("chromedriver", lambda: self.ask("GET", "/status")["ready"])
        options = {"args": [*arguments, f"--user-data-dir={home}/profile"], "binary": shutil.which("chromium")}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        self.session = "/session/" + self.ask("POST", "/session", wanted)["sessionId"]

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            "http://127.0.0.1:9515" + self.session + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise Missed(json.load(error)["value"]["message"]) from error

    def wait(self, what, look):
        """Looks until there is something to see."""
        end = time.monotonic() + 120
        while True:
            try:
                if found := look():
                    return found
            except (OSError, Missed) as error:
                what = f"{what}: {error}"[:2000]
            if time.monotonic() > end:
                raise Missed(f"{what}; the page is {self.text() if self.session else 'none'}")
            time.sleep(0.1)

    def open(self, url):
        self.ask("POST", "/url", {"url": url})

    def all(self, selector):
        found = self.ask("POST", "/elements", {"using": "css selector", "value": selector})
        return [element[ELEMENT] for element in found]

    def click(self, selector):
        """Clicks everything that the selector finds, once there is something."""
        for element in self.wait(selector, lambda: self.all(selector)):
            self.ask("POST", f"/element/{element}/click", {})

    @property
    def url(self):
        return self.ask("GET", "/url")

    def text(self):
        return self.ask("POST", "/execute/sync", {"script": "return document.body.innerText", "args": []})

    def close(self):
        if self.session:
            self.ask("DELETE", "")
        self.driver.terminate()
        self.driver.wait()
