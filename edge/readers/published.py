"""From what a device published to what the edge knows, on our clock: nothing twice, and what is missing said. Pure.

One of these lasts as long as its gate's reader, across connections: a broker sends again what was on its way when a
connection broke, and a device does so too, and neither says of a message that it came before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge.readers.said import Input, Said, Seen
from edge.reads import Lost, TagRead, Trigger

# For a reader that never says how strong: in the middle of what tags at a gate have (-45 to -75 dBm), so that only
# antenna and time decide.
UNKNOWN_RSSI_DBM = -60.0
# Events remembered to know them again. A broker keeps few on their way at once (Mosquitto 20, nats-server 1,024
# messages), and a device sends again what was not acknowledged to it: 20,000 are some minutes of a busy door in 2 MB.
REMEMBERED = 20_000
# Messages can overtake each other in a cluster of brokers: a number that is missing for so long will not come.
OVERDUE_US = 2_000_000
MOST_GAPS = 100
# A larger jump is not so many lost events but another way of counting.
MOST_MISSING = 1_000_000

# Stamps that stay behind for so long, and by the same amount, mean that the device's clock is behind, or was set back.
WINDOW_US = 5_000_000
# By the same amount: what was held for us comes faster than it happened, and so catches up by more in a window.
STEADY_US = 1_000_000
# What seems older than this was not held: no broker or device keeps a door's messages for a week, but one that starts
# without a battery behind its clock begins years ago.
LONGEST_HELD_US = 7 * 86_400_000_000


# An answer in whole seconds that took some time: what events say within this is more exact.
ANSWER_US = 2_000_000


class PublishedClock:
    """A device's clock beside ours, where what comes may have been held for hours, and nothing says which does.

    A clock that is behind and an event that was held look the same at first. So the clock is taken to be right until
    a stamp is ahead of us, which no holding explains, or stamps stay behind steadily, which held events do not.
    """

    def __init__(self) -> None:
        self.offset_us: int | None = None  # the device's clock minus ours; None before the first stamp
        self._since_us = 0
        self._low: int | None = None
        self._high = 0

    def observe(self, stamp_us: int, arrival_us: int) -> None:
        """Take one stamp of the device and the time, by our clock, at which it arrived."""
        offset, known = stamp_us - arrival_us, self.offset_us or 0
        if offset >= known or known - offset > LONGEST_HELD_US:
            self.offset_us, self._low = offset, None
            return
        self.offset_us = known
        if self._low is None or arrival_us < self._since_us:
            self._since_us, self._low, self._high = arrival_us, offset, offset
            return
        self._low, self._high = min(self._low, offset), max(self._high, offset)
        if arrival_us - self._since_us >= WINDOW_US:
            if self._high - self._low <= STEADY_US:
                self.offset_us = self._high
            self._low = None

    def answered(self, stamp_us: int, arrival_us: int) -> None:
        """Take the device's time as it answered it to a question of ours: that was not held, and may be in seconds."""
        offset = stamp_us - arrival_us
        if self.offset_us is None or abs(self.offset_us - offset) > ANSWER_US:
            self.offset_us, self._low = offset, None

    def ours(self, stamp_us: int | None, arrival_us: int) -> int:
        """A moment that the device stamped, by our clock; the time of arrival where it did not."""
        return arrival_us if stamp_us is None or self.offset_us is None else stamp_us - self.offset_us


@dataclass
class _Gap:
    missing: set[int]
    from_us: int
    to_us: int
    since_us: int


