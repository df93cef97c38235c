"""The whole agent as a process: it plays recordings, stops when told, and shows what it holds."""

import asyncio
import json
import re
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.reads import Read
from edge.recording import Recording, line
from tests.support.agents import edge, running, write_config, write_recording
from tests.support.doors import epc, going_in, going_out, merged, walk
from tests.support.scales import samples
from tests.support.servers import Server, free_port
from tests.support.small_ledger import SmallLedger
from tests.support.uplinks import ingest
from wire import codec
from wire.events import DeviceDown, DeviceUp, RunStarted, ShelfChange, TagMovement

pytestmark = pytest.mark.timeout(60)

SECOND = "2" * 32  # a ledger's name, as a cloud draws it


def a_morning() -> list[Read]:
    """Three cases in and one out, and a can taken from the shelf."""
    tags = merged(*(walk(epc(n), going_in(5.0 + n / 5)) for n in range(3)), walk(epc(9), going_out(30.0)))
    weights = samples([(0.0, 1320.0), (20.0, 990.0)], 40.0)
    reads: list[Read] = [*tags, *weights]
    return sorted(reads, key=lambda read: read.at_us)


async def test_a_recording_played_through_the_agent_says_what_replay_says(
    mosquitto: Server, tmp_path: Path
) -> None:
    config = write_config(tmp_path, mosquitto.port)
    recording = write_recording(tmp_path / "morning.jsonl", a_morning())
    replayed = edge_replay(config, recording)
    async with ingest(mosquitto.port) as cloud:
        done = await asyncio.to_thread(
            edge, "run", config, "--recording", recording, "--speed", "40", "--linger", "20"
        )
        assert done.code == 0, done.err
        assert done.seconds < 20
        said = [codec.decode(line).event for line in cloud.ledger.lines.values()]
        assert cloud.statuses[-2:] == ["online", "offline"]
    assert isinstance(said[0], RunStarted)
    assert said[0].versions["stockbeat"]
    moved = [event for event in said if isinstance(event, TagMovement | ShelfChange)]
    assert len(moved) == 5
    expected = [e for e in replayed if e["type"] in ("tag_movement", "shelf_change")]
    key = ("type", "at", "outcome", "confidence")
    found = [json.loads(line)["event"] for line in cloud.ledger.lines.values()]
    found = [event for event in found if event["type"] in ("tag_movement", "shelf_change")]
    assert sorted([event[k] for k in key] for event in found) == sorted([e[k] for k in key] for e in expected)
    assert {event.device for event in said if isinstance(event, DeviceUp)} == {"dock-1", "aisle-1"}
    assert {event.device for event in said if isinstance(event, DeviceDown)} == {"dock-1", "aisle-1"}
    assert "stopped; 0 events wait" in done.err
    status = edge("status", config)
    assert "held\t0 events not acknowledged" in status.out
    wall = datetime.now(UTC).date().isoformat()
    assert f"health\tas of {wall}" in status.out
    assert "recording\tplayed to 2025-11-22T09:1" in status.out
    assert "quarantined\t0 events" in status.out
    assert "agent\tnot running" in status.out
    assert "ledger\tledger-1, generation 1" in status.out


def edge_replay(config: Path, recording: Path) -> list[dict[str, str]]:
    from_cli = edge("replay", config, recording)
    assert from_cli.code == 0, from_cli.err
    return [json.loads(line) for line in from_cli.out.splitlines()]


async def test_a_recording_ends_after_its_lingering_when_nobody_answers(tmp_path: Path) -> None:
    config = write_config(tmp_path, free_port())
    recording = write_recording(tmp_path / "morning.jsonl", a_morning())
    done = edge("run", config, "--recording", recording, "--speed", "200", "--linger", "0.5")
    assert done.code == 0
    assert "not acknowledged after" in done.err
    status = edge("status", config)
    held = re.search(r"held\t(\d+) events not acknowledged", status.out)
    assert held, status.out
    assert int(held[1]) == len(edge_replay(config, recording)) + 5  # start, both devices up and down
    assert "no connection to the broker" in status.out


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_within_two_seconds_of_being_told(tmp_path: Path, how: signal.Signals) -> None:
    config = write_config(tmp_path, free_port())
    with running("run", config, log=tmp_path / "edge.log") as agent:
        agent.wait_for("no connection to the broker")
        second = edge("run", config)
        assert (second.code, second.err.count("\n")) == (1, 1)
        assert f"in use by process {agent.process.pid}; an edge has one agent" in second.err
        assert f"running, process {agent.process.pid}" in edge("status", config).out
        done = agent.stop(how)
    assert done.code == 0, done.err
    if done.seconds >= 2:  # a busy machine may have had no time for it; twice in a row it is ours
        with running("run", config, log=tmp_path / "again.log") as again:
            again.wait_for("no connection to the broker")
            assert again.stop(how).seconds < 2
    assert "Traceback" not in done.err
    assert "stopped; " in done.err


