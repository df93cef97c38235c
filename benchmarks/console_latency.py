"""From a committed movement to a client of the console's event stream.

    python -m benchmarks.console_latency [COMMITS] [CLIENTS]        prints p50, p95 and p99 in milliseconds

Server and writer share this process, as ingest and console do in the embedded mode; the clients are threads of it
too, so their own time is counted in. The ledger is SQLite with synchronous=FULL in a temporary folder.
"""

import asyncio
import http.client
import json
import random
import re
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

from cloud.web.server import serving
from tests.support.console import console_app, empty_ledger, real_time
from tests.support.scene import CAN, Scene, busy

POSITION = re.compile(rb"^id: *.*-(\d+)\s*$")
PAUSE_S = (0.1, 0.4)  # between commits: never in step with the server's look


class Watcher(threading.Thread):
    """One client: notes when each position was first shown, until the stream ends."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._address = urlsplit(url).netloc
        self.seen: dict[int, float] = {}

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._address)
        connection.request("GET", "/events")
        for line in connection.getresponse():
            if match := POSITION.match(line):
                self.seen.setdefault(int(match[1]), time.monotonic())
        connection.close()

    def shown_at(self, position: int) -> float:
        return min(at for shown, at in self.seen.items() if shown >= position)


def _commit(scene: Scene, count: int) -> dict[int, float]:
    """Book one pick at a time; return when each was committed, by position."""
    chance = random.Random(1)
    committed = {}
    for _ in range(count):
        time.sleep(chance.uniform(*PAUSE_S))
        committed[scene.move(CAN, "A1", "basket", 1)] = time.monotonic()
    return committed


async def measure(commits: int, clients: int) -> dict[str, float]:
    """Milliseconds, over all commits and clients."""
    with tempfile.TemporaryDirectory() as folder:
        database = empty_ledger(Path(folder))
        scene = Scene(database, real_time())
        scene.lay_out()
        busy(scene)
        async with serving(console_app(database), "127.0.0.1", 0) as url:
            watchers = [Watcher(url) for _ in range(clients)]
            for watcher in watchers:
                watcher.start()
            await asyncio.sleep(1)  # every client has its first page
            committed = await asyncio.to_thread(_commit, scene, commits)
            await asyncio.sleep(1)  # the last one is on its way
        database.close()
    took = [(each.shown_at(position) - at) * 1000 for each in watchers for position, at in committed.items()]
    cut = quantiles(took, n=100)
    return {
        "p50": round(cut[49], 1),
        "p95": round(cut[94], 1),
        "p99": round(cut[98], 1),
        "max": round(max(took), 1),
    }


if __name__ == "__main__":
    asked = [int(argument) for argument in sys.argv[1:]] + [200, 5][len(sys.argv) - 1 :]
    sys.stdout.write(json.dumps(asyncio.run(measure(*asked))) + "\n")
