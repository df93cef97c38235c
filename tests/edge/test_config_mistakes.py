"""Configurations that are wrong: each mistake is named by its key, with what would be right."""

from pathlib import Path

import pytest

from edge.config import load
from edge.errors import ConfigError
from tests.support.configs import GATE, SHELF, problems, read


def test_every_problem_is_in_one_message(tmp_path: Path) -> None:
    text = """
edge = "Store 42"
colour = "red"
[uplink]
url = "mqtt://me:secret@broker.example"
[[gates]]
name = "dock 1"
reader = { driver = "llrp", url = "http://192.0.2.10", port = 1 }
antennas = { 1 = "outside", 2 = "front" }
[[gates]]
name = "dock-2"
reader = { driver = "fax" }
[[shelves]]
name = "dock-2"
bays = [ { name = "A1", cell = 0, cells = [1], capacity = 1, items = [] }, { name = "A1", capacity = 0, items = [] } ]
"""
    said = problems(tmp_path, text)
    assert "secret" not in "\n".join(said)
    assert [line.split(": ")[0] for line in said] == [
        "edge",
        "uplink.url",
        "gates[1].name",
        "gates[1].reader.url",
        "gates[1].reader.port",
        "gates[1].antennas.2",
        "gates[2].reader",
        "gates[2].antennas",
        "shelves[1].bays[1]",
        "shelves[1].bays[2].cell",
        "shelves[1].bays[2].capacity",
        "colour",
        "shelves[1].name",
        "shelves[1].bays[2].name",
    ]


BAY = 'name = "A1", capacity = 1, items = []'


