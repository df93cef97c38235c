"""When a tag was read, from the module's milliseconds. Pure: times come as arguments, microseconds of a steady clock.

The module stamps a read with the milliseconds since its search began, and begins a search each second, when it says
that it is alive. (Some firmware counts from the first search on.) A stamp is never later than its arrival, so among
the last stamps the one that came soonest tells how far the module's time is from ours; the others were late by as
much more.
"""

from collections import deque
from statistics import median

SEARCH_US = 1_000_000  # a search as we ask for it; what it really lasts is learnt
# Half a period of estimating: long enough to remember the best stamp over a stall of the line, short enough that two
# clocks do not part (100 ppm are 1 ms in 10 s; a search's length that is not quite learnt yet, 1 % of it, 100 ms).
WINDOW_US = 5_000_000
# The module's count has jumped if it comes this much sooner than any other did: a line's delay does not fall so.
JUMP_US = 1_000_000
# Later than this is no stalled line (it would be given up for lost), but a count that began anew.
LONGEST_LAG_US = 5_000_000
BACK_MS = 100  # a tag may be said a little after another that was read later; more than this is a new search


class ReadClock:
    """The age of reads on one connection."""

    def __init__(self) -> None:
        self._base_us = 0  # module's time at the beginning of the present search
        self._last_ms: int | None = None  # of the last read in it
        self._counts_on = False  # this firmware does not begin again with each search
        self._search_began_us: int | None = None  # on our clock
        self._lengths: deque[int] = deque(maxlen=15)
        self._since_us = 0  # when the present window began
        self._now: int | None = None  # largest stamp minus arrival in this window, and in the one before
        self._before: int | None = None

    def restarted(self) -> None:
        """The module was told to stop, or to start: it counts anew."""
        self._last_ms = self._search_began_us = None
        self._counts_on = False
        self._forget()

    def search_began(self, arrival_us: int) -> None:
        """The module said that it is alive: one search ended, and the next begins."""
        if self._search_began_us is not None:
            length = arrival_us - self._search_began_us
            if SEARCH_US // 2 <= length <= 2 * SEARCH_US:
                self._lengths.append(length)
        self._search_began_us = arrival_us
        self._last_ms = None
        if not self._counts_on:
            self._advance()
            self._lag(self._base_us, arrival_us)

    def lag_us(self, ms: int, arrival_us: int) -> int:
        """How long before its arrival a tag was read; never below 0."""
        if not self._counts_on and ms * 1000 > 2 * SEARCH_US + JUMP_US:
            self._counts_on, self._base_us = True, 0
            self._forget()
        if self._last_ms is not None and ms < self._last_ms - BACK_MS:
            if self._counts_on and ms * 1000 <= 2 * SEARCH_US:
                self._counts_on = False
                self._forget()
            elif not self._counts_on:
                self._advance()  # the word that a search has ended was lost
        self._last_ms = ms
        return self._lag(self._base_us + ms * 1000, arrival_us)

    def _advance(self) -> None:
        self._base_us += round(median(self._lengths)) if self._lengths else SEARCH_US

    def _forget(self) -> None:
        self._now = self._before = None

    def _lag(self, stamp_us: int, arrival_us: int) -> int:
        offset = stamp_us - arrival_us
        known = [each for each in (self._now, self._before) if each is not None]
        if known and (offset > max(known) + JUMP_US or offset < max(known) - LONGEST_LAG_US):
            self._forget()
            known = []
        if not known:
            self._since_us = arrival_us
        elif arrival_us - self._since_us >= WINDOW_US:
            self._since_us, self._before, self._now = arrival_us, self._now, None
        self._now = offset if self._now is None else max(self._now, offset)
        best = self._now if self._before is None else max(self._now, self._before)
        return best - offset
