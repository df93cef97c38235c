"""One agent a store: two of them would draw the same sequence numbers."""

import fcntl
import os
from pathlib import Path

from edge.errors import StoreError


def _beside(store: Path) -> Path:
    return store.with_name(store.name + ".lock")


class Lock:
    """Held from making it to `release()`, or until the process ends however it ends.

    Raises:
        StoreError: another process holds it.
    """

    def __init__(self, store: Path) -> None:
        path = _beside(store)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}; may this user write in that folder?") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._file, 20, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise StoreError(
                f"{store} is in use by process {holder or 'unknown'}; an edge has one agent"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Releasing it again does nothing."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def holder(store: Path) -> int | None:
    """The process id of the agent that has the store open; None when there is none."""
    try:
        file = os.open(_beside(store), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        process = int(os.pread(file, 20, 0) or b"0")
        if not process or not Path(f"/proc/{process}").exists():
            return None  # not even tried: the try below could, for its moment, refuse an agent that starts
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return process
    else:
        return None
    finally:
        os.close(file)
