"""`make demo` at a terminal: Ctrl-C ends it whenever it comes, in good order, and nothing of it is left running."""

import os
import pty
import re
import select
import shutil
import signal
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / os.environ.get("LAPTOP_PROGRAMS", ".build/release")
STOPPED = "The demo was stopped, and nothing of it runs any more."


class Demo:
    """The project as far as the demo needs it, with programs that are built already."""

    def __init__(self, directory):
        self.project = directory / "project"
        self.home = self.project / "demo"
        scripts = self.project / "scripts"
        scripts.mkdir(parents=True)
        for name in ("demo", "compare-archive"):
            shutil.copy(ROOT / "scripts" / name, scripts)
        for name in ("build", "install-dependencies"):
            (scripts / name).write_text('#!/bin/sh\n[ ! -e slow ] || sleep 60\n')
            (scripts / name).chmod(0o755)
        shutil.copy(ROOT / "Makefile", self.project)
        (self.project / ".build").mkdir()
        (self.project / ".build/release").symlink_to(PROGRAMS.resolve())
        self.library = self.project / "Samples"
        shutil.copytree(ROOT / "Samples", self.library)
        self.text = ""

    def grow(self):
        """So many photos that whoever looks sees them being archived."""
        for number in range(10):
            shutil.copytree(ROOT / "Samples", self.library / str(number))

    def begin(self):
        """Begins it at a terminal of its own."""
        self.make, self.terminal = pty.fork()
        if self.make == 0:
            os.chdir(self.project)
            os.execvp("make", ["make", "demo"])

    def read(self, seconds):
        """Takes what it has said, and says whether it goes on."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return True
        try:
            self.text += os.read(self.terminal, 65536).decode(errors="replace")
        except OSError:  # Nobody has the terminal open any more.
            return False
        return True

    def until(self, moment):
        end = time.monotonic() + 120
        while not moment(self):
            assert self.read(0.005) and time.monotonic() < end, self.text

    def interrupt(self):
        os.write(self.terminal, b"\x03")

    def end(self, patience):
        """Its exit code as make passes it on."""
        end = time.monotonic() + patience
        while self.read(0.1):
            assert time.monotonic() < end, self.text
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.make, 0)[1])

    def processes(self):
        """What still runs of it: the number and the words of each process."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
                place = os.readlink(process / "cwd")
            except OSError:  # It has ended meanwhile.
                continue
            if process.name != str(os.getpid()) and str(self.project) in words + place:
                found[int(process.name)] = words
        return found

    def kill(self):
        """Ends the script by a signal that it cannot hear, and closes its terminal."""
        (script,) = [number for number, words in self.processes().items() if re.search(r"bash scripts/demo", words)]
        os.kill(script, signal.SIGKILL)
        os.close(self.terminal)
        os.waitpid(self.make, 0)


@pytest.fixture
def demo(request):
    demo = Demo(Path(os.environ["LAPTOP_DIRECTORY"]) / re.sub(r"\W", "-", request.node.name))
    yield demo
    for number in demo.processes():
        os.kill(number, signal.SIGKILL)


def holds(path, words):
    return path.exists() and words in path.read_text()


MOMENTS = {
    "build": lambda demo: any("sleep" in words for words in demo.processes().values()),
    "simulator": lambda demo: (demo.home / "google").exists(),
    "setup": lambda demo: (demo.home / "home/postgresql").exists(),
    "server": lambda demo: (demo.home / "home/postgresql/data/postmaster.pid").exists(),
    "scan": lambda demo: holds(demo.home / "scan.log", "started the private PostgreSQL"),
    "work": lambda demo: any((demo.home / "bucket/archive").glob("*")),
    "run": lambda demo: "A second run finds" in demo.text,
    "comparison": lambda demo: "Every byte of the folder" in demo.text,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_ends_the_demo_whenever_it_comes(demo, moment):
    if moment == "build":
        (demo.project / "slow").touch()
    if moment == "work":
        demo.grow()
    demo.begin()
    demo.until(MOMENTS[moment])
    demo.interrupt()
    assert demo.end(patience=20) != 0, demo.text
    assert demo.processes() == {}, demo.text
    assert demo.text.count(STOPPED) == 1, demo.text
    said = demo.text[demo.text.index("^C") :]
    assert "did not answer" not in said and "Traceback" not in said and "Terminated" not in said, said


def test_what_a_killed_demo_left_running_is_stopped_by_the_next(demo):
    demo.grow()
    demo.begin()
    demo.until(MOMENTS["work"])
    demo.kill()
    left = demo.processes()
    assert any("postgres" in words for words in left.values()), left
    for number in range(10):
        shutil.rmtree(demo.library / str(number))
    demo.begin()
    demo.until(lambda demo: "A second run finds" in demo.text)
    assert not left.keys() & demo.processes().keys()
    assert demo.end(patience=120) == 0, demo.text
    assert demo.processes() == {}
