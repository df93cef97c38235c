"""The reader's inputs: which level means on, and what is only a contact that bounces. Pure; times in microseconds."""

from collections.abc import Collection
from typing import NamedTuple


class Change(NamedTuple):
    """An input went on or off, and when."""

    input: int
    on: bool
    at_us: int


class Inputs:
    """`active_low` are on when they are low. A change that does not last for `debounce_us` has not been."""

    def __init__(self, active_low: Collection[int], debounce_us: int) -> None:
        self._active_low = frozenset(active_low)
        self._debounce_us = debounce_us
        self._believed: dict[int, bool] = {}
        self._pending: dict[int, Change] = {}

    def change(self, input: int, high: bool, at_us: int) -> list[Change]:
        """Take one event of the reader; return the changes that can be told now, oldest first."""
        found = self.due(at_us)
        change = Change(input, high != (input in self._active_low), at_us)
        if self._debounce_us == 0:
            return [change]
        if self._believed.get(input) is change.on:
            self._pending.pop(input, None)  # it only bounced
        elif (pending := self._pending.get(input)) is None or pending.on is not change.on:
            self._pending[input] = change
        return found

    def due(self, now_us: int) -> list[Change]:
        """The changes that have lasted long enough by now; each is told once, at the time when it began."""
        due = [each for each in self._pending.values() if now_us - each.at_us >= self._debounce_us]
        for each in due:
            del self._pending[each.input]
            self._believed[each.input] = each.on
        return sorted(due, key=lambda each: each.at_us)

    def wait_s(self, now_us: int) -> float | None:
        """How long until a change may be due; None when none waits."""
        if not self._pending:
            return None
        first_us = min(each.at_us for each in self._pending.values())
        return max(0.0, (first_us + self._debounce_us - now_us) / 1e6)
