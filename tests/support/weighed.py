"""Simulated scales as processes, on whose plates the test puts weights."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Scale:
    """`url` is where it can be read."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url

    def put(self, grams: float, cell: int | None = None) -> None:
        """So many grams more lie on it, or fewer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{'' if cell is None else f'{cell} '}{grams}\n")
        self._process.stdin.flush()


@contextmanager
def simulated(kind: str, link: Path, *options: str) -> Iterator[Scale]:
    """`stockbeat simulate KIND` on a pty."""
    with subprocess.Popen(
        [sys.executable, "-m", "stockbeat", "simulate", kind, "--link", str(link), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url.startswith("serial:"), url
            yield Scale(process, url)
        finally:
            process.terminate()
