"""A ledger with a site laid out in it, and a console over it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cloud.ledger.database import Database
from tests.support.console import Console, console, empty_ledger
from tests.support.scene import Scene


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = empty_ledger(tmp_path)
    yield made
    made.close()


@pytest.fixture
def scene(database: Database) -> Scene:
    made = Scene(database)
    made.lay_out()
    return made


@pytest.fixture
async def served(database: Database) -> AsyncIterator[Console]:
    """A console with the site laid out; nothing has happened yet."""
    async with console(database) as made:
        made.scene.lay_out()
        yield made
