"""docs/devices/dock-door.md, done as it is written: with simulated readers, in the order of its steps."""

import asyncio
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from edge.config import load
from edge.learn.labels import Way, read_labels

pytestmark = pytest.mark.timeout(120)
PAGE = (Path(__file__).parents[2] / "docs" / "devices" / "dock-door.md").read_text("utf-8")
PROGRAM = (sys.executable, "-c", "from stockbeat.cli import main; main()")


def lines(beginning: str) -> list[str]:
    """The commands of the page that begin so, without what is remarked behind them."""
    return [line.partition("  #")[0].strip() for line in PAGE.splitlines() if line.startswith(beginning)]


def toml(number: int) -> str:
    found = list(re.finditer(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    return found[number][1]


async def type_in(line: str, folder: Path) -> tuple[int, str]:
    """What a person types, there; its exit code, and all that it prints."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, *shlex.split(line)[1:], cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


def bash(number: int) -> str:
    return str(re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[number])


async def shell(script: str, folder: Path) -> tuple[int, str]:
    """What a person pastes into bash there, who then presses Enter whenever asked."""
    program = "stockbeat() { " + shlex.join(PROGRAM) + ' "$@" < /dev/null; }\n'
    process = await asyncio.create_subprocess_exec(
        "bash", "-ec", program + script, cwd=folder,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate(b"\n" * 100)
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_a_reader_is_tried_configured_recorded_and_replayed(tmp_path: Path) -> None:
    simulator = await asyncio.create_subprocess_exec(
        *PROGRAM, "simulate", "llrp", "--listen", "127.0.0.1:0", "--tags", "12",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert simulator.stdout
    try:
        url = (await simulator.stdout.readline()).decode().strip()
        (tmp_path / "edge.toml").write_text(toml(0).replace("tcp://192.0.2.10:5084", url), "utf-8")
        (check,) = lines("stockbeat edge check edge.toml")
        code, said = await type_in(check, tmp_path)
        assert code == 0, said
        assert f"gate\tdock-1\tllrp {url}\tantennas 1, 2, 3, 4" in said
        (test,) = lines("stockbeat readers test --config edge.toml")
        code, said = await type_in(test, tmp_path)
        assert code in (0, 2), said
        assert all(f"antenna {number}\t" in said for number in (1, 2, 3, 4))
        (record,) = lines("stockbeat edge record edge.toml --for 90")
        code, said = await type_in(record.replace("--for 90", "--for 3"), tmp_path)
        assert code == 0, said
        code, said = await shell(bash(0).replace("--for 60", "--for 1").replace("--for 90", "--for 1")
                                 .replace(" 04 05 06 07 08 09 10", ""), tmp_path)  # fmt: skip
        assert code == 0, said
        code, said = await shell(bash(1), tmp_path)
        assert code == 0, said
        labels = read_labels(tmp_path / "labels.csv")
        assert [each.name for each in labels] == [
            f"{way}-{number:02d}.jsonl" for way in ("in", "out", "none") for number in (1, 2, 3)
        ]
        assert all(set(each.tags.values()) == {Way.NONE} for each in labels)  # nothing moves before it
        (replay,) = lines("stockbeat replay edge.toml pass-01.jsonl")
        code, said = await type_in(replay, tmp_path)
        assert code == 0, said
        assert (tmp_path / "pass-01.jsonl").stat().st_size > 1000
    finally:
        simulator.terminate()
        await simulator.wait()
        await simulator.stdout.read()


async def test_the_practice_scene_is_made_replayed_and_explained(tmp_path: Path) -> None:
    (make,) = lines("stockbeat simulate scene")
    code, said = await type_in(make, tmp_path)
    assert code == 0, said
    (replay,) = lines("stockbeat replay scene-1")
    code, said = await type_in(replay, tmp_path)
    assert code == 0, said
    moved = [json.loads(line) for line in said.splitlines()]
    moved = [event for event in moved if event["type"] == "tag_movement"]
    truth = [
        json.loads(line) for line in (tmp_path / "scene-1" / "truth.jsonl").read_text("utf-8").splitlines()
    ]
    assert {event["epc"] for event in moved} & {each["epc"] for each in truth if each["type"] == "crossed"}
    (explain,) = lines("stockbeat gates explain")
    for part, there in (
        ("pass-01.jsonl", "scene-1/recording.jsonl"),
        ("edge.toml", "scene-1/edge.toml"),
        ("3074257BF7194E4000001A85", moved[0]["epc"]),
    ):
        explain = explain.replace(part, there)
    code, said = await type_in(explain, tmp_path)
    assert code == 0, said
    assert moved[0]["epc"] in said or "passage" in said


async def test_a_door_of_one_antenna_with_eyes_and_four_reference_tags_are_configured_as_shown(
    tmp_path: Path,
) -> None:
    """What stands below `antennas`, put there; and the other door beside it."""
    (tmp_path / "edge.toml").write_text("\n".join(map(toml, (0, 1, 2))), "utf-8")
    four, one = load(tmp_path / "edge.toml").gates
    assert sorted(four.reference_tags) == sorted(four.antennas) == [1, 2, 3, 4]
    assert four.eyes
    assert one.eyes
    assert sorted(one.antennas) == [1]


async def test_teaching_a_door_is_practised_on_a_simulated_one(tmp_path: Path) -> None:
    (make,) = lines("stockbeat simulate passes")
    code, said = await type_in(f"{make} --each 4", tmp_path)
    assert code == 0, said
    (learn,) = lines("stockbeat gates learn --config practice/edge.toml")
    code, said = await type_in(learn, tmp_path)
    assert code == 0, said
    assert "gate dock-1: 12 recordings" in said
    config = tmp_path / "practice" / "edge.toml"
    config.write_text(config.read_text("utf-8") + 'calibration = "dock-1.gate.toml"\n', "utf-8")
    code, said = await type_in("stockbeat edge check practice/edge.toml", tmp_path)
    assert code == 0, said
    assert "calibration dock-1.gate.toml" in said
