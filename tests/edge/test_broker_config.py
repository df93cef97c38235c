"""The agent's own broker and JSON readers in the configuration: each mistake with what would be right."""

from pathlib import Path

import pytest

from edge import nats
from edge.config import load
from edge.errors import ConfigError

GATE = """
[[gates]]
name = "{name}"
antennas = {{ 1 = "outside", 2 = "inside" }}
reader = {{ {reader} }}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "edge.toml"
    path.write_text(f'edge = "store-042"\n{text}', "utf-8")
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(written(folder, text))
    return str(error.value)


def test_a_broker_on_loopback_needs_no_users(tmp_path: Path) -> None:
    broker = load(written(tmp_path, "[broker]\n")).broker
    assert broker is not None
    assert broker.address == ("127.0.0.1", 1883)
    assert broker.users() == {}


def test_a_broker_for_others_needs_users(tmp_path: Path) -> None:
    assert "broker: listens on 0.0.0.0:1883" in refused(tmp_path, '[broker]\nlisten = "0.0.0.0:1883"\n')
    (tmp_path / "users.toml").write_text('agent = "a"\n"dock-1" = "d"\n')
    broker = load(written(tmp_path, '[broker]\nlisten = "0.0.0.0:1883"\nusers_file = "users.toml"\n')).broker
    assert broker is not None
    assert broker.users() == {"agent": "a", "dock-1": "d"}


@pytest.mark.parametrize("listen", ["1883", "broker:1883", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:x"])
def test_a_listening_address_is_this_machines(tmp_path: Path, listen: str) -> None:
    assert "broker.listen: " in refused(tmp_path, f'[broker]\nlisten = "{listen}"\n')


def test_what_nats_is_told_is_its_own_language_whatever_a_password_holds(tmp_path: Path) -> None:
    text = nats.text(tmp_path, nats.Listen(1883, "::1", {"a": 'x" } # $Y'}, 50))
    assert 'mqtt { listen: "[::1]:1883", ack_wait: "3s" }' in text
    assert f"max_file_store: {50 * 1024 * 1024}" in text
    assert 'password: "x\\" } # $Y"' in text


def test_two_gates_may_share_a_topic_when_their_readers_are_named(tmp_path: Path) -> None:
    url = 'driver = "zebra_iotc", url = "mqtt://127.0.0.1?topic=tags"'
    shared = GATE.format(name="dock-1", reader=url) + GATE.format(name="dock-2", reader=url)
    assert "is taken by gates[1].reader.url" in refused(tmp_path, shared)
    named = GATE.format(name="dock-1", reader=f'{url}, reader = "a"') + GATE.format(
        name="dock-2", reader=f'{url}, reader = "b"'
    )
    assert len(load(written(tmp_path, named)).gates) == 2


@pytest.mark.parametrize(
    "reader, words",
    [
        ('url = "tcp://h:1"', "write https://192.0.2.30 for its stream, or mqtt://"),
        ('url = "https://u:p@h"', "put them in a file or in the environment"),
        ('url = "https://h/api"', "write only https://host"),
        ('url = "mqtt://h"', "names no topic"),
        ('url = "mqtt://h?topic=t", control = true', "control needs the reader's own address"),
        ('url = "https://h", address = "https://h"', "are for MQTT"),
        ('url = "https://h", tls_fingerprint = "AA:BB"', "is no SHA-256 fingerprint"),
        ('url = "https://h", preset = "a b/c"', "is no preset's name"),
    ],
)
def test_what_an_impinj_cannot_be_told(tmp_path: Path, reader: str, words: str) -> None:
    assert words in refused(tmp_path, GATE.format(name="dock-1", reader=f'driver = "impinj_iot", {reader}'))
