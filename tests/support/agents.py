"""The edge's program as a process of its own, with a configuration and a recording made for a test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.reads import Read
from edge.recording import heading, line

CONFIG = """
edge = "store-042"
[uplink]
url = "mqtt://127.0.0.1:{port}"
ack_fault_s = 1
[clock]
trust = true
[[gates]]
name = "dock-1"
role = "dock"
joins = {{ outside = "yard", inside = "backroom" }}
reader = {{ driver = "llrp", url = "tcp://127.0.0.1:{reader}" }}
antennas = {{ 1 = "outside", 2 = "inside" }}
[[shelves]]
name = "aisle-1"
reader = {{ driver = "sics", url = "serial:{folder}/no-scale" }}
bays = [ {{ name = "A1", cell = 0, capacity = 24, items = [ {{ gtin = "09506000134352", unit_grams = 330.0 }} ] }} ]
"""


@dataclass
class Done:
    code: int
    out: str
    err: str
    seconds: float


def write_config(folder: Path, port: int, *, reader: int = 9) -> Path:
    """`reader` 9 is the discard port, where nobody listens."""
    path = folder / "edge.toml"
    path.write_text(CONFIG.format(port=port, reader=reader, folder=folder), "utf-8")
    return path


def write_recording(path: Path, reads: Sequence[Read]) -> Path:
    path.write_bytes(b"".join([heading("store-042"), *map(line, reads)]))
    return path


def edge(*words: str | Path) -> Done:
    """Run a command of the edge to its end."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "edge", *map(str, words)], capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


class Running:
    def __init__(self, words: Sequence[str | Path], log: Path, environment: Mapping[str, str]) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge", *map(str, words)],
                stdout=out,
                stderr=out,
                env={**os.environ, **environment},
            )

    def said(self) -> str:
        return self.log.read_text("utf-8")

    def wait_for(self, words: str, within_s: float = 15.0) -> None:
        deadline = time.monotonic() + within_s
        while words not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, f"{words!r} was not said:\n{self.said()}"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> Done:
        began = time.monotonic()
        self.process.send_signal(how)
        code = self.process.wait(15)
        return Done(code, "", self.said(), time.monotonic() - began)


@contextmanager
def running(*words: str | Path, log: Path, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    made = Running(words, log, environment or {})
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait()
