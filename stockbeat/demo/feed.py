"""Listens to the console's event stream as a browser would, and notes when each movement was first seen there."""

import re
import threading
import time
import urllib.request
from datetime import UTC, datetime

# The console's stream names the newest ledger position with every change it sends.
POSITION = re.compile(rb"^id: *(?:.*?)(\d+)\s*$")
RETRY_S = 0.1


class Feed:
    """A thread that follows the stream until stopped, over restarts of the cloud."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._seen: dict[int, datetime] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="console feed", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(3)

    def seen_at(self, position: int) -> datetime | None:
        """When the console first showed this position or a later one; None if it never did."""
        return min((at for shown, at in self._seen.items() if shown >= position), default=None)

    def _follow(self) -> None:
        while not self._stopped.is_set():
            try:
                with urllib.request.urlopen(self._url, timeout=30) as stream:
                    for line in stream:
                        self._take(line)
                        if self._stopped.is_set():
                            return
            except OSError:
                time.sleep(RETRY_S)

    def _take(self, line: bytes) -> None:
        if match := POSITION.match(line):
            self._seen.setdefault(int(match[1]), datetime.now(UTC))  # noqa: TID251 - measuring is about now
