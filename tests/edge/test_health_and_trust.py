import logging
import time
from pathlib import Path

import pytest

from edge import health, trust
from edge.credentials import credentials
from edge.errors import ConfigError, StoreError
from edge.store.store import Store
from tests.support.said import TELEMETRY

LEDGER = "5f70bf18a08600705f70bf18a0860070"


def test_a_fault_is_said_once_when_it_comes_and_once_when_it_goes(caplog: pytest.LogCaptureFixture) -> None:
    faults = health.Faults()
    assert faults.update([]) == ()
    assert faults.update(["3 events quarantined: see status"]) == ("3 events quarantined: see status",)
    assert faults.update(["4 events quarantined: see status", "disk: full"])[1] == "disk: full"
    faults.update(["disk: full"])
    said = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert said == [
        (logging.WARNING, "3 events quarantined: see status"),
        (logging.WARNING, "disk: full"),
        (logging.INFO, "no longer: 4 events quarantined: see status"),
    ]


def test_the_wire_carries_no_more_faults_than_it_may() -> None:
    found = health.Faults().update([f"fault {'x' * n}: {'y' * 600}" for n in range(80)])
    assert len(found) == 50
    assert {len(fault) for fault in found} == {500}


def test_the_last_health_is_kept_beside_the_store(tmp_path: Path) -> None:
    store = tmp_path / "edge.db"
    assert health.read(store) is None
    health.write(store, TELEMETRY)
    written = health.read(store)
    assert written is not None
    assert written[0] == TELEMETRY
    assert abs(written[1] - time.time_ns() // 1000) < 60_000_000
    (tmp_path / "edge.db.health.json").write_text("{}")
    with pytest.raises(StoreError, match=r"health\.json"):
        health.read(store)
    health.write(tmp_path / "none" / "edge.db", TELEMETRY)  # a disk that fails has a fault of its own


def test_a_persons_word_waits_for_the_agent(tmp_path: Path) -> None:
    store = tmp_path / "edge.db"
    with pytest.raises(StoreError, match="no agent has run with this configuration yet"):
        trust.ask(store, LEDGER)
    assert list(tmp_path.iterdir()) == []
    Store(store, "store-042", now_us=lambda: 0).close()
    assert trust.asked(store) is None
    trust.ask(store, LEDGER)
    assert trust.asked(store) == LEDGER
    trust.done(store)
    assert trust.asked(store) is None
    for wrong in ("a b", "", LEDGER[1:], LEDGER + "0", LEDGER.upper(), "ledger-1", LEDGER + "\n"):
        with pytest.raises(StoreError, match="is no ledger's name: that is 32 hexadecimal digits"):
            trust.ask(store, wrong)
    assert trust.asked(store) is None


def test_credentials_come_from_the_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "broker.toml"
    assert credentials(None, {}) == (None, None)
    file.write_text('username = "store-042"\npassword = "secret"\n')
    assert credentials(file, {}) == ("store-042", "secret")
    assert credentials(file, {"STOCKBEAT_UPLINK_PASSWORD": "newer"}) == ("store-042", "newer")
    file.write_text("user = 1\n")
    with pytest.raises(ConfigError, match=r'username = "…" and password = "…"'):
        credentials(file, {})
    with pytest.raises(ConfigError, match=r"none\.toml"):
        credentials(tmp_path / "none.toml", {})
