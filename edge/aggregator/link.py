"""Whether time passes at a gate by itself, or as its reads tell: a reader that was away has held what it saw meanwhile.

While it is away, and until it has told what it held, nothing is known to have ended. Pure: time is an argument.
"""

# After a reader has come back, what it had buffered comes within this time.
CATCH_UP_MS = 1_000
# One that publishes comes back later than its broker does. A passage in whose middle it went is worth the wait.
RETURN_MS = 20_000
# Reads so old come from a reader that is catching up: until it is done, its reads alone tell how time passes.
BEHIND_MS = 1_000
# How long a passage waits for a reader that went away in its middle.
HELD_MS = 120_000


class Link:
    """The reader of one gate. It starts as away."""

    def __init__(self) -> None:
        self._up_ms: int | None = None
        self._down_ms: int | None = None
        self._now_ms = 0  # the latest time that it was told
        self._follows_ms = 0  # from when time passes by itself

    @property
    def is_up(self) -> bool:
        return self._up_ms is not None

    def up(self, now_ms: int, *, waits: bool) -> None:
        """It is back; `waits`: a passage is open, which may go on in what it held."""
        self._up_ms, self._down_ms, self._now_ms = now_ms, None, now_ms
        self._follows_ms = now_ms + (RETURN_MS if waits else CATCH_UP_MS)

    def down(self, now_ms: int) -> None:
        self._up_ms, self._down_ms = None, now_ms

    def away(self, at_ms: int) -> bool:
        """Whether it was not connected at a time."""
        return self._up_ms is None or at_ms < self._up_ms

    def told(self, at_ms: int) -> None:
        """It has told what it saw at a time: this shows whether it is still telling what it had held."""
        if at_ms < self._now_ms - BEHIND_MS:
            self._follows_ms = self._now_ms + CATCH_UP_MS
        elif self._up_ms is not None and at_ms >= self._up_ms:
            self._follows_ms = min(self._follows_ms, self._up_ms + CATCH_UP_MS)

    def follows(self, now_ms: int, *, waits: bool) -> bool:
        """Whether time passes by itself now. Where a passage waits for a reader that stays away, it does in the end."""
        self._now_ms = max(self._now_ms, now_ms)
        if self._up_ms is not None:
            return now_ms >= self._follows_ms
        if not waits:
            return False
        if self._down_ms is None:
            self._down_ms = now_ms
        return now_ms - self._down_ms >= HELD_MS
