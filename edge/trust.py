"""A person's word on which ledger counts, handed to the agent in a file beside its store.

The agent alone writes its store, so that a running one can be told too: it takes the file within a second, one that is
not running takes it when it starts.
"""

import os
import re
from pathlib import Path

from edge.errors import StoreError
from edge.store.schema import open_to_read

LEDGER = re.compile(r"[0-9a-f]{32}")  # as a cloud draws its ledger's name, when it is first opened


def _beside(store: Path) -> Path:
    return store.with_name(store.name + ".trust")


def ask(store: Path, ledger: str) -> None:
    """Leave word for the agent of `store`.

    Raises:
        StoreError: no ledger can have this name, no agent ever ran there, or the word cannot be written.
    """
    if not LEDGER.fullmatch(ledger):
        raise StoreError(
            f"{ledger!r} is no ledger's name: that is 32 hexadecimal digits, 0-9 and a-f; "
            "`edge status` shows the name of an unknown one"
        )
    open_to_read(store).close()
    path = _beside(store)
    made = path.with_name(path.name + ".new")
    try:
        made.write_text(ledger + "\n", "utf-8")
        os.replace(made, path)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error


def asked(store: Path) -> str | None:
    """The ledger that a person named since `done`; None when none was."""
    try:
        ledger = _beside(store).read_text("utf-8").strip()
    except OSError:
        return None
    return ledger if LEDGER.fullmatch(ledger) else None


def done(store: Path) -> None:
    _beside(store).unlink(missing_ok=True)