@pytest.mark.parametrize(
    "text, problem",
    [
        ("", "edge: is needed"),
        ('edge = "Store"', "edge: 1 to 40 of a-z, 0-9 and hyphen, not 'Store'"),
        ('edge = "e"\ncolour = 1', "colour: is no setting here"),
        (
            'edge = "e"\n[uplink]\nurl = "http://x"',
            "uplink.url: 'http://x' is no broker's address; write mqtt://host",
        ),
        ('edge = "e"\n[uplink]\nurl = "mqtt://x:y"', "uplink.url: 'mqtt://x:y' is no URL"),
        ('edge = "e"\n[uplink]\nurl = "mqtt://x/topic"', "write only mqtt://host:port"),
        (
            'edge = "e"\n[uplink]\nurl = "mqtt://me:pw@x"',
            "put them in credentials_file or in STOCKBEAT_UPLINK_USERNAME",
        ),
        (
            'edge = "e"\n[uplink]\nurl = "mqtt://x"\nmqtt_version = 4',
            "uplink.mqtt_version: must be 3 or 5, not 4",
        ),
        (
            'edge = "e"\n[store]\nkeep_days = -1',
            "store.keep_days: must be at least 0, not -1",
        ),
        (
            'edge = "e"\n[[gates]]\nname = "d"\nantennas = [1, 2]',
            "gates[1].antennas: say where each antenna looks",
        ),
        (
            'edge = "e"\n[[gates]]\nname = "d"\nantennas = { 1 = "inside" }',
            "gates[1].antennas: none looks outside",
        ),
        (
            'edge = "e"\n[[gates]]\nname = "d"\nantennas = { 1 = "inside" }\neyes = { outside = 2, inside = 2 }',
            "gates[1].eyes: both eyes are on input 2",
        ),
        (
            'edge = "e"\n[[gates]]\nname = "d"\nantennas = { 1 = "inside" }\neyes = { outside = 1, inside = 2 }\n'
            'reader = { driver = "m100", url = "serial:/dev/ttyUSB0", region = "eu", antenna = 1 }',
            "gates[1].eyes: driver 'm100' tells of no inputs",
        ),
        (
            'edge = "e"\n[[gates]]\nname = "d"\nantennas = { 1 = "inside", 2 = "" }',
            "gates[1].antennas.2: must be 'outside' or 'inside', not ''",
        ),
        (
            'edge = "e"\n[[gates]]\nname = "d"\nantennas = { one = "inside" }',
            "gates[1].antennas.one: write a whole number, not 'one'",
        ),
        (
            f'edge = "e"\n{GATE}role = "porch"',
            "gates[1].role: must be 'dock', 'doorway', 'staging' or 'exit'",
        ),
        (
            f'edge = "e"\n{GATE}joins = {{ outside = "a", inside = "a" }}',
            "gates[1].joins: both sides are 'a'",
        ),
        (f'edge = "e"\n{GATE}joins = {{ outside = "a" }}', "gates[1].joins.inside: is needed"),
        (
            f'edge = "e"\n{GATE}joins = ["yard", "backroom"]',
            'gates[1].joins: say the place on each side, as { outside = "yard", inside = "backroom" }, not [\'yard\'',
        ),
        (
            f'edge = "e"\n{GATE}eyes = [1, 2]',
            "gates[1].eyes: say which input each side's photo-eye is wired to, as { outside = 1, "
            "inside = 2 }, not [1, 2]",
        ),
        (
            f'edge = "e"\n{GATE}eyes = {{ outside = "left", inside = 2 }}',
            "gates[1].eyes.outside: write a whole number, not 'left'",
        ),
        (
            f'edge = "e"\n{GATE}eyes = {{ outside = 1, inside = 2.5 }}',
            "gates[1].eyes.inside: write a whole number, not 2.5",
        ),
        (f'edge = "e"\n{GATE}quiet_s = true', "gates[1].quiet_s: write a number, not true"),
        ('edge = "e"\n[store]\nkeep_days = false', "store.keep_days: write a number, not false"),
        ('edge = "e"\n[store]\njournal_mb = true', "store.journal_mb: write a whole number, not true"),
        (
            'edge = "e"\n[uplink]\nurl = "mqtt://x"\nack_fault_s = true',
            "uplink.ack_fault_s: write a number, not true",
        ),
        (
            f'edge = "e"\n{GATE}reader = {{ driver = "llrp", url = "tcp://x:1", silence_s = true }}',
            "gates[1].reader.silence_s: write a number, not true",
        ),
        (
            f'edge = "e"\n{GATE}reader = {{ driver = "llrp", url = "tcp://x:1", antennas = [1, true] }}',
            "gates[1].reader.antennas[2]: write a whole number, not true",
        ),
        (
            f'edge = "e"\n{GATE}reader = {{ driver = "thingmagic", url = "tcp://x:1", region = "eu", '
            "antennas = [1, 2], antenna_power_dbm = { 1 = true } }",
            "gates[1].reader.antenna_power_dbm.1: write a number, not true",
        ),
        (f'edge = "e"\n{GATE}quiet_s = "long"', "gates[1].quiet_s: write a number, not 'long'"),
        ('edge = "e"\n[store]\njournal_mb = 1.5', "store.journal_mb: write a whole number, not 1.5"),
        ('edge = "e"\n[clock]\ntrust = "perhaps"', "clock.trust: write true or false, not 'perhaps'"),
        ('edge = "e"\n[store]\npath = 5', "store.path: write a path in quotes, not 5"),
        (
            f'edge = "e"\n{GATE}reference_tags = [1]',
            "gates[1].reference_tags: write a table, as { key = value }",
        ),
        (
            f'edge = "e"\n{GATE}reader = "tcp://x:1"',
            'gates[1].reader: say its driver and where it is, as { driver = "llrp", url = "tcp://192.0.2.10:5084" }, '
            "not 'tcp://x:1'",
        ),
        (
            f'edge = "e"\n{GATE}reader = {{ driver = "llrp", url = "tcp://x:1", power_dbm = "hot" }}',
            "gates[1].reader.power_dbm: write a number, not 'hot'",
        ),
        (f'edge = "e"\n{SHELF}bays = 5', "shelves[1].bays: write a list, as [ … ], not 5"),
        (f'edge = "e"\n{GATE}colour = "x"', "gates[1].colour: is no setting here"),
        (f'edge = "e"\n{GATE}quiet_s = 0', "gates[1].quiet_s: must be at least 0.1, not 0"),
        (
            f'edge = "e"\n{GATE}reader = {{ driver = "fax" }}',
            "gates[1].reader: driver 'fax' is none of 'ascii_scale', ",
        ),
        (f'edge = "e"\n{GATE}reader = {{ url = "tcp://x:1" }}', "gates[1].reader: driver is needed"),
        (f'edge = "e"\n{GATE}reader = {{ driver = "llrp" }}', "gates[1].reader.url: is needed"),
        (
            f'edge = "e"\n{GATE}reader = {{ driver = "llrp", url = "tcp://x:1", session = 4 }}',
            "gates[1].reader.session: must be at most 3, not 4",
        ),
        (
            f'edge = "e"\n{GATE}reader = {{ driver = "sics", url = "tcp://x:1" }}',
            "gates[1].reader: driver 'sics' reads weights; a gate needs one that reads tags",
        ),
        (f'edge = "e"\n{GATE}{GATE}', "gates[2].name: 'dock-1' is taken by gates[1].name"),
        (
            f'edge = "e"\n{SHELF}reader = {{ driver = "llrp", url = "tcp://x:1" }}\nbays = [ {{ {BAY}, cell = 0 }} ]',
            "shelves[1].reader: driver 'llrp' reads tags; a shelf needs one that weighs",
        ),
        (
            f'edge = "e"\n{SHELF}reader = {{ driver = "sics", url = "tcp://x" }}\nbays = [ {{ {BAY}, cell = 0 }} ]',
            "shelves[1].reader.url: 'tcp://x' names no port; write tcp://x:port",
        ),
        (f'edge = "e"\n{SHELF}bays = []', "shelves[1].bays: is empty; a shelf has at least one bay"),
        (f'edge = "e"\n{SHELF}bays = [ {{ {BAY} }} ]', "shelves[1].bays[1].cell: is needed"),
        (
            f'edge = "e"\n{SHELF}bays = [ {{ {BAY}, cell = 0, cells = [0] }} ]',
            "shelves[1].bays[1]: has both cell and",
        ),
        (f'edge = "e"\n{SHELF}bays = [ {{ {BAY}, cells = [] }} ]', "shelves[1].bays[1].cells: is empty"),
        (
            f'edge = "e"\n{SHELF}bays = [ {{ {BAY}, cell = -1 }} ]',
            "shelves[1].bays[1].cell: must be at least 0",
        ),
        (
            f'edge = "e"\n{SHELF}bays = [ {{ {BAY}, cells = [0, 0] }} ]',
            "bays[1].cells[2]: 0 is taken by shelves[1]",
        ),
        (
            f'edge = "e"\n{SHELF}bays = [ {{ {BAY}, cell = 0 }}, {{ {BAY.replace("A1", "A2")}, cells = [1, 0] }} ]',
            "shelves[1].bays[2].cells[2]: 0 is taken by shelves[1].bays[1].cell; each bay's cell is its own",
        ),
        (
            f'edge = "e"\n{SHELF}bays = [ {{ {BAY}, cell = 0 }}, {{ {BAY}, cell = 1 }} ]',
            "shelves[1].bays[2].name: 'A1' is taken by shelves[1].bays[1].name",
        ),
        (
            f'edge = "e"\n{SHELF}reader = {{ driver = "sics", url = "tcp://x:1" }}\nbays = [ {{ {BAY}, cell = 1 }} ]',
            "shelves[1].bays[1].cell: a scale of this kind has only cell 0, not 1",
        ),
        (
            f'edge = "e"\n{SHELF}reader = {{ driver = "sics", url = "tcp://x:1", send = "SR" }}\n'
            f"bays = [ {{ {BAY}, cell = 0 }} ]",
            "shelves[1].reader.send: 'SR' makes the scale report only changes of 12.5 %",
        ),
        (
            f'edge = "e"\n{SHELF}reader = {{ driver = "ascii_scale", url = "tcp://x:1", dialect = "and" }}\n'
            f"bays = [ {{ {BAY}, cell = 1 }} ]",
            "shelves[1].bays[1].cell: a scale of this kind has only cell 0, not 1",
        ),
        (
            f'edge = "e"\n{SHELF}reader = {{ driver = "ascii_scale", url = "tcp://x:1" }}\n'
            f"bays = [ {{ {BAY}, cell = 0 }} ]",
            "shelves[1].reader.dialect: is needed",
        ),
        (
            f'edge = "e"\n{SHELF}reader = {{ driver = "ascii_scale", url = "tcp://x:1", dialect = "toledo", '
            f'mode = "poll" }}\nbays = [ {{ {BAY}, cell = 0 }} ]',
            "shelves[1].reader: mode: Toledo continuous knows no question; write 'stream'",
        ),
    ],
)
def test_names_the_key_as_written_and_says_what_would_be_right(
    tmp_path: Path, text: str, problem: str
) -> None:
    assert any(problem in line for line in problems(tmp_path, text)), problems(tmp_path, text)


