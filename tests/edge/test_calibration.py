"""What a gate has learned is loaded with the configuration, or nothing starts and every problem is named."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.aggregator.model import ANTENNA, CERTAIN, DEFAULT, Antenna, Factor
from edge.app import fingerprint
from edge.build import gate_of
from edge.cli import edge
from edge.config import load
from edge.errors import ConfigError

EDGE = """edge = "store-042"

[[gates]]
name = "dock-1"
antennas = { 1 = "outside", 2 = "inside" }
calibration = "dock-1.gate.toml"
"""
GATE = """version = 1
gate = "dock-1"

[learned]
at = 2026-11-22T16:00:00Z
recordings = 30
tags_in = 120
tags_out = 118
tags_none = 90
right_percent = 99.1
right_percent_before = 98.2

[antennas.2]
side = "inside"
base = 0.9
per_db = 0.5

[weights]
spread = 0.8

[odds]
moving = 0.2
rest_db = 0.6
own = 0.4
load = 4.0

[confidence]
scale = 0.9
shift = -0.1
most = 0.98
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(gate: str | None = GATE, site: str = EDGE) -> Path:
        (tmp_path / "edge.toml").write_text(site, "utf-8")
        if gate is not None:
            (tmp_path / "dock-1.gate.toml").write_text(gate, "utf-8")
        return tmp_path / "edge.toml"

    return write


def test_every_value_arrives_in_the_gate(written: Callable[..., Path]) -> None:
    model = gate_of(load(written()).gates[0]).model
    assert model.antenna(2) == Antenna(0.9, 0.5)
    assert model.antenna(1) == ANTENNA
    assert dict(model.weights) == dict(DEFAULT.weights) | {Factor.SPREAD: 0.8}
    assert (model.moving, model.rest_db, model.own, model.load) == (0.2, 0.6, 0.4, 4.0)
    assert (model.scale, model.shift, model.certain) == (0.9, -0.1, 0.98)


def test_a_gate_without_one_is_as_doors_in_general(written: Callable[..., Path]) -> None:
    config = load(written(None, EDGE.replace("calibration", "# calibration")))
    assert config.gates[0].calibration is None
    assert gate_of(config.gates[0]).model == DEFAULT


def test_a_scale_of_one_changes_no_confidence() -> None:
    plain = replace(DEFAULT, scale=1.0, shift=0.0)
    for probability in (0.0, 1e-12, 0.3, 0.6, 0.97, 1.0):
        assert plain.confidence(probability) == probability
    assert DEFAULT.certain == CERTAIN


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('gate = "dock-1"', 'gate = "dock-2"', "was learned at gate 'dock-2', not at 'dock-1'"),
        ("[antennas.2]", "[antennas.7]", "knows antenna 7, which is not among this gate's: 1, 2"),
        ('side = "inside"', 'side = "outside"', "antenna 2 looked outside, not inside"),
        ("version = 1", "version = 2", "version"),
        ("base = 0.9", "base = nan", "antennas.2.base"),
        ("per_db = 0.5", "per_db = -0.5", "antennas.2.per_db"),
        ("spread = 0.8", "spred = 0.8", "weights"),
        ("most = 0.98", "most = 1.0", "confidence.most"),
        ("scale = 0.9", "scale = 0", "confidence.scale"),
        ("moving = 0.2\n", "", "odds.moving: is needed"),
        ("own = 0.4", 'own = "much"', "odds.own"),
        ("[odds]", "[odds", "line"),
    ],
)
def test_a_broken_one_is_refused_with_the_place(
    written: Callable[..., Path], old: str, new: str, said: str
) -> None:
    path = written(GATE.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert "gates[1].calibration: " in str(caught.value)
    assert "dock-1.gate.toml" in str(caught.value)
    assert said in str(caught.value)


def test_all_that_is_wrong_is_said_at_once(written: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            written(
                GATE.replace("scale = 0.9", "scale = 0").replace("own = 0.4", "own = 9"),
                EDGE + "quiet_s = -1\n",
            )
        )
    for place in ("confidence.scale", "odds.own", "gates[1].quiet_s"):
        assert place in str(caught.value)


def test_one_that_is_not_there_says_what_writes_it(written: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match=re.escape("`stockbeat gates learn` writes it")):
        load(written(None))
    with pytest.raises(ConfigError, match="name the file"):
        load(written(GATE, EDGE.replace('"dock-1.gate.toml"', "3")))


def test_check_names_it_and_refuses_a_broken_one(written: Callable[..., Path]) -> None:
    done = CliRunner().invoke(edge, ["check", str(written())])
    assert done.exit_code == 0
    assert "calibration dock-1.gate.toml" in done.output
    done = CliRunner().invoke(edge, ["check", str(written(GATE.replace("own = 0.4", "own = 9")))])
    assert done.exit_code == 1


def test_a_broken_one_keeps_the_agent_from_starting(written: Callable[..., Path]) -> None:
    done = CliRunner().invoke(edge, ["run", str(written("gate ="))])
    assert done.exit_code == 1
    assert "gates[1].calibration" in done.output


def test_the_configurations_hash_covers_what_was_learned(written: Callable[..., Path]) -> None:
    path = written()
    one = fingerprint(load(path), path.read_bytes())
    assert fingerprint(load(path), path.read_bytes()) == one
    written(GATE.replace("own = 0.4", "own = 0.5"))
    assert fingerprint(load(path), path.read_bytes()) != one
    path = written(None, EDGE.replace("calibration", "# calibration"))
    content = path.read_bytes()
    assert fingerprint(load(path), content) == "sha256:" + hashlib.sha256(content).hexdigest()
