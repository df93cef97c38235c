"""One writing process for a SQLite ledger: a lock on a file beside it, which the system drops when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from cloud.errors import LedgerError
from cloud.ledger.database import Database


@contextmanager
def exclusive(database: Database) -> Iterator[None]:
    """Hold the ledger for writing while the block runs. With PostgreSQL nothing is held: it serves many.

    Raises:
        LedgerError: another process holds it, or its folder cannot be written.
    """
    if database.file is None:
        yield
        return
    path = f"{database.file}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise LedgerError(
                f"{database.file} is being written by another process (id {holder}), and SQLite is for one: stop"
                " 'stockbeat cloud run' first, or use PostgreSQL"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)
