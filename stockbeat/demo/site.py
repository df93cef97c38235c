"""The example site, laid out in a folder, and its four processes."""

import json
import socket
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stockbeat.broker import command as broker_command
from stockbeat.broker import free_port
from stockbeat.demo.processes import Process, ProcessError, stockbeat, wait_until

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "store"
SCENARIO = ROOT / "simulators" / "scenarios" / "store.toml"

# What the example's files say; each is replaced by what is free on this machine now.
EXAMPLE_BROKER = "mqtt://127.0.0.1:1883"
EXAMPLE_LEDGER = "sqlite:///ledger.db"
EXAMPLE_WEB = "127.0.0.1:8000"

LINGER_S = 3600  # the devices stay on after the world has ended, until they are stopped


class Site:
    """Folders, addresses and processes of one simulated site. Nothing runs before `start`."""

    def __init__(
        self, folder: Path, *, seed: int, last_s: float, quiet_s: float, web_port: int, broker_url: str = ""
    ) -> None:
        """The world moves for `last_s`, its last `quiet_s` at rest; `broker_url` names a broker that runs already."""
        self.folder = folder
        self.seed = seed
        self.broker_port = free_port()
        self.broker_url = broker_url or f"mqtt://127.0.0.1:{self.broker_port}"
        self.web = f"http://127.0.0.1:{web_port}"
        self.truth_file = folder / "world" / "truth.jsonl"
        self._world_file = folder / "world" / "world.json"
        (folder / "world").mkdir(parents=True, exist_ok=True)
        self.broker = self._process("broker", broker_command(folder / "broker", self.broker_port))
        self.cloud = self._process("cloud", stockbeat("cloud", "run", "--config", str(folder / "cloud.toml")))
        self.world = self._process("world", stockbeat(
            "simulate", "world", "--scenario", str(SCENARIO), "--seed", str(seed), "--dir", str(folder / "world"),
            "--for", str(last_s), "--quiet-last", str(quiet_s), "--linger", str(LINGER_S),
        ))  # fmt: skip
        self.edge = self._process("edge", stockbeat("edge", "run", str(folder / "edge.toml")))
        self._own_broker = not broker_url
        self._write_cloud(web_port)

    def start(self) -> None:
        """Start broker, cloud, devices and edge, in this order, each when the one before answers.

        Raises ProcessError.
        """
        if self._own_broker:
            self.broker.start()
            wait_until(lambda: _listens(self.broker_port), "MQTT listener", self.broker)
        load = self._process("load", stockbeat(
            "cloud", "load", "--config", str(self.folder / "cloud.toml"), str(EXAMPLE / "master"),
        ))  # fmt: skip
        load.run()
        self.start_cloud()
        self.world.start()
        wait_until(self._world_file.exists, "list of devices", self.world)
        self._write_edge()
        self.edge.start()

    def start_cloud(self) -> None:
        self.cloud.start()
        wait_until(lambda: self.get("/api/v1/health") is not None, "web page", self.cloud)

    def stop(self) -> None:
        """End what runs, those first that talk to the others."""
        for process in (self.world, self.edge, self.cloud, self.broker):
            process.stop()

    def get(self, path: str) -> Any:
        """The JSON that the console's API answers; None while it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.web}{path}", timeout=5) as answer:
                return json.load(answer)
        except (OSError, urllib.error.URLError):
            return None

    def ask(self, path: str) -> Any:
        """As `get`, and no answer is an error. Raises ProcessError."""
        if (answer := self.get(path)) is None:
            raise ProcessError(f"{self.web}{path} does not answer:\n{self.cloud.last_words()}")
        return answer

    def truth(self) -> Iterator[dict[str, Any]]:
        """What the simulators wrote down so far."""
        if self.truth_file.exists():
            for line in self.truth_file.read_text("utf-8").splitlines(keepends=True):
                if line.endswith("\n"):  # the last one may be half written
                    yield json.loads(line)

    @property
    def world_ended(self) -> bool:
        return any(line["type"] == "end" for line in self.truth())

    def died(self) -> ProcessError | None:
        """What to say of a part that ended though it should run."""
        for process in (self.edge, self.cloud, *([self.broker] if self._own_broker else [])):
            if not process.running:
                return ProcessError(f"{process.name} ended by itself:\n{process.last_words()}")
        if not self.world.running and not self.world_ended:
            return ProcessError(f"the simulated world ended early:\n{self.world.last_words()}")
        return None

    def _process(self, name: str, command: list[str]) -> Process:
        return Process(name, command, self.folder / f"{name}.log", {"PYTHONUNBUFFERED": "1"})

    def _write_cloud(self, web_port: int) -> None:
        text = (EXAMPLE / "cloud.toml").read_text("utf-8")
        text = _replace(text, EXAMPLE_BROKER, self.broker_url)
        text = _replace(text, EXAMPLE_LEDGER, f"sqlite:///{self.folder / 'ledger.db'}")
        text = _replace(text, EXAMPLE_WEB, f"127.0.0.1:{web_port}")
        (self.folder / "cloud.toml").write_text(text, "utf-8")

    def _write_edge(self) -> None:
        devices = json.loads(self._world_file.read_text("utf-8"))
        text = _replace((EXAMPLE / "edge.toml").read_text("utf-8"), EXAMPLE_BROKER, self.broker_url)
        for name, old in _example_urls().items():
            text = _replace(text, f'"{old}"', f'"{(devices["gates"] | devices["shelves"])[name]}"')
        (self.folder / "edge.toml").write_text(text, "utf-8")


@contextmanager
def running(site: Site) -> Iterator[Site]:
    """The site, started; whatever happens, nothing of it is left running."""
    try:
        site.start()
        yield site
    finally:
        site.stop()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True


def _example_urls() -> dict[str, str]:
    """Gate or shelf -> the URL that the example's edge.toml gives it."""
    config = tomllib.loads((EXAMPLE / "edge.toml").read_text("utf-8"))
    return {device["name"]: device["reader"]["url"] for device in [*config["gates"], *config["shelves"]]}


def _replace(text: str, old: str, new: str) -> str:
    if old not in text:
        raise ProcessError(f"the example site no longer says {old!r}; the demo replaces it by {new!r}")
    return text.replace(old, new)
