"""A person's word on which ledger counts, handed to the agent in a file beside its store.

The agent alone writes its store, so that a running one can be told too: it takes the file within a second, one that is
not running takes it when it starts.
"""

import os
import re
from pathlib import Path

from edge.errors import StoreError

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,119}")  # wire.limits.Id


def _beside(store: Path) -> Path:
    return store.with_name(store.name + ".trust")


def ask(store: Path, ledger: str) -> None:
    """Raises StoreError."""
    if not ID.fullmatch(ledger):
        raise StoreError(f"{ledger!r} is no ledger's name; `edge status` shows the name of an unknown one")
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
    return ledger if ID.fullmatch(ledger) else None


def done(store: Path) -> None:
    _beside(store).unlink(missing_ok=True)
