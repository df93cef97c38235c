"""A gate's antennas and those that its reader is told to read with have to agree."""

from pathlib import Path

import pytest

from edge.config import load
from edge.errors import ConfigError

GATE = """
edge = "store-042"
[[gates]]
name = "dock-1"
antennas = { 1 = "outside", 2 = "inside" }
[gates.reader]
"""
THINGMAGIC = 'driver = "thingmagic"\nurl = "serial:/dev/ttyUSB0"\nregion = "eu3"\n'
M100 = 'driver = "m100"\nurl = "serial:/dev/ttyUSB0"\nregion = "eu"\n'


def problems(text: str, folder: Path) -> str:
    (folder / "edge.toml").write_text(GATE + text, "utf-8")
    try:
        load(folder / "edge.toml")
    except ConfigError as error:
        return str(error).split("\n", 1)[1].strip()
    return ""


@pytest.mark.parametrize(
    "text, said",
    [
        (THINGMAGIC + "antennas = [1, 2]", ""),
        (THINGMAGIC + "antennas = [2, 1, 3]", ""),
        (
            THINGMAGIC + "antennas = [1, 3]",
            "gates[1].antennas: the reader is told to read with 1, 3, not with 2",
        ),
        (M100, ""),
        (M100 + "antenna = 2", ""),
        (M100 + "antenna = 3", "gates[1].reader.antenna: 3 is none of the gate's antennas, 1, 2"),
    ],
)
def test_each_antenna_of_a_gate_is_one_that_is_read(text: str, said: str, tmp_path: Path) -> None:
    assert problems(text, tmp_path) == said


@pytest.mark.parametrize(
    "text, said",
    [
        (THINGMAGIC + "antennas = []", "at least 1"),
        (THINGMAGIC + "antennas = [1, 1]", "names an antenna twice: 1, 1"),
        (THINGMAGIC + "antennas = [17]", "must be at most 16, not 17"),
        (
            THINGMAGIC.replace("eu3", "mars") + "antennas = [1, 2]",
            "'mars' is no region; there are na, eu, kr",
        ),
        (THINGMAGIC + "antennas = [1, 2]\npower_dbm = 40", "must be at most 33"),
        (THINGMAGIC, "reader.antennas: is needed"),
        (M100.replace('"eu"', '"mars"'), "cn900"),
        (M100 + 'framing = "cc"', "bb"),
        (M100.replace("serial:/dev/ttyUSB0", "ttyUSB0"), "is no device address"),
    ],
)
def test_what_is_wrong_in_a_serial_readers_settings_is_said(text: str, said: str, tmp_path: Path) -> None:
    assert said in problems(text, tmp_path)
