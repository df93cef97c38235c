"""Configurations that are right: what is read of them, and what of it running needs."""

from pathlib import Path

import pytest

from edge.aggregator.gate import Side
from edge.config import Role, lacking, load_to_run
from edge.errors import ConfigError
from edge.readers.llrp.config import LlrpConfig
from edge.readers.sics.config import SicsConfig
from tests.support.configs import GATE, SHELF, read

WHOLE = """
edge = "store-042"
[uplink]
url = "mqtts://broker.example:8883"

[[gates]]
name = "dock-1"
role = "dock"
joins = { outside = "yard", inside = "backroom" }
reader = { driver = "llrp", url = "tcp://192.0.2.10:5084" }
antennas = { 1 = "outside", 2 = "outside", 3 = "inside", 4 = "inside" }

[[shelves]]
name = "aisle-1"
reader = { driver = "sics", url = "serial:/dev/serial/by-id/usb-scale-1?baud=9600" }
[[shelves.bays]]
name = "A1"
cell = 0
capacity = 24
items = [ { gtin = "09506000134352", unit_grams = 330.0, unit_cv = 0.013 } ]
"""


def test_reads_a_whole_configuration(tmp_path: Path) -> None:
    config = read(tmp_path, WHOLE)
    (gate,), (shelf,) = config.gates, config.shelves
    assert config.edge == "store-042"
    assert config.uplink
    assert (config.uplink.host, config.uplink.port, config.uplink.tls) == ("broker.example", 8883, True)
    assert (config.uplink.mqtt_version, config.uplink.ack_fault_s) == (3, 60)
    assert gate.joins
    assert (gate.role, gate.joins.outside, gate.joins.inside) == (Role.DOCK, "yard", "backroom")
    assert gate.antennas == {1: Side.OUTSIDE, 2: Side.OUTSIDE, 3: Side.INSIDE, 4: Side.INSIDE}
    assert gate.quiet_s is None
    assert isinstance(gate.reader, LlrpConfig)
    assert isinstance(shelf.reader, SicsConfig)
    (bay,) = shelf.bays
    assert (bay.name, bay.cells, bay.capacity, bay.tare_grams) == ("A1", (0,), 24, 0.0)
    assert (bay.items[0].gtin, bay.items[0].unit_grams, bay.items[0].unit_cv) == (
        "09506000134352",
        330.0,
        0.013,
    )
    assert (config.store.keep_days, config.store.journal_mb, config.store.reserve_mb) == (7, 2000, 200)
    assert lacking(config) == []
    assert load_to_run(tmp_path / "edge.toml") == config


def test_replay_needs_no_reader_role_joins_or_uplink_and_run_says_that_it_does(tmp_path: Path) -> None:
    bays = 'bays = [ { name = "A1", cell = 0, capacity = 1, items = [] } ]\n'
    config = read(tmp_path, f'edge = "e"\n{GATE}{SHELF}{bays}')
    assert config.gates[0].reader is None
    with pytest.raises(ConfigError) as caught:
        load_to_run(tmp_path / "edge.toml")
    assert str(caught.value).splitlines()[1:] == [
        "  uplink: is needed to run; it says where the broker is",
        "  gates[1].reader: is needed to run",
        "  gates[1].role: is needed to run",
        "  gates[1].joins: is needed to run",
        "  shelves[1].reader: is needed to run",
    ]


def test_run_needs_something_to_read(tmp_path: Path) -> None:
    config = read(tmp_path, 'edge = "e"\n[uplink]\nurl = "mqtt://127.0.0.1"\n')
    assert lacking(config) == ["gates, shelves: at least one of either is needed to run"]


def test_relative_paths_are_beside_the_file(tmp_path: Path) -> None:
    uplink = '[uplink]\nurl = "mqtt://127.0.0.1"\ncredentials_file = "secret.toml"\n'
    config = read(tmp_path, f'edge = "e"\n{uplink}[store]\npath = "/var/lib/e.sqlite"\n')
    assert config.store.path == Path("/var/lib/e.sqlite")
    assert config.uplink
    assert config.uplink.credentials_file == tmp_path / "secret.toml"
    assert config.uplink.port == 1883
    assert read(tmp_path, 'edge = "e"').store.path == tmp_path / "stockbeat-edge.sqlite"


def test_reference_tags_are_one_epc_or_several_by_antenna(tmp_path: Path) -> None:
    assert read(tmp_path, f'edge = "e"\n{GATE}').gates[0].reference_tags == {}
    tags = 'reference_tags = { 1 = "3074257bf7194e4000001a85", 2 = ["AAAA", "BBBB"] }\n'
    assert read(tmp_path, f'edge = "e"\n{GATE}{tags}').gates[0].reference_tags == {
        1: ("3074257BF7194E4000001A85",),
        2: ("AAAA", "BBBB"),
    }


def test_a_gtin_is_kept_in_its_14_digit_form(tmp_path: Path) -> None:
    for short, whole in [("9506000134352", "09506000134352"), ("96385074", "00000096385074")]:
        bay = f'{{ name = "A1", cell = 0, capacity = 1, items = [ {{ gtin = "{short}", unit_grams = 1 }} ] }}'
        config = read(tmp_path, f'edge = "e"\n{SHELF}bays = [ {bay} ]\n')
        assert config.shelves[0].bays[0].items[0].gtin == whole


def test_several_cells(tmp_path: Path) -> None:
    bay = '{ name = "A1", cells = [0, 1], capacity = 1, tare_grams = 120.5, items = [] }'
    config = read(tmp_path, f'edge = "e"\n{SHELF}bays = [ {bay} ]\n')
    assert (config.shelves[0].bays[0].cells, config.shelves[0].bays[0].tare_grams) == ((0, 1), 120.5)
