"""Cuts a byte stream at its line ends, and knows a line that lost some of its bytes by its width."""

import re
from collections import Counter, deque
from collections.abc import Iterator

# The longest line of these dialects has some 60 characters. Without an end in this many, the port's speed or parity is
# wrong, or it is no scale.
MAX_FRAME = 160


class Cutter:
    """Pieces that end with any of some bytes; empty ones are passed over.

    What has no end in MAX_FRAME bytes comes as pieces of that many, for the dialect to refuse.
    """

    def __init__(self, ends: bytes) -> None:
        self._end = re.compile(b"[" + re.escape(ends) + b"]")
        self._buffer = bytearray()
        self._sought = 0  # no end before this

    def receive(self, data: bytes) -> None:
        self._buffer += data

    def frames(self) -> Iterator[bytes]:
        while (frame := self._next()) is not None:
            if frame:
                yield frame

    def _next(self) -> bytes | None:
        until = min(len(self._buffer), MAX_FRAME)
        if end := self._end.search(self._buffer, self._sought, until):
            return self._cut(end.start(), end.end())
        self._sought = until
        return self._cut(until, until) if until == MAX_FRAME else None

    def _cut(self, end: int, next_: int) -> bytes:
        frame = bytes(self._buffer[:end])
        del self._buffer[:next_]
        self._sought = 0
        return frame


def lines() -> Cutter:
    """At CR and at LF: makers let one choose either, or both."""
    return Cutter(b"\r\n")


class Width:
    """How wide a scale's lines are.

    Indicators write fields of a fixed width, so a line that a noisy cable took a digit from, or gave one to, is of
    another width than its neighbours. A new width is believed when two lines in a row have it, or one in eight of late;
    at once where the unit is another and the weight is not, for then somebody pressed the unit's key; and the very
    first line of a connection only where its beginning cannot be missing.
    """

    _RECENT = 32  # lines; at ten a second, some seconds
    _OFTEN = 4  # among them: more than a cable does that can be read at all
    _NEAR, _NEAR_GRAMS = (
        0.005,
        5.0,
    )  # the same weight, but for the steps of another unit; a lost "k" is 1000 times less

    def __init__(self, *, first_is_whole: bool) -> None:
        self._first_is_whole = first_is_whole
        self._unit = ""  # of the last line that was believed ...
        self._grams = 0.0  # ... and what it weighed
        self._recent: deque[int] = deque(maxlen=self._RECENT)
        self._counts: Counter[int] = Counter()

    @property
    def usual(self) -> int | None:
        """The most frequent of late."""
        return self._counts.most_common(1)[0][0] if self._counts else None

    def believes(self, width: int, unit: str, grams: float) -> bool:
        """Whether a line of this width is whole; its width is remembered either way."""
        first, again = not self._recent, bool(self._recent) and self._recent[-1] == width
        if len(self._recent) == self._RECENT:
            self._counts[self._recent[0]] -= 1
        self._recent.append(width)
        self._counts[width] += 1
        near = abs(grams - self._grams) <= max(self._NEAR_GRAMS, self._NEAR * abs(self._grams))
        other_unit = self._unit not in ("", unit) and near
        whole = again or self._counts[width] >= self._OFTEN or (first and self._first_is_whole) or other_unit
        if whole:
            self._unit, self._grams = unit, grams
        return whole
