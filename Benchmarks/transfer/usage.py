"""What a program costs while it runs."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    cpu: float
    """User and system seconds of the program and its children."""
    wall: float
    peak: int
    """Largest resident set, in bytes."""
    postgres: float
    """CPU seconds that PostgreSQL's server spent meanwhile."""


class Failed(Exception):
    pass


def measure(arguments, log: Path, *, environment=None, directory=None, postgres=None, limit=900) -> Usage:
    """Runs a program to its end; its output goes to the log.

    wait4 tells of this one child, so that what else runs on the machine costs it time but is not counted.
    """
    before = server_seconds(postgres)
    with log.open("wb") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=directory,
        )
        status, resources = wait(process, limit)
        wall = time.monotonic() - began
    if status != 0:
        raise Failed(f"{arguments[0]} ended with {status}:\n" + log.read_text(errors="replace")[-3000:])
    return Usage(
        cpu=resources.ru_utime + resources.ru_stime,
        wall=wall,
        peak=resources.ru_maxrss * 1024,
        postgres=server_seconds(postgres) - before,
    )


def wait(process, limit):
    ends = time.monotonic() + limit
    while True:
        pid, status, resources = os.wait4(process.pid, os.WNOHANG)
        if pid != 0:
            # subprocess must not wait for it again.
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, resources
        if time.monotonic() > ends:
            process.kill()
            raise Failed(f"{process.args[0]} did not end within {limit} s")
        time.sleep(0.005)


def server_seconds(postmaster) -> float:
    """CPU seconds of a postmaster, of the children that ended, and of those that run."""
    if postmaster is None:
        return 0
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return sum(process_seconds(pid) for pid in [postmaster, *children])


def process_seconds(pid) -> float:
    try:
        # Times follow the program's name, which may hold spaces, in parentheses (proc(5)).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(int(field) for field in fields[11:15]) / TICKS