@pytest.mark.parametrize(
    "item, problem",
    [
        (
            'gtin = "09506000134353", unit_grams = 1',
            "items[1].gtin: the check digit of 09506000134353 should be 2",
        ),
        ('gtin = "123", unit_grams = 1', "items[1].gtin: a GTIN has 8, 12, 13 or 14 digits, not '123'"),
        (
            'gtin = "09506000134352", unit_grams = 0',
            "items[1].unit_grams: must be more than 0, not 0",
        ),
        ('gtin = "09506000134352", unit_grams = nan', "items[1].unit_grams: "),
        (
            'gtin = "09506000134352", unit_grams = 1, unit_cv = 2',
            "items[1].unit_cv: must be at most 0.5",
        ),
        (
            'gtin = "09506000134352", unit_grams = 1, capacity = 2',
            "items: have capacities of 2 together, more than the 1 that the bay has; write capacity = 2 for the bay",
        ),
        (
            'gtin = "09506000134352", unit_grams = 1 }, { gtin = "09506000134352", unit_grams = 2',
            "items[2].gtin: '09506000134352' is taken by shelves[1].bays[1].items[1].gtin",
        ),
    ],
)
def test_items(tmp_path: Path, item: str, problem: str) -> None:
    bay = f'{{ name = "A1", cell = 0, capacity = 1, items = [ {{ {item} }} ] }}'
    assert any(problem in line for line in problems(tmp_path, f'edge = "e"\n{SHELF}bays = [ {bay} ]\n'))


