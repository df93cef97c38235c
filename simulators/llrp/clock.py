"""The reader's own clock: right, wrong, set while it runs, or none but a count since it was started."""

from collections.abc import Callable

MADE_US = 946_684_800_000_000  # 2000-01-01, where a clock without a battery begins


class Clock:
    """Microseconds: of UTC since 1970 by its own opinion, or since the start where it `has_utc` not.

    Args:
        told_us: what it would say if nobody had meddled with it.
    """

    def __init__(self, told_us: Callable[[], int], *, has_utc: bool = True) -> None:
        self.has_utc = has_utc
        self._told_us = told_us
        self._ahead_us = 0 if has_utc else -told_us()

    def now_us(self) -> int:
        return self.stamp_us(self._told_us())

    def stamp_us(self, told_us: int) -> int:
        """What it shows at that moment."""
        return max(0, told_us + self._ahead_us)

    def set(self, ahead_us: int) -> None:
        """Set it so far ahead of what it was told at first; 0 sets it right. An uptime cannot be set."""
        if self.has_utc:
            self._ahead_us = ahead_us

    def restart(self) -> None:
        """The power was gone: it begins anew."""
        self._ahead_us = (MADE_US if self.has_utc else 0) - self._told_us()
