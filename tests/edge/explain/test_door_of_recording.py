"""`stockbeat gates explain` of a recording that comes without its door's configuration."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.aggregator.gate import Side
from edge.config import load
from edge.errors import ConfigError
from edge.explain.door import door_of, sides
from edge.gates_cli import gates
from edge.replay import events
from simulators.doors.scenes import SCENES, Scene
from wire.events import TagMovement

pytestmark = [pytest.mark.timeout(60), pytest.mark.xdist_group("explain")]

SHELF = b'{"type":"weight","at":"2026-03-02T06:00:00Z","shelf":"aisle-1","cell":3,"grams":1234.5}\n'
FOUR = {1: Side.OUTSIDE, 2: Side.OUTSIDE, 3: Side.INSIDE, 4: Side.INSIDE}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return SCENES["four_antennas"](2)


@pytest.fixture
def recording(scene: Scene, tmp_path: Path) -> Path:
    path = tmp_path / "door.jsonl"
    path.write_bytes(b"".join([scene.lines[0], SHELF, *scene.lines[1:]]))
    return path


def _explain(recording: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(gates, ["explain", str(recording), *more])
    return result.exit_code, result.output


def test_sides_are_told_on_the_command_line_or_assumed_and_said_to_be(
    recording: Path, scene: Scene, tmp_path: Path
) -> None:
    (tmp_path / "edge.toml").write_text(scene.config, "utf-8")
    said = list(events(load(tmp_path / "edge.toml"), scene.lines))
    epc = next(event.epc for event in said if isinstance(event, TagMovement))
    code, assumed = _explain(recording, "--epc", epc)
    assert code == 0, assumed
    assert "- assumed, since a recording does not say it: antennas of dock-1 look 1, 2 outside" in assumed
    code, told = _explain(recording, "--epc", epc, "--antennas", "1=outside, 2=outside, 3=inside, 4=inside")
    assert code == 0, told
    assert "assumed" not in told
    code, turned = _explain(recording, "--epc", epc, "--antennas", "1=inside,2=inside,3=outside,4=outside")
    assert code == 0, turned
    assert ("went in" in told.splitlines()[0]) == ("went out" in turned.splitlines()[0])


def test_what_is_derived_has_every_gate_and_shelf(recording: Path) -> None:
    config, assumed = door_of(recording, None)
    assert [(gate.name, gate.antennas) for gate in config.gates] == [("dock-1", FOUR)]
    assert [(shelf.name, [bay.cells for bay in shelf.bays]) for shelf in config.shelves] == [
        ("aisle-1", [(3,)])
    ]
    assert len(assumed) == 1
    config, assumed = door_of(recording, sides("1=inside,2=outside"))
    assert config.gates[0].antennas == {1: Side.INSIDE, 2: Side.OUTSIDE}
    assert assumed == []


def test_one_antenna_needs_more_than_a_recording(tmp_path: Path) -> None:
    eyes = SCENES["antenna_and_eyes"](1)
    path = tmp_path / "eyes.jsonl"
    path.write_bytes(b"".join(eyes.lines))
    code, said = _explain(path, "--epc", "3074")
    assert code == 1
    assert "dock-1 has reads of antenna 1 only" in said
    assert "--config" in said
    _, assumed = door_of(path, sides("1=outside,2=inside"))
    assert assumed == [
        "inputs are drawn and not judged: only a configuration (--config) says what is wired to them"
    ]


@pytest.mark.parametrize(
    "text, said",
    [
        ("1=outside,2=up", "'2=up' should be an antenna's number and its side"),
        ("outside", "'outside' should be"),
        ("0=outside,1=inside", "'0=outside' should be"),
        ("", "'' should be"),
        ("1=outside,2=outside", "none looks inside"),
    ],
)
def test_antennas_that_say_nothing_are_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"--antennas: {said}"):
        sides(text)


def test_antennas_and_a_configuration_are_one_too_many(recording: Path) -> None:
    code, said = _explain(recording, "--epc", "3074", "--config", "edge.toml", "--antennas", "1=inside")
    assert code == 2
    assert "--antennas is for a recording without --config" in said


@pytest.mark.parametrize("config", [True, False])
def test_a_csv_is_no_recording_and_is_named_with_what_is(scene: Scene, tmp_path: Path, config: bool) -> None:
    (tmp_path / "edge.toml").write_text(scene.config, "utf-8")
    labels = tmp_path / "labels.csv"
    labels.write_text("recording,epc,direction\n", "utf-8")
    more = ("--config", str(tmp_path / "edge.toml")) if config else ()
    code, said = _explain(labels, "--epc", "3074", *more)
    assert code == 1
    assert said.startswith(
        f"{labels}: line 1: this is no recording: one is JSON Lines, as `stockbeat edge record`"
    )
    assert "not b'recording,epc,direction" in said
