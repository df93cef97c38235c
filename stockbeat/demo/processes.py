"""Child processes: started, watched, ended by their own ids, and never left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
STOP_S = 6.0  # every part promises to stop cleanly within 3 s
_LIBC = ctypes.CDLL(None, use_errno=True)


class ProcessError(Exception):
    """A part of the site did not start, or ended by itself. The text says which, and the end of what it logged."""


@dataclass
class Process:
    """One part of the site."""

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str]
    _popen: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        assert self._popen is not None, f"{self.name} was not started"
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                start_new_session=True,  # Ctrl-C is ours to handle: parts are stopped in order
                preexec_fn=_die_with_parent,
            )

    def run(self) -> None:
        """Start it and wait for its end. Raises ProcessError when it fails."""
        self.start()
        assert self._popen is not None
        if self._popen.wait() != 0:
            raise ProcessError(f"{self.name} failed:\n{self.last_words()}")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()

    def stop(self) -> None:
        """Ask it to end; insist after STOP_S."""
        if self._popen is None or self._popen.poll() is not None:
            return
        self._popen.send_signal(signal.SIGTERM)
        try:
            self._popen.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self) -> str:
        return self.log.read_text("utf-8", "replace")[-2000:] if self.log.exists() else ""


def _die_with_parent() -> None:
    """Have the kernel end this child when the demo itself is killed, so that nothing is left running."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def stockbeat(*words: str) -> list[str]:
    """The command line of this very program."""
    return [sys.executable, "-m", "stockbeat", *words]


def wait_until(ready: Callable[[], bool], what: str, process: Process, *, within_s: float = 30.0) -> None:
    """Return once `ready()` holds.

    Raises:
        ProcessError: the process ended, or `within_s` passed.
    """
    deadline = time.monotonic() + within_s
    while not ready():
        if not process.running:
            raise ProcessError(f"{process.name} ended before {what}:\n{process.last_words()}")
        if time.monotonic() > deadline:
            raise ProcessError(f"{process.name}: no {what} after {within_s:.0f} s:\n{process.last_words()}")
        time.sleep(0.02)
