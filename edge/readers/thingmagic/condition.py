"""What a module says of its own state, as changes: antennas that come off, and times in which it could not read."""

import logging
from collections.abc import Sequence

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.thingmagic.protocol.commands import (
    BROKEN,
    BUFFER_FULL,
    NO_TAGS,
    NOT_CONNECTED,
    RADIO_OFF,
    RETURN_LOSS,
    TOO_HOT,
    words,
)
from edge.reads import Antenna, Lost

log = logging.getLogger(__name__)

_ANTENNA_TROUBLE = (NOT_CONNECTED, RETURN_LOSS)


class Condition:
    """One connection's.

    The module says that it has trouble with an antenna, not with which. With one antenna that is clear; of several,
    those are doubted that read nothing since.
    """

    def __init__(self, gate: str, antennas: Sequence[int]) -> None:
        self._gate = gate
        self._off = dict.fromkeys(antennas, False)
        self._reading: set[int] = set()  # antennas that read since a search last ended well
        self._hot_since_us: int | None = None
        self._said: set[int] = set()

    def told(self, status: int, at_us: int) -> list[Antenna | Lost]:
        """Take the word with which a search ended.

        Raises:
            ReaderRefused: nothing can be read until a person acts.
            ReaderLost: the module is not well, and has to be set up again.
        """
        if status == RADIO_OFF:
            raise ReaderRefused(f"the module stopped reading: {words(status)}")
        if status in BROKEN:
            raise ReaderLost(f"the module stopped reading: {words(status)}")
        changes: list[Antenna | Lost] = []
        if status in _ANTENNA_TROUBLE:
            changes += self._doubt(status, at_us)
        elif status == TOO_HOT:
            if self._hot_since_us is None:
                log.warning("%s: the module rests from reading: %s", self._gate, words(status))
                self._hot_since_us = at_us
        elif status == BUFFER_FULL:
            changes.append(self._lost(at_us, at_us, words(status)))
        elif status in (0, NO_TAGS):
            changes += self._well(at_us)
        elif status not in self._said:
            self._said.add(status)
            log.warning("%s: the module says: %s", self._gate, words(status))
        return changes

    def read(self, antenna: int, at_us: int) -> list[Antenna | Lost]:
        """A tag was read, so this antenna is there."""
        self._reading.add(antenna)
        if not self._off.get(antenna):
            return []
        return [self._turned(antenna, at_us, connected=True)]

    def _doubt(self, status: int, at_us: int) -> list[Antenna | Lost]:
        doubted = [each for each, off in self._off.items() if not off and each not in self._reading]
        if doubted:
            log.warning("%s: antenna trouble: %s", self._gate, words(status))
        self._reading.clear()
        return [self._turned(antenna, at_us, connected=False) for antenna in doubted]

    def _well(self, at_us: int) -> list[Antenna | Lost]:
        self._reading.clear()
        changes: list[Antenna | Lost] = [
            self._turned(antenna, at_us, connected=True) for antenna, off in self._off.items() if off
        ]
        if self._hot_since_us is not None:
            log.info("%s: the module reads again", self._gate)
            changes.append(self._lost(self._hot_since_us, at_us, words(TOO_HOT)))
            self._hot_since_us = None
        return changes

    def _turned(self, antenna: int, at_us: int, *, connected: bool) -> Antenna:
        self._off[antenna] = not connected
        return Antenna(at_us=at_us, gate=self._gate, antenna=antenna, connected=connected)

    def _lost(self, from_us: int, to_us: int, reason: str) -> Lost:
        return Lost(at_us=to_us, device=self._gate, from_us=from_us, to_us=to_us, reason=reason)
