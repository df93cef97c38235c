"""A real load through a real gate: a recording played through the whole path arrives in a running cloud's ledger."""

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gates_b
from benchmarks.data import folder
from stockbeat.demo.processes import Process, stockbeat, wait_until
from tests.support.servers import Server, free_port

RUN = "run-x3"
BOOK_AT = 0.9  # the door's, in the site's master data
FASTER = 40  # than it was recorded: 350 s in nine

pytestmark = [
    pytest.mark.data,
    pytest.mark.timeout(120),
    pytest.mark.xdist_group("doors"),
    pytest.mark.skipif(not folder("gates-b").is_dir(), reason="the real recordings are not here"),
]


def played(site: Path, broker: Server) -> list[dict[str, Any]]:
    """Load the site, run a cloud, play the recording through an edge; return the ledger's movements."""
    gates_b.convert(folder("gates-b") / f"{RUN}.csv", site)
    edge = site / "edge.toml"
    edge.write_text(edge.read_text("utf-8").replace(":1883", f":{broker.port}"), "utf-8")
    config, port = site / "cloud.toml", free_port()
    config.write_text(
        f'[ledger]\nurl = "sqlite:///ledger.db"\n[broker]\nurl = "mqtt://127.0.0.1:{broker.port}"\n'
        f'[web]\nlisten = "127.0.0.1:{port}"\n',
        "utf-8",
    )
    subprocess.run(stockbeat("cloud", "load", "--config", str(config), str(site / "master")), check=True)
    cloud = Process("cloud", stockbeat("cloud", "run", "--config", str(config)), site / "cloud.log", {})
    try:
        cloud.start()
        wait_until(lambda: "console at" in cloud.last_words(), "web page", cloud)
        words = stockbeat(
            "edge", "run", str(edge), "--recording", str(site / "recording.jsonl"), "--speed", str(FASTER)
        )
        subprocess.run(words, check=True)
        rows: list[dict[str, Any]] = []
        while True:
            after = rows[-1]["position"] if rows else 0
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/api/v1/movements?after={after}&limit=1000"
            ) as page:
                batch = json.load(page)["movements"]
            if not batch:
                return rows
            rows += batch
    finally:
        cloud.stop()


def test_a_real_load_is_booked_as_a_replay_says(tmp_path: Path, nats: Server) -> None:
    rows = played(tmp_path, nats)
    moving = gates_b.moving()
    tags = Counter(str(row["evidence"]["epc"]) for row in rows)
    booked_moving = {epc for epc in tags if epc in moving}
    booked_strays = {epc for epc in tags if epc not in moving}
    print(
        f"{RUN}: {len(booked_moving)} of {len(moving)} moving tags booked, {len(rows)} movements; "
        f"{len(booked_strays)} strays booked, {sum(tags[epc] for epc in booked_strays)} movements"
    )
    assert len(booked_moving) >= 99
    assert len(booked_strays) <= 1

    replay = stockbeat("replay", str(tmp_path / "edge.toml"), str(tmp_path / "recording.jsonl"))
    said = [
        json.loads(line)
        for line in subprocess.run(replay, check=True, capture_output=True).stdout.splitlines()
    ]
    cited = {(row["evidence"]["passage"], row["evidence"]["epc"]) for row in rows}
    assert cited == set(crossed(said))


def crossed(said: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """The passages and tags to be booked: sure ones that take a tag to the side where it was not."""
    side: dict[str, str] = {}
    for event in sorted((e for e in said if e["type"] == "tag_movement"), key=lambda e: str(e["at"])):
        if event["outcome"] in ("in", "out") and event["confidence"] >= BOOK_AT:
            if side.get(event["epc"]) != event["outcome"]:
                yield event["passage"], event["epc"]
            side[event["epc"]] = event["outcome"]


def test_twice_replayed_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    gates_b.convert(folder("gates-b") / f"{RUN}.csv", tmp_path)
    words = [
        sys.executable,
        "-m",
        "stockbeat",
        "replay",
        str(tmp_path / "edge.toml"),
        str(tmp_path / "recording.jsonl"),
    ]
    first, second = (subprocess.run(words, check=True, capture_output=True).stdout for _ in range(2))
    assert first == second
    assert first.count(b"\n") > 1000
