from pathlib import Path

import pytest

from cloud.config import credentials, load, token
from cloud.errors import ConfigError

GOOD = """
[ledger]
url = "sqlite:///ledger.db"
[broker]
url = "mqtts://broker.example:8883"
mqtt_version = 5
[web]
listen = "[::1]:8000"
[series]
url = "http://127.0.0.1:8086"
org = "stockbeat"
bucket = "stockbeat"
[mail]
smtp = "smtp://127.0.0.1:25"
sender = "stockbeat@store-042.example"
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "cloud.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_whole_file(tmp_path: Path) -> None:
    config = load(_write(tmp_path, GOOD))
    assert config.ledger.url == f"sqlite:///{tmp_path / 'ledger.db'}"
    assert (config.web.host, config.web.port) == ("::1", 8000)
    assert config.broker.mqtt_version == 5


def test_every_problem_in_one_message(tmp_path: Path) -> None:
    text = (
        GOOD.replace("sqlite:///ledger.db", "mysql://localhost/x")
        .replace("mqtts://broker.example:8883", "mqtt://user:secret@broker.example")
        .replace("[::1]:8000", "8000")
        .replace('org = "stockbeat"', "colour = 1")
        .replace("smtp://127.0.0.1:25", "127.0.0.1:25")
    )
    with pytest.raises(ConfigError) as caught:
        load(_write(tmp_path, text))
    said = str(caught.value)
    assert "ledger.url: sqlite or postgresql, not 'mysql'" in said
    assert "broker.url: credentials belong in a file or the environment" in said
    assert "web.listen: write HOST:PORT, such as 127.0.0.1:8000, not '8000'" in said
    assert "series.org: is needed" in said
    assert "series.colour: is no setting here" in said
    assert "mail.smtp: write smtp or smtps://HOST:PORT" in said


@pytest.mark.parametrize("text", ["[ledger", '[ledger]\nurl = "sqlite://"\n[broker]\nurl = "mqtt://h"'])
def test_what_is_no_configuration(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"cloud\.toml"):
        load(_write(tmp_path, text))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "nowhere.toml")
    assert str(caught.value) == f"{tmp_path / 'nowhere.toml'}: No such file or directory"


def test_credentials_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text('username = "cloud"\npassword = "hunter2"\n', "utf-8")
    found = credentials("broker", file, {})
    assert found is not None
    assert (found.username, found.password) == ("cloud", "hunter2")
    own = credentials("broker", file, {"STOCKBEAT_BROKER_USERNAME": "a", "STOCKBEAT_BROKER_PASSWORD": "b"})
    assert own is not None
    assert own.username == "a"
    assert credentials("broker", None, {}) is None
    with pytest.raises(ConfigError, match="both STOCKBEAT_BROKER_USERNAME"):
        credentials("broker", None, {"STOCKBEAT_BROKER_USERNAME": "a"})
    for wrong in ("one line", 'username = "cloud"', 'username = "cloud"\npassword = 7\n'):
        file.write_text(wrong, "utf-8")
        with pytest.raises(ConfigError, match=f"^{file}: "):
            credentials("broker", file, {})


def test_a_token_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc\n", "utf-8")
    assert token("series", file, {}) == "abc"
    assert token("series", file, {"STOCKBEAT_SERIES_TOKEN": "xyz"}) == "xyz"
    assert token("epcis", None, {"STOCKBEAT_SERIES_TOKEN": "xyz"}) == ""


def test_what_is_told_to_others(tmp_path: Path) -> None:
    assert load(_write(tmp_path, GOOD)).epcis.base == "https://stockbeat.invalid"
    pushed = (
        GOOD
        + """
[epcis]
base_url = "https://stock.example/places/"
capture_url = "https://epcis.example/v2/capture"
token_file = "token"
ids = "urn"
aggregate = "together"
since = 2026-11-22T00:00:00+01:00
"""
    )
    epcis = load(_write(tmp_path, pushed)).epcis
    assert (epcis.base, epcis.ids, epcis.aggregate) == ("https://stock.example/places", "urn", "together")
    assert epcis.since is not None


@pytest.mark.parametrize(
    "section, said",
    [
        ('capture_url = "https://epcis.example/capture"', "epcis: base_url is needed beside capture_url"),
        (
            'capture_url = "epcis.example"\nbase_url = "https://a.example"',
            "epcis.capture_url: write http or https",
        ),
        ('base_url = "https://user:secret@a.example"', "epcis.base_url: credentials belong in a file"),
        ('ids = "gtin"', "epcis.ids: "),
        ("since = 2026-11-22T00:00:00", "epcis.since: "),
    ],
)
def test_what_cannot_be_told_so(tmp_path: Path, section: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(_write(tmp_path, f"{GOOD}[epcis]\n{section}\n"))
    assert said in str(caught.value)
