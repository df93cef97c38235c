"""What is wrong in the settings of boards and transmitters is said with its key, and with what would be right."""

from pathlib import Path

import pytest

from edge.config import load
from edge.errors import ConfigError

SHELF = """edge = "e"
[[shelves]]
name = "aisle-1"
bays = [ { name = "A1", cell = %d, capacity = 24, items = [ { gtin = "09506000134352", unit_grams = 330.0 } ] } ]
[shelves.reader]
"""
MODBUS = 'driver = "modbus_scale"\nurl = "serial:/dev/ttyUSB0?baud=%d"\n'
LINES = 'driver = "hx711_lines"\nurl = "serial:/dev/ttyUSB0?baud=115200"\n'


def problems(tmp_path: Path, reader: str, cell: int = 0) -> str:
    (tmp_path / "edge.toml").write_text(SHELF % cell + reader, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "edge.toml")
    return str(caught.value)


def fine(tmp_path: Path, reader: str, cell: int = 0) -> None:
    (tmp_path / "edge.toml").write_text(SHELF % cell + reader, "utf-8")
    load(tmp_path / "edge.toml")


def test_a_bus_is_not_asked_for_more_than_it_can_give(tmp_path: Path) -> None:
    four = 'profile = "laumas"\nunits = [1, 2, 3, 4]\npoll_s = 0.1\n'
    said = problems(tmp_path, MODBUS % 9600 + four)
    assert "shelves[1].reader: poll_s: 4 units at 9600 baud take 0.17 s a round, more than 0.1 s" in said
    assert "write poll_s = 0.17 or more, raise the speed of all of them, or use more buses" in said
    fine(tmp_path, MODBUS % 38400 + four)
    fine(tmp_path, MODBUS % 9600 + four.replace("0.1\n", "0.2\n"))
    fine(tmp_path, 'driver = "modbus_scale"\nurl = "tcp://192.0.2.30"\n' + four)  # whose speed nobody knows


@pytest.mark.parametrize(
    "written, said",
    [
        ('profile = "dini"\nunits = [1]\n', "reader: profile dini does not tell unit and decimals; set"),
        ('profile = "baykon"\nunits = [1]\nunit = "kg"\n', "reader: profile baykon does not tell decimals"),
        ('profile = "laumas"\nunits = []\n', "reader.units: is empty; name at least one unit"),
        ('profile = "laumas"\nunits = [3, 3]\n', "reader.units: [3, 3] names one twice"),
        ('profile = "laumas"\nunits = [248]\n', "reader.units[1]: must be at most 247, not 248"),
        ('profile = "laumas"\nunits = [1]\nchannels = 2\n', "reader: channels: laumas has 1 at most, not 2"),
        ('profile = "generic"\nunits = [1]\n', 'reader: map goes with profile = "generic", and only with it'),
        ('profile = "laumas"\nunits = [1]\nmap = { address = 1, format = "int16" }\n', "reader: map goes with"),
        ('profile = "generic"\nunits = [1]\nmap = { adress = 1, format = "int16" }\n', "reader.map.adress: is no"),
        ('profile = "generic"\nunits = [1]\nmap = { address = 70000, format = "int16" }\n', "reader.map.address:"),
        ('profile = "generic"\nunits = [1]\nmap = { address = 1, format = "int32", channels = 2 }\n',
         "reader.map: channel_step: is needed for 2 channels"),
        ('profile = "generic"\nunits = [1]\nmap = { address = 1, format = "int32", faults = [ { address = 1, bit = 1, '
         'fault = "broken" } ] }\n', "reader.map.faults[1]: 'broken' is no fault; write \"overload\""),
    ],
)  # fmt: skip
def test_a_bus_that_is_written_wrong(tmp_path: Path, written: str, said: str) -> None:
    assert f"shelves[1].{said}" in problems(tmp_path, MODBUS % 38400 + written)


def test_bays_are_on_cells_that_there_are(tmp_path: Path) -> None:
    said = problems(tmp_path, MODBUS % 38400 + 'profile = "laumas"\nunits = [5, 9]\n', cell=2)
    assert "A1 is on cell 2, of which the reader says nothing; it tells of cells 0, 1" in said
    fine(tmp_path, MODBUS % 38400 + 'profile = "eagle"\nunits = [5, 9]\n', cell=7)
    said = problems(tmp_path, LINES + 'columns = ["weight", "-", "weight"]\n', cell=2)
    assert "it tells of cells 0, 1" in said
    fine(tmp_path, LINES + 'columns = ["weight", "-", "weight"]\n', cell=1)


def test_counts_need_to_become_grams(tmp_path: Path) -> None:
    said = problems(tmp_path, LINES + 'columns = ["counts"]\n')
    assert (
        "shelves[1].reader: counts_per_gram has 0 numbers for 1 columns of counts; write one for each, as "
        "counts_per_gram = [1]; zero_counts has 0 numbers for 1 columns of counts; write one for each, as "
        "zero_counts = [0]; these show bare counts, which is right until it is calibrated" in said
    )