def test_it_stops_within_two_seconds_when_the_broker_has_gone_silent(
    mosquitto: Server, tmp_path: Path
) -> None:
    config = write_config(tmp_path, mosquitto.port)
    with running("run", config, log=tmp_path / "edge.log") as agent:
        agent.wait_for("connected to the broker")
        mosquitto.pause()
        done = agent.stop()
        mosquitto.resume()
    assert (done.code, "Traceback" in done.err) == (0, False)
    assert done.seconds < 2


async def test_a_person_names_the_ledger_of_a_running_agent(mosquitto: Server, tmp_path: Path) -> None:
    config = write_config(tmp_path, mosquitto.port)
    with running("run", config, log=tmp_path / "edge.log") as agent:
        async with ingest(mosquitto.port, SmallLedger(name="first")):
            await asyncio.to_thread(agent.wait_for, "ledger first, generation 1, is trusted")
    with running("run", config, log=tmp_path / "edge.log") as agent:
        async with ingest(mosquitto.port, SmallLedger(name=SECOND)):
            await asyncio.to_thread(agent.wait_for, f"unknown ledger {SECOND}")
            said = await asyncio.to_thread(edge, "trust", config, SECOND)
            assert (said.code, said.err) == (0, "")
            await asyncio.to_thread(agent.wait_for, f"ledger {SECOND}, generation 1, is trusted")
            await asyncio.to_thread(agent.wait_for, "no longer: unknown ledger")


async def test_the_journal_of_an_agent_is_a_recording(tmp_path: Path) -> None:
    config = write_config(tmp_path, free_port())
    reads = a_morning()
    recording = write_recording(tmp_path / "morning.jsonl", reads)
    edge("run", config, "--recording", recording, "--speed", "500", "--linger", "0")
    cut = tmp_path / "cut.jsonl"
    done = edge("record", config, "--from-journal", "--out", cut, "--since", "2025-11-22T09:00:20")
    assert (done.code, done.err) == (0, "")
    with cut.open("rb") as lines:
        found = list(Recording(lines))
    since_us = 1_763_802_020_000_000
    expected = [read for read in reads if read.at_us >= since_us and not hasattr(read, "grams")]
    assert found == expected
    assert len(found) > 10


def test_errors_are_one_message_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text('edge = "Store 42"\n')
    done = edge("check", tmp_path / "edge.toml")
    assert (done.code, done.out) == (1, "")
    assert "edge: 1 to 40 of a-z" in done.err
    (tmp_path / "edge.toml").write_text('edge = "store-042"\n')
    done = edge("run", tmp_path / "edge.toml")
    assert done.code == 1
    assert "uplink: is needed to run" in done.err
    done = edge("status", tmp_path / "edge.toml")
    assert done.code == 1
    assert "no agent has run with this configuration yet" in done.err
    config = write_config(tmp_path, free_port())
    done = edge("run", config, "--recording", tmp_path / "none.jsonl")
    assert done.code == 1
    assert done.err.strip() == f"{tmp_path / 'none.jsonl'}: No such file or directory"
    done = edge("check", tmp_path / "none.toml")
    assert (done.code, done.err.strip()) == (1, f"{tmp_path / 'none.toml'}: No such file or directory")
    done = edge("record", config, "--from-journal")
    assert (done.code, done.out) == (1, "")
    assert "no agent has run with this configuration yet" in done.err
    done = edge("record", config, "--from-journal", "--out", tmp_path / "cut.jsonl")
    assert done.code == 1
    done = edge("trust", config, SECOND)
    assert done.code == 1
    assert "no agent has run with this configuration yet" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["edge.toml"]


@pytest.mark.parametrize("bad", [b'{"type":"tag"\n', line(walk(epc(1), going_in(5.0), gate="dock-9")[0])])
def test_a_bad_recording_is_one_message_and_begins_nothing(
    mosquitto: Server, tmp_path: Path, bad: bytes
) -> None:
    config = write_config(tmp_path, mosquitto.port)
    recording = write_recording(tmp_path / "bad.jsonl", a_morning()[:1])
    recording.write_bytes(recording.read_bytes() + bad)
    played, replayed = edge("run", config, "--recording", recording), edge("replay", config, recording)
    assert (played.code, played.out) == (1, "")
    assert f"{recording}: line 3: " in played.err
    assert played.err.count("\n") == 1
    assert (replayed.code, replayed.err) == (1, played.err)
    assert {path.name for path in tmp_path.iterdir()} - {"mosquitto"} == {"edge.toml", "bad.jsonl"}


def test_check_lists_what_there_is_and_touches_nothing(tmp_path: Path) -> None:
    config = write_config(tmp_path, 1)
    done = edge("check", config)
    assert done.code == 0
    assert done.out.splitlines() == [
        "gate\tdock-1\tllrp tcp://127.0.0.1:9\tantennas 1, 2",
        f"shelf\taisle-1\tsics serial:{tmp_path}/no-scale\tbays A1",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["edge.toml"]
