"""pgqueuer's half: the same number of jobs, each with a payload as long as an item's id.

    peer.py install CONNINFO            its schema, with its own settings
    peer.py enqueue CONNINFO JOBS PAGE  one connection, PAGE jobs a statement
    peer.py drain CONNINFO BATCH        four connections in one process, as coldroll's half

Prints the seconds that it took and how many jobs they were.
"""

import asyncio
import json
import sys
import time

import asyncpg
import uvloop
from pgqueuer import AsyncpgDriver, Queries, QueueManager
from pgqueuer.types import QueueExecutionMode


async def connect(conninfo):
    """asyncpg takes no conninfo string."""
    fields = dict(field.split("=", 1) for field in conninfo.split())
    return await asyncpg.connect(host=fields["host"], user=fields["user"], database=fields["dbname"])


async def install(conninfo):
    connection = await connect(conninfo)
    await Queries(AsyncpgDriver(connection)).install()
    await connection.close()


async def enqueue(conninfo, jobs, page):
    connection = await connect(conninfo)
    queries = Queries(AsyncpgDriver(connection))
    began = time.perf_counter()
    for first in range(0, jobs, page):
        count = min(page, jobs - first)
        payloads = [f"AGj1epU{number:053}".encode() for number in range(first, first + count)]
        await queries.enqueue(["archive"] * count, payloads, [0] * count)
    report(time.perf_counter() - began, jobs)
    await connection.close()


async def drain(conninfo, batch):
    managers = [QueueManager(Queries(AsyncpgDriver(await connect(conninfo)))) for _ in range(4)]
    done = 0

    async def archive(job):
        nonlocal done
        done += 1

    for manager in managers:
        manager.entrypoint("archive")(archive)
    began = time.perf_counter()
    await asyncio.gather(*(m.run(batch_size=batch, mode=QueueExecutionMode.drain) for m in managers))
    report(time.perf_counter() - began, done)


def report(seconds, jobs):
    print(json.dumps({"seconds": seconds, "jobs": jobs}))


if __name__ == "__main__":
    command, conninfo, *numbers = sys.argv[1:]
    action = {"install": install, "enqueue": enqueue, "drain": drain}[command]
    uvloop.run(action(conninfo, *map(int, numbers)))