class Numbers:
    """Which of a device's numbered events have not come. Times are by our clock."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._last_us = 0
        self._gaps: list[_Gap] = []

    def observe(self, number: int, at_us: int, arrival_us: int) -> None:
        """Take the number of an event that has not come before."""
        if self._last is None or self._restarted(number, at_us):
            self._last, self._last_us = number, at_us
        elif number > self._last:
            if 1 < number - self._last <= MOST_MISSING and len(self._gaps) < MOST_GAPS:
                missing = (
                    set(range(self._last + 1, number)) if number - self._last <= REMEMBERED else {number - 1}
                )
                self._gaps.append(_Gap(missing, self._last_us, at_us, arrival_us))
            self._last, self._last_us = number, at_us
        else:
            for gap in self._gaps:
                gap.missing.discard(number)

    def _restarted(self, number: int, at_us: int) -> bool:
        """The device counts from its own start; one that was overtaken is older than what overtook it."""
        assert self._last is not None
        return (
            number <= self._last
            and at_us > self._last_us
            and not any(number in g.missing for g in self._gaps)
        )

    @property
    def waiting(self) -> bool:
        """Whether something is missing that may still come."""
        return bool(self._gaps)

    def overdue(self, now_us: int) -> Iterator[tuple[int, int, int]]:
        """Yield how many are missing between which times, once for each gap; those that filled up are forgotten."""
        for gap in self._gaps[:]:
            if not gap.missing:
                self._gaps.remove(gap)
            elif not 0 <= now_us - gap.since_us < OVERDUE_US:
                self._gaps.remove(gap)
                yield len(gap.missing), gap.from_us, gap.to_us


class Published:
    """Everything one gate's reader has published, as reads.

    Args:
        only: the reader's own name or a level of its topic, where several publish on one topic; None takes all.
    """

    def __init__(self, gate: str, only: str | None = None) -> None:
        self.clock = PublishedClock()
        self.numbers = Numbers()
        self.names: dict[str, None] = {}  # of the readers whose reads were taken, in order of appearance
        self.doubles = 0  # events that had come before
        self._gate = gate
        self._only = only
        self._known: dict[int, None] = {}  # hashes of the last events, oldest first

    def mine(self, said: Iterable[Said], topic: str) -> list[Said]:
        """What of a message is this gate's reader's."""
        if self._only is None or self._only in topic.split("/"):
            return list(said)
        return [each for each in said if getattr(each, "reader", "") == self._only]

    def reads(self, said: Iterable[Said], arrival_us: int) -> list[TagRead | Trigger]:
        """The reads among what one message said that have not come before."""
        fresh = [each for each in said if isinstance(each, Seen | Input) and self._is_new(each)]
        if stamps := [each.stamp_us for each in fresh if each.stamp_us is not None]:
            self.clock.observe(max(stamps), arrival_us)
        return [self._read(each, arrival_us) for each in fresh]

    def lost(self, now_us: int) -> list[Lost]:
        """What is missing by the device's own count, and will not come any more."""
        return [
            Lost(
                at_us=now_us,
                device=self._gate,
                from_us=from_us,
                to_us=max(from_us, to_us),
                reason=f"{missing} of the reader's numbered events never came",
            )
            for missing, from_us, to_us in self.numbers.overdue(now_us)
        ]

    def _read(self, each: Seen | Input, arrival_us: int) -> TagRead | Trigger:
        if isinstance(each, Input):
            at_us = self.clock.ours(each.stamp_us, arrival_us)
            return Trigger(at_us=at_us, gate=self._gate, input=each.input, on=each.on)
        self.names.setdefault(each.reader)
        at_us = self.clock.ours(each.stamp_us if each.seen_us is None else each.seen_us, arrival_us)
        if each.number is not None:
            self.numbers.observe(each.number, at_us, arrival_us)
        return TagRead(
            at_us=at_us,
            gate=self._gate,
            antenna=each.antenna,
            epc=each.epc,
            rssi_dbm=UNKNOWN_RSSI_DBM if each.rssi_dbm is None else each.rssi_dbm,
            tid=each.tid,
            phase_deg=each.phase_deg,
            channel_mhz=each.channel_mhz,
            count=each.count,
        )

    def _is_new(self, each: Seen | Input) -> bool:
        """An event is known by its own time and, of a tag, EPC, antenna and number; without a time by nothing."""
        if not each.stamp:
            return True
        if isinstance(each, Input):
            key = hash((each.reader, each.stamp, each.input, each.on))
        else:
            key = hash((each.reader, each.stamp, each.seen_us, each.epc, each.antenna, each.number))
        if key in self._known:
            self.doubles += 1
            return False
        self._known[key] = None
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return True
