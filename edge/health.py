"""What the agent knows of itself: told to the cloud as telemetry, kept beside the store for `edge status`."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from edge.errors import StoreError
from wire import codec
from wire.errors import DecodeError
from wire.messages import Telemetry

log = logging.getLogger(__name__)

MOST_FAULTS = 50  # the most that the wire carries
WORDS = 500  # in each


class Faults:
    """Says a fault once when it comes and once when it goes. Its words before the first colon or digit name it."""

    def __init__(self) -> None:
        self._holding: dict[str, str] = {}

    def update(self, faults: Iterable[str]) -> tuple[str, ...]:
        """Take the faults that hold now; returns them as the wire carries them."""
        found = {_name(fault): fault[:WORDS] for fault in faults}
        for name in sorted(found.keys() - self._holding.keys()):
            log.warning("%s", found[name])
        for name in sorted(self._holding.keys() - found.keys()):
            log.info("no longer: %s", self._holding[name])
        self._holding = found
        return tuple(found.values())[:MOST_FAULTS]


def _name(fault: str) -> str:
    return fault.partition(":")[0].strip("0123456789 ")


def _beside(store: Path) -> Path:
    return store.with_name(store.name + ".health.json")


def write(store: Path, telemetry: Telemetry) -> None:
    """Replace the last one at once; not flushed to the disk, because after a restart it is worth nothing."""
    path = _beside(store)
    made = path.with_name(path.name + ".new")
    try:
        made.write_bytes(codec.encode_telemetry(telemetry))
        os.replace(made, path)
    except OSError as error:
        log.debug("%s: %s", path, error)  # a full disk has a fault of its own


def read(store: Path) -> tuple[Telemetry, int] | None:
    """What the agent wrote last, and when by this machine's clock, in microseconds; None when it never did.

    Raises:
        StoreError: it cannot be read.
    """
    path = _beside(store)
    try:
        return codec.decode_telemetry(path.read_bytes()), path.stat().st_mtime_ns // 1000
    except FileNotFoundError:
        return None
    except (OSError, DecodeError) as error:
        raise StoreError(f"{path}: {error}") from error
