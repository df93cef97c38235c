"""EPCIS from the command line and from the running cloud, on both engines, and killed at the worst moment."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from cloud.cli import epcis
from cloud.epcis.hashid import event_ids
from cloud.ledger.database import Database
from cloud.migrations.upgrade import upgrade
from tests.support.epcis_repository import Repository, repository
from tests.support.ledger import CASE, ITEMS, PALLET, PALLET_TAG, Cloud, crossing, passage, write_master
from tests.support.servers import Postgres, free_port
from wire.events import Direction

pytestmark = pytest.mark.timeout(120)
STARTS_S = 60.0  # importing the program alone takes seconds where others use the processor


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    cluster: Postgres = request.getfixturevalue("postgres")
    return cluster.url()


@contextmanager
def ledger(url: str, folder: Path) -> Iterator[Cloud]:
    """A ledger with a declared pallet; closed at the end, so that a process of its own may have it."""
    database = Database(url)
    upgrade(database)
    contents = f"sscc,gtin,quantity\n{PALLET},{CASE},3\n"
    items = ITEMS + "09506000522135,Honey,each,490,C,AD02\n"
    yield Cloud(database, write_master(folder / "master", contents=contents, items=items))
    database.close()


def case(serial: int) -> str:
    return f"3074257BF7194E40{serial:08X}"


def day(cloud: Cloud) -> None:
    """A pallet with two of its three cases read comes in, one case leaves again."""
    tags = [case(1), case(2), PALLET_TAG]
    cloud.book(*(crossing(epc, passage="p") for epc in tags), passage("p"))
    cloud.book(crossing(case(1), Direction.OUT, seconds=60, passage="q"), passage("q", 63))


def write_config(folder: Path, url: str, capture_url: str = "") -> Path:
    config = folder / "cloud.toml"
    pushed = f'capture_url = "{capture_url}"\ntoken_file = "{folder / "token"}"\n' if capture_url else ""
    (folder / "token").write_text("secret\n", "utf-8")
    config.write_text(
        f'[ledger]\nurl = "{url}"\n[broker]\nurl = "mqtt://127.0.0.1:{free_port()}"\n'
        f'[web]\nlisten = "127.0.0.1:{free_port()}"\n[epcis]\nbase_url = "https://stock.example"\n{pushed}',
        "utf-8",
    )
    return config


def run(*words: str) -> str:
    result = CliRunner().invoke(epcis, [*words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_export_writes_a_document_or_lines(tmp_path: Path, url: str) -> None:
    with ledger(url, tmp_path) as cloud:
        day(cloud)
    config = str(write_config(tmp_path, url))
    written = json.loads(run("export", "--config", config))
    events = written["epcisBody"]["eventList"]
    assert [event["type"] for event in events] == ["ObjectEvent", "AggregationEvent", "ObjectEvent"]
    assert [event["eventID"] for event in events] == event_ids(written)
    out = tmp_path / "events.jsonl"
    run("export", "--config", config, "--format", "lines", "--out", str(out), "--site", "store-042")
    assert [json.loads(line)["eventID"] for line in out.read_text("utf-8").splitlines()] == event_ids(written)
    only = json.loads(run("export", "--config", config, "--since", "2026-11-22T10:00:30+01:00"))
    assert [event["bizStep"] for event in only["epcisBody"]["eventList"]] == ["shipping"]
    assert (
        json.loads(run("export", "--config", config, "--until", "2026-11-22"))["epcisBody"]["eventList"] == []
    )
    assert (
        json.loads(run("export", "--config", config, "--site", "store-007"))["epcisBody"]["eventList"] == []
    )


@pytest.mark.parametrize(
    "words, said",
    [
        (["--site", "store-1"], "there is no site 'store-1'; there is store-007, store-042"),
        (["--since", "yesterday"], "write 2026-11-22 or 2026-11-22T09:00+01:00, not 'yesterday'"),
    ],
)
def test_what_cannot_be_exported_is_said(tmp_path: Path, words: list[str], said: str) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with ledger(url, tmp_path):
        pass
    result = CliRunner().invoke(epcis, ["export", "--config", str(write_config(tmp_path, url)), *words])
    assert result.exit_code != 0
    assert said in result.stderr


class Running:
    """`python -m cloud run`."""

    def __init__(self, folder: Path, config: Path) -> None:
        words = [sys.executable, "-m", "cloud", "run", "--config", str(config)]
        with (folder / "cloud.log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log)

    def end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait(20)


def wait_for(holds: Callable[[], bool], what: str, within_s: float = STARTS_S) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"no {what} within {within_s:g} s"
        time.sleep(0.05)


def test_killed_between_handing_over_and_noting_it(tmp_path: Path, url: str) -> None:
    """The repository has the events and the ledger does not know it: they come again, and are there once."""
    with ledger(url, tmp_path) as cloud:
        day(cloud)
    with repository() as (there, capture_url):
        there.token = "secret"
        config = write_config(tmp_path, url, capture_url)
        reached, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            reached.set()
            go_on.wait(60)

        there.before_answering = hold
        running = Running(tmp_path, config)
        try:
            assert reached.wait(STARTS_S)
            assert len(there.events) == 3
        finally:
            running.end(signal.SIGKILL)
            there.before_answering = None
            go_on.set()
        assert "due      3" in run("status", "--config", str(config))
        again = Running(tmp_path, config)
        try:
            wait_for(lambda: len(there.posts) == 2, "second delivery")
            wait_for(lambda: "taken    3" in run("status", "--config", str(config)), "note of it")
        finally:
            again.end(signal.SIGTERM)
        assert len(there.events) == 3
        assert there.posts[0]["epcisBody"] == there.posts[1]["epcisBody"]
        assert set(there.events) == set(event_ids(json.loads(run("export", "--config", str(config)))))


def test_what_is_refused_is_shown_and_can_be_told_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with ledger(url, tmp_path) as cloud:
        day(cloud)
    with repository() as (there, capture_url):
        config = write_config(tmp_path, url, capture_url)
        (bad, *_) = event_ids(json.loads(run("export", "--config", str(config))))
        there.bad = {bad}
        _tell(tmp_path, config, there, 2)
        shown = run("status", "--config", str(config))
        assert "refused  1" in shown
        assert f"refused: {bad}: 400" in shown
        there.bad = set()
        assert run("retry", "--config", str(config)) == "1 events are due again\n"
        _tell(tmp_path, config, there, 3)
        assert "taken    3" in run("status", "--config", str(config))


def _tell(folder: Path, config: Path, there: Repository, events: int) -> None:
    running = Running(folder, config)
    try:
        wait_for(lambda: len(there.events) == events, f"{events} events")
        wait_for(lambda: "due      0" in run("status", "--config", str(config)), "quiet")
    finally:
        running.end(signal.SIGTERM)
