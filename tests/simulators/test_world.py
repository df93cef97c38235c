"""A whole simulated store, in real time: its devices answer, and its truth adds up."""

import asyncio
import json
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import serial

from simulators.scenario import load
from simulators.schedule import Schedule

ROOT = Path(__file__).resolve().parents[2]
STORE = ROOT / "simulators" / "scenarios" / "store.toml"


def start(folder: Path, *options: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "simulators", "world", "--dir", str(folder), *options], cwd=ROOT
    )


def devices(folder: Path) -> dict[str, Any]:
    """What world.json says, once it is there."""
    deadline = time.monotonic() + 20
    while not (folder / "world.json").exists():
        assert time.monotonic() < deadline, "no world.json"
        time.sleep(0.02)
    told: dict[str, Any] = json.loads((folder / "world.json").read_text())
    return told


def truth(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]


@pytest.mark.timeout(90)
def test_a_short_run_tells_the_truth(tmp_path: Path) -> None:
    process = start(
        tmp_path / "w", "--seed", "4", "--for", "22", "--quiet-last", "4", "--wait", "0", "--linger", "0"
    )
    assert process.wait(80) == 0
    lines = truth(tmp_path / "w")
    plan = Schedule(scenario=load(STORE), seed=4, lasts_s=22, quiet_s=4)
    began, end = lines[0], lines[-1]
    assert (began["type"], began["seed"], end["type"]) == ("start", 4, "end")
    shelf = [
        (line["bay"], line["gtin"], line["action"], line["units"])
        for line in lines
        if line["type"] == "shelf"
    ]
    assert sorted(shelf) == sorted((a.bay, a.gtin, a.act.value, a.units) for a in plan.actions())
    crossed = {line["epc"] for line in lines if line["type"] == "crossed"}
    visits = [visit for gate in plan.scenario.gates for visit in plan.visits(gate)]
    assert crossed == {epc for visit in visits if visit.way.value != "turned_back" for epc in visit.epcs}
    assert crossed
    assert {line["epc"] for line in lines if line["type"] == "stray"} == {
        epc for gate in plan.scenario.gates for epc, _ in plan.strays(gate)
    }
    stands = {bay: dict(units) for bay, units in began["shelves"].items()}
    for bay, gtin, _, units in shelf:
        stands[bay][gtin] += units
    assert end["shelves"] == stands
    assert set(end["inside"]) == crossed  # nothing leaves in so short a run


@pytest.mark.timeout(60)
def test_scales_show_the_opening_stock_and_readers_greet(tmp_path: Path) -> None:
    process = start(tmp_path / "w", "--seed", "4", "--for", "60", "--wait", "60")
    try:
        told = devices(tmp_path / "w")
        assert told["pid"] == process.pid
        plan = Schedule(scenario=load(STORE), seed=4, lasts_s=60, quiet_s=10)
        for shelf in plan.scenario.shelves:
            expected = shelf.tray_grams + sum(sum(masses) for masses in plan.opening(shelf).values())
            path = told["shelves"][shelf.name].removeprefix("serial:").partition("?")[0]
            with serial.Serial(path, 9600, timeout=5) as port:
                port.write(b"S\r\n")
                words = port.readline().split()
            assert words[:2] == [b"S", b"S"]
            assert float(words[2]) == pytest.approx(expected, abs=1.0)
        for url in told["gates"].values():
            assert asyncio.run(greeting(url)) == bytes.fromhex("0100 0006 0000")
        assert not (tmp_path / "w" / "truth.jsonl").exists()  # nothing happens before all devices are in use
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert [line["type"] for line in truth(tmp_path / "w") if line["type"] != "stray"] == ["start", "end"]


async def greeting(url: str) -> bytes:
    host, port = url.removeprefix("tcp://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    _, length, _ = struct.unpack("!HII", await reader.readexactly(10))
    body = await reader.readexactly(length - 10)
    writer.close()
    await writer.wait_closed()
    return body[-6:]


@pytest.mark.timeout(60)
def test_being_stopped_still_ends_the_truth(tmp_path: Path) -> None:
    process = start(tmp_path / "w", "--wait", "0", "--for", "600")
    devices(tmp_path / "w")
    while not (tmp_path / "w" / "truth.jsonl").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert truth(tmp_path / "w")[-1]["type"] == "end"
    assert not list((tmp_path / "w").glob("tty-*"))


@pytest.mark.parametrize(
    "options, complaint",
    [
        (["--trouble", "dock-9=drip"], "no device is called dock-9"),
        (["--trouble", "dock-1"], "should be DEVICE=NAME"),
        (["--trouble", "dock-1=rain"], "no trouble is called 'rain'"),
        (["--scenario", "nowhere.toml"], "does not exist"),
    ],
)
def test_wrong_options_are_refused_in_words(tmp_path: Path, options: list[str], complaint: str) -> None:
    words = [sys.executable, "-m", "simulators", "world", "--dir", str(tmp_path / "w"), *options]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 2
    assert complaint in answer.stderr.replace("\n", " ")


def test_a_folder_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "truth.jsonl").write_text("")
    words = [sys.executable, "-m", "simulators", "world", "--dir", str(tmp_path)]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 2
    assert "every world gets a new folder" in answer.stderr


def test_a_misspelt_key_in_a_scenario_is_named(tmp_path: Path) -> None:
    scenario = tmp_path / "s.toml"
    scenario.write_text(STORE.read_text().replace("capacity = 24", "capasity = 24"))
    words = [sys.executable, "-m", "simulators", "plan", "--scenario", str(scenario)]
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 1
    assert "capasity" in answer.stderr
