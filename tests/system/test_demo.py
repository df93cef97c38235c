"""The whole site as a newcomer runs it, held against what really happened. More seeds: STOCKBEAT_SEEDS=1,2,3,…"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from stockbeat.broker import free_port

pytestmark = pytest.mark.xdist_group("sites")  # whole sites: one at a time

SEEDS = [int(seed) for seed in os.environ.get("STOCKBEAT_SEEDS", "7,11,23").split(",")]


def demo(*words: str) -> list[str]:
    return [sys.executable, "-m", "stockbeat", "demo", *words]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_minute_of_the_demo_has_no_difference(seed: int, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    port = str(free_port())  # another demo may begin now, too
    given = ("--for", "60", "--seed", str(seed), "--port", port)
    words = demo(*given, "--report", str(report), "--data", str(tmp_path / "data"))
    out = subprocess.run(words, capture_output=True, text=True, check=False)
    assert report.exists(), out.stderr
    said = json.loads(report.read_text("utf-8"))
    assert said["differences"] == []
    assert out.returncode == 0, out.stderr
    moved = {(row["src"], row["dst"]) for row in said["ledger"]["movements"]}
    assert {("supplier", "backroom"), ("backroom", "A1")} & moved  # goods came in, or went to a shelf
    assert said["truth"]["happened"] >= 30
    assert all(said["latency_s"].values()), said["latency_s"]


@pytest.mark.timeout(120)
def test_ctrl_c_ends_the_demo_and_leaves_nothing_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(demo("--data", str(tmp_path / "data")), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        line = process.stdout.readline()
        address = line.removeprefix("Console: ").strip()
        parts = psutil.Process(process.pid).children(recursive=True)
        assert len(parts) >= 4
        with urllib.request.urlopen(address) as page:
            assert page.status == 200
        for part in parts:
            for connection in part.net_connections("inet"):
                assert connection.laddr.ip in ("127.0.0.1", "::1"), f"{part} listens on {connection.laddr}"
        process.send_signal(signal.SIGINT)
        process.wait(30)
    deadline = time.monotonic() + 5
    while any(part.is_running() and part.status() != psutil.STATUS_ZOMBIE for part in parts):
        assert time.monotonic() < deadline, parts
        time.sleep(0.1)
    assert process.returncode == 0


@pytest.mark.parametrize(
    "words, says",
    [
        (["--report", "{folder}/report.json"], "--report needs --for"),
        (["--for", "30", "--report", "{folder}/nowhere/report.json"], "cannot be written: No such file"),
        (["--port", "{taken}"], "something else listens on 127.0.0.1:"),
    ],
)
def test_what_cannot_work_is_said_before_anything_starts(words: list[str], says: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = [word.format(folder=tmp_path, taken=port) for word in words]
        out = subprocess.run(demo(*given), capture_output=True, text=True, check=False)
    assert out.returncode == 2
    assert says in out.stderr


def test_a_bounded_demo_that_is_interrupted_says_that_there_is_no_report(tmp_path: Path) -> None:
    words = demo("--for", "60", "--report", str(tmp_path / "report.json"))
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()  # the console is up
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "stopped before the 60 s were over" in said


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    out = subprocess.run(demo("--data", str(tmp_path)), capture_output=True, text=True, check=False)
    assert out.returncode == 2
    assert "is not empty" in out.stderr
