"""What every test may use: real servers, and a check that no log call is malformed."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers

# A hang is a failure after pyproject's 60 s; what starts servers and whole processes gets longer on a busy machine.
LONGER_S = {"integration": 90, "system": 180}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in LONGER_S and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LONGER_S[folder]))
    if "PYTEST_XDIST_WORKER" in os.environ:
        # What waits longest begins first, so that at the end no process waits for one that has begun late.
        items.sort(key=lambda item: -_timeout_s(item))


def _timeout_s(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0.0


@pytest.fixture(autouse=True)
def _log_calls_can_be_rendered(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A log call whose format and arguments disagree fails its test instead of printing to a stream nobody reads."""
    caplog.set_level(logging.DEBUG)
    yield
    for record in caplog.get_records("call"):
        record.getMessage()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[servers.Server]:
    folder = tmp_path / "nats"
    folder.mkdir()
    with servers.nats(folder) as server:
        yield server


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[servers.Server]:
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    with servers.mosquitto(folder) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    with servers.postgres() as cluster:
        yield cluster
