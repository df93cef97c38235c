"""When each cell last spoke on one connection, and how long it may be silent. Pure: the clock is given."""

from collections.abc import Callable, Iterable

# Between two messages, as the makers deliver them (Tasmota's TelePeriod, ESPHome's update_interval).
AS_DELIVERED_S = {"tasmota": 300.0, "esphome": 60.0}
MISSED = 3  # messages: one may be late behind a restart of the broker, two are not
LEAST_S = 15.0  # a wireless network that is crowded holds messages back for some seconds
SLOW_S = 11.0  # Tasmota's shortest TelePeriod is 10 s, and it speaks between them when the weight has changed
SLOW_TIMES = 2


class Talk:
    """`retained`: whether a weight of an earlier time was there, so that the topic at least is right."""

    def __init__(
        self, cells: Iterable[int], format: str, silent_s: float | None, clock: Callable[[], float]
    ) -> None:
        self.retained = False
        self._clock = clock
        self._given_s = silent_s
        self._start_s = AS_DELIVERED_S.get(format, LEAST_S)
        self._since = clock()
        self._heard = dict.fromkeys(cells, self._since)
        self._longest_s: dict[int, float] = {}
        self._spoken: set[int] = set()
        self._slow: dict[int, int] = {}

    def heard(self, cell: int) -> None:
        now = self._clock()
        between_s = now - self._heard[cell]
        if cell in self._spoken:
            self._longest_s[cell] = max(between_s, self._longest_s.get(cell, 0.0))
            self._slow[cell] = self._slow.get(cell, 0) + 1 if between_s > SLOW_S else 0
        self._spoken.add(cell)
        self._heard[cell] = now

    def slow(self, cell: int) -> float | None:
        """How long it lets pass between two weights, where that is too long to count by."""
        return self._longest_s[cell] if self._slow.get(cell, 0) >= SLOW_TIMES else None

    @property
    def quiet_s(self) -> float:
        """Since when none of them has spoken."""
        return self._clock() - max(self._heard.values())

    def silent_s(self, cell: int) -> float | None:
        """For how long it has been silent, once that is too long."""
        silent_s = self._clock() - self._heard[cell]
        most_s = self._given_s or max(LEAST_S, MISSED * self._longest_s.get(cell, self._start_s))
        return silent_s if silent_s > most_s else None

    @property
    def all_silent(self) -> bool:
        return all(self.silent_s(cell) for cell in self._heard)
