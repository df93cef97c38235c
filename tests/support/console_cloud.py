"""A cloud as a process, on the ledger's file and a broker, asked as its console's pages ask it."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.ledger import write_master
from tests.support.servers import free_port

PATIENCE_S = 45.0


class Cloud:
    """`config` is what its command line takes; `ledger`, its SQLite file."""

    def __init__(self, port: int, config: Path, ledger: Path) -> None:
        self.config, self.ledger = config, ledger
        self.address = f"http://127.0.0.1:{port}/api/v1/"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.address + path, timeout=5) as answer:
            return json.load(answer)

    def send(self, method: str, path: str, body: dict[str, object]) -> Any:
        request = urllib.request.Request(
            self.address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    async def until(self, path: str, holds: Callable[[Any], bool], what: str) -> Any:
        """Ask until it holds; what never does ends by saying what was answered last."""
        last: Any = None
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    with suppress(OSError):
                        last = await asyncio.to_thread(self.get, path)
                        if holds(last):
                            return last
                    await asyncio.sleep(0.2)
        raise AssertionError(f"{what}: {last}")


@asynccontextmanager
async def cloud(folder: Path, broker: int, **master: str) -> AsyncIterator[Cloud]:
    """On the broker at this port; `master`: its files, as `write_master` takes them."""
    port = free_port()
    config, ledger = folder / "cloud.toml", folder / "ledger.db"
    config.write_text(
        f'[ledger]\nurl = "sqlite:///{ledger}"\n[broker]\nurl = "mqtt://127.0.0.1:{broker}"\n'
        f'[web]\nlisten = "127.0.0.1:{port}"\n',
        "utf-8",
    )
    data = write_master(folder / "master", **master)
    words = [sys.executable, "-m", "cloud"]
    await asyncio.to_thread(
        subprocess.run, [*words, "load", "--config", str(config), str(data)], check=True, capture_output=True
    )
    with (folder / "cloud.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *words, "run", "--config", str(config), stdout=log, stderr=log
        )
    try:
        yield Cloud(port, config, ledger)
    finally:
        process.terminate()
        await process.wait()