def test_two_devices_at_one_address(tmp_path: Path) -> None:
    reader = 'reader = { driver = "llrp", url = "tcp://192.0.2.10:5084" }\n'
    text = f'edge = "e"\n{GATE}{reader}{GATE.replace("dock-1", "dock-2")}{reader}'
    assert problems(tmp_path, text) == [
        "gates[2].reader.url: 'tcp://192.0.2.10:5084' is taken by gates[1].reader.url; each device's URL is its own"
    ]


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        (
            '{ 3 = "AAAA" }',
            "gates[1].reference_tags: antenna 3 is not among its antennas: 1, 2",
        ),
        (
            '{ 1 = "30 74" }',
            "gates[1].reference_tags.1: '30 74' is no EPC; write its hexadecimal digits, as "
            "3074257BF7194E4000001A85",
        ),
        (
            "{ 1 = [] }",
            "gates[1].reference_tags.1: is empty; name at least one tag, or leave the antenna out",
        ),
        (
            '{ 1 = "AAA" }',
            "gates[1].reference_tags.1: 'AAA' is no EPC; write its hexadecimal digits, as "
            "3074257BF7194E4000001A85",
        ),
    ],
)
def test_a_reference_tag_is_an_epc_before_an_antenna_of_the_gate(
    tmp_path: Path, tags: str, problem: str
) -> None:
    assert problems(tmp_path, f'edge = "e"\n{GATE}reference_tags = {tags}\n') == [problem]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.toml: No such file or directory$"):
        load(tmp_path / "nothing.toml")
    with pytest.raises(ConfigError, match=r"edge\.toml: .*line 2"):
        read(tmp_path, 'edge = "e"\n[[gates]\n')
    (tmp_path / "edge.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"edge\.toml: .*utf-8"):
        load(tmp_path / "edge.toml")
