"""The README's path for a laptop, word by word: settings, setup, login in a browser, run, status; and a month later."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import leaks
from browser import Browser

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / os.environ.get("LAPTOP_PROGRAMS", ".build/release")


def chapter():
    """The fenced blocks of the README's chapter for a laptop."""
    text = (ROOT / "README.md").read_text()
    chapter = text.split("\n## Archive a library\n")[1].split("\n## ")[0].split("\n### ")[0]
    return [re.sub(r"^ {0,3}", "", block, flags=re.M) for block in re.findall(r"```\n(.*?)```", chapter, re.S)]


def settings():
    """Step 4's lines, for the file that step 5 names."""
    (block,) = [block for block in chapter() if "COLDROLL_SOURCE=library" in block]
    return block


def commands():
    """Step 5's lines, without what is said about them."""
    (block,) = [block for block in chapter() if "coldroll setup" in block]
    return [line.split("#")[0].strip() for line in block.strip().splitlines()]


class Laptop:
    def __init__(self, directory, google):
        self.home = directory / "home"
        self.home.mkdir()
        self.opened = self.home / "opened"
        os.mkfifo(self.opened)
        opener = self.home / "open-browser"
        opener.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >"{self.opened}"\n')
        opener.chmod(0o755)
        shutil.copy(google["client"], self.home / "client_secret.json")
        (self.home / ".config").mkdir()
        (self.home / ".config/coldroll.env").write_text(settings())
        self.environment = {
            "PATH": f"{PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.home),
            "COLDROLL_HOME": str(directory / "coldroll"),
            "SSL_CERT_FILE": google["ca"],
            "GOOGLE_APPLICATION_CREDENTIALS": google["storage_credentials"],
            "BROWSER": str(opener),
        }
        self.output = ""

    def run(self, command):
        ended = subprocess.run(
            ["bash", "-c", command],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        self.output += ended.stdout
        return ended

    def agree(self, command):
        """Runs a command at a terminal, and answers yes to the one question that it asks there."""
        ours, its = os.openpty()
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=self.home, env=self.environment, stdin=its, stdout=its, stderr=its
        )
        os.close(its)
        text, asked = "", False
        while True:
            try:
                piece = os.read(ours, 65536).decode()
            except OSError:  # Nobody has the terminal open any more.
                break
            text += piece
            if not asked and "[y/N]" in text:
                asked = True
                os.write(ours, b"y\n")
        os.close(ours)
        self.output += text
        assert asked, text
        return subprocess.CompletedProcess(command, process.wait(), text)

    def consent(self, browser):
        """What the owner does in the browser that the login opens."""
        link = self.opened.read_text().strip()
        assert link.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
        browser.open(link)
        browser.click("#warning #continue")
        browser.click("#consent input[name=scope]")
        browser.click("#consent #continue")
        browser.wait("the listener's page", lambda: "Go back to the terminal" in browser.text())
        assert browser.url.startswith("http://127.0.0.1:")


@pytest.fixture
def directory():
    return Path(os.environ["LAPTOP_DIRECTORY"])


@pytest.fixture
def google(directory):
    words = ["--tls", "--google-names", "--port", "443", "--state", directory / "google", "--testing-app"]
    words += ["--synthesize", "60", "--sizes", "20KB-200KB"]
    process = subprocess.Popen(
        [str(word) for word in [PROGRAMS / "photos-simulator", *words]], stdout=subprocess.PIPE, text=True
    )
    line = process.stdout.readline()
    assert line, "photos-simulator did not start: its own words are above"
    yield json.loads(line)
    process.terminate()
    process.wait()


@pytest.fixture
def browser(directory, google):
    home = directory / "browser"
    home.mkdir()
    browser = Browser(home, google["ca"])
    yield browser
    browser.close()


def control(google, name, value=None):
    context = ssl.create_default_context(cafile=google["ca"])
    data = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request("https://storage.googleapis.com/control/" + name, data=data)
    with urllib.request.urlopen(request, context=context) as answer:
        return json.load(answer)


def stored(google):
    return sorted(
        (entry["metadata"]["coldroll-item"], entry["metadata"]["coldroll-part"], int(entry["size"]), entry["crc32c"])
        for entry in control(google, "objects")
        if entry["bucket"] == "my-archive"
    )


def wanted(google):
    parts = []
    for item in control(google, "library"):
        if item["kind"] == "video":
            parts.append((item["id"], "video", item["dv"]["size"], item["dv"]["crc32c"]))
            continue
        parts.append((item["id"], "still", item["d"]["size"], item["d"]["crc32c"]))
        if item["dv"]:
            parts.append((item["id"], "motion", item["dv"]["size"], item["dv"]["crc32c"]))
    return sorted(parts)


def test_a_laptop_goes_from_nothing_to_an_archive_and_on_a_month_later(directory, google, browser):
    laptop = Laptop(directory, google)
    assert [line.split()[1] for line in commands()] == ["setup", "login", "doctor", "run", "status"]
    for command in commands():
        watch = None
        if command.split()[1] == "login":
            failures = []

            def consent():
                try:
                    laptop.consent(browser)
                except BaseException as error:  # The test's own thread raises it.
                    failures.append(error)

            watch = threading.Thread(target=consent, daemon=True)
            watch.start()
        # The project is empty: setup shows the buckets that it makes, and what they cost, and asks.
        ended = (laptop.agree if command.split()[1] == "setup" else laptop.run)(command)
        if watch:
            watch.join(timeout=120)
            assert not failures, f"{failures}: {ended.stdout}"
        assert ended.returncode == 0, f"{command}: {ended.stdout}"
    assert f"Settings are those of {laptop.home}/.config/coldroll.env" in laptop.output
    assert "the app is in testing" in laptop.output
    assert laptop.output.count("Logged in as ") == 1
    assert stored(google) == wanted(google)
    assert len(stored(google)) >= 60

    # A month later: the access token is long over, and there are new photos.
    before = control(google, "counters")
    control(google, "expire-tokens", {})
    control(google, "library/add", {"kind": "photo", "filename": "IMG_9999.JPG"})
    again = laptop.run([command for command in commands() if command.split()[1] == "run"][0])
    assert again.returncode == 0, again.stdout
    after = control(google, "counters")
    assert after["oauth"]["refresh.ok"] == before["oauth"]["refresh.ok"] + 1
    assert after["statuses"].get("401", 0) > before["statuses"].get("401", 0)
    assert stored(google) == wanted(google)
    assert len(wanted(google)) > 60
    # The link that login shows is Google's address, with nothing secret in it; all the rest is searched as it stands.
    assert not leaks.found(laptop.output)
    leaks.refuse(*(directory / "coldroll").rglob("*.log"))
