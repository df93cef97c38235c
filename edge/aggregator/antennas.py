"""Whether each antenna of a gate still sees. Pure: time is an argument.

Tags fixed within sight of an antenna, its *references*, prove it: learnt is how often and how strongly it reads them.

- *doubtful*: it has read nothing at all, not even a reference, for longer than its own rate makes probable. A person
  who stands in the beam does that too, so it is not said; but a passage meanwhile was not seen with healthy antennas.
- *blind*: doubtful for longer than somebody stands there, or loads have gone by that the others read; or the reader
  itself says that the antenna is disconnected. Said in `Blind` events, from its last read on.
- *detuned*: it is read, and has lastingly been weaker, or reads other tags and no longer its reference.
- *unproven*: it has hardly ever read its reference since that was configured.
- *suspect*: without a reference, it has read nothing of several loads that it would have read before.

A load that stands in the beam for minutes hides the reference, but its own tags are read: any read is a sign of life.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from edge.aggregator.moments import Stamp, moment
from edge.aggregator.sight import WINDOW_MS, Sight, Span, Verdict
from edge.reads import Antenna, TagRead
from wire.events import Blind, Event, Passage

LATE_MS = 500  # as gate.LATE_MS: reads come so much later than they were made
# Calls further apart than this, and nobody was watching: the agent slept, or a recording has a hole or its end.
UNWATCHED_MS = 60_000
# After a reader has come back, what it holds may still be coming for so long (as devices.CATCH_UP_S).
CATCH_UP_MS = 10_000
UNREAD = 2  # loads in a row of which a whole side has read nothing, and it may be blind


class State(msgspec.Struct, array_like=True):
    """Everything that outlives a restart."""

    sights: dict[int, Sight] = {}
    wall_ms: int = 0  # what to add to the steady clock for the wall's, as of the last read


class AntennaWatch:
    """Follows the antennas of one gate. Starts as down: nothing is judged before `up`.

    `antennas`: by number, the side of the door that each looks at.
    `references`: the EPCs fixed before an antenna, in upper-case hexadecimal; an antenna may have none.
    """

    def __init__(
        self,
        gate: str,
        antennas: Mapping[int, object],
        references: Mapping[int, Iterable[str]] | None = None,
    ) -> None:
        self.gate = gate
        self.changed = False
        self._antennas = tuple(sorted(antennas))
        self._side = dict(antennas)
        self._of = {antenna: frozenset(epcs) for antenna, epcs in (references or {}).items()}
        self._references = frozenset().union(*self._of.values())
        self._state = State({antenna: Sight() for antenna in self._antennas})
        # Kept apart from the rest, because every read writes it.
        self._heard: dict[int, int] = {}
        self._counts: dict[
            int, list[float]
        ] = {}  # of this window: reads of references, and the sum of their powers
        self._up = False
        self._since_ms = 0  # silence before is nobody's fault: the reader was down, or time was not watched
        self._ends_ms = 0  # of this window; 0 before it begins
        self._at_ms = 0
        self._whole = True  # this window is as long as any

    def is_reference(self, epc: str) -> bool:
        """Whether a tag is fixed at this gate as a reference: never goods."""
        return epc in self._references

    def observe(self, read: TagRead, at_ms: int, stamp: Stamp) -> list[Event] | None:
        """Take every read of the gate. None: an ordinary tag's, with nothing to say. A list: see `is_reference` too."""
        self._heard[read.antenna] = at_ms
        if at_ms < self._ends_ms and read.epc not in self._references:
            return None
        return self._refer(read, at_ms, stamp)

    def _refer(self, read: TagRead, at_ms: int, stamp: Stamp) -> list[Event]:
        """A reference was read, or a window has ended."""
        self._state.wall_ms = read.at_us // 1000 - at_ms
        events = self._watched(at_ms, stamp)
        if read.epc in self._of.get(read.antenna, ()):
            count = self._counts.setdefault(read.antenna, [0, 0.0])
            count[0] += 1
            count[1] += read.rssi_dbm
            self._state.sights[read.antenna].seen_ms = at_ms
        return events

    def waits(self, last_ms: int) -> bool:
        """Whether no read until then has anything to say."""
        return last_ms < self._ends_ms

    def keep(self, ms: Sequence[int], reads: Sequence[TagRead], stamp: Stamp) -> list[bool] | None:
        """As `observe`, of many reads of which none has anything to say: which are of goods, or None if all are."""
        self._heard.update(zip([read.antenna for read in reads], ms, strict=True))
        if not self._references or self._references.isdisjoint([read.epc for read in reads]):
            return None
        goods = [read.epc not in self._references for read in reads]
        for at_ms, read, ordinary in zip(ms, reads, goods, strict=True):
            if not ordinary:
                self._refer(read, at_ms, stamp)
        return goods

    def advance(self, now_ms: int, stamp: Stamp) -> list[Event]:
        """Time has passed."""
        if not self._up or now_ms - LATE_MS < self._ends_ms:
            return []
        return self._watched(now_ms - LATE_MS, stamp)

    def connected(self, event: Antenna, at_ms: int, stamp: Stamp) -> list[Event]:
        """The reader says that an antenna came off, or is there again."""
        sight = self._state.sights.get(event.antenna)
        if sight is None or sight.connected == event.connected:
            return []
        self._state.wall_ms = event.at_us // 1000 - at_ms
        self.changed = True
        sight.connected = event.connected
        if not event.connected:
            sight.begin_blind(at_ms)
            return []
        self._heard[event.antenna] = at_ms
        return self._said([(event.antenna, sight, sight.end_blind(at_ms))], at_ms, stamp)

    def passed(self, passage: Passage) -> bool:
        """Take a passage that has been decided; returns whether every antenna saw throughout it."""
        lasted_ms = (passage.ended_at - passage.began_at).total_seconds() * 1000
        began_ms = passage.mono_ms - max(0, round(lasted_ms))
        self.changed = True
        for antenna, sight in self._state.sights.items():
            sight.passed(began_ms, passage.mono_ms, self._heard_ms(antenna))
        return self.healthy(passage.mono_ms, began_ms) and not self._one_sided()

    def _one_sided(self) -> bool:
        """Whether no antenna of a side has read anything of the last loads, though it is used to reading them."""
        sides = {self._side[antenna] for antenna in self._antennas}
        return any(
            all(
                sight.missed >= UNREAD and sight.read > sight.unread
                for antenna, sight in self._state.sights.items()
                if self._side[antenna] == side
            )
            for side in sides
        )

    def lost(self, from_ms: int, to_ms: int) -> None:
        """What the reader saw between two times does not come: a passage then is not whole."""
        for sight in self._state.sights.values():
            sight.bad(from_ms, to_ms)
        self.changed = True

    def healthy(self, at_ms: int, since_ms: int | None = None) -> bool:
        """Whether every antenna sees at a time, and has since an earlier one."""
        since_ms = at_ms if since_ms is None else since_ms
        return all(
            sight.verdict not in (Verdict.SUSPECT, Verdict.BLIND)
            and sight.connected
            and not sight.was_bad(since_ms, at_ms)
            and not sight.doubtful(self._silent_ms(antenna, at_ms))
            for antenna, sight in self._state.sights.items()
        )

    def troubles(self) -> list[str]:
        """What is wrong now, in words; each begins with a name of its own, up to a colon."""
        return [
            f"{self.gate}, antenna {antenna} is {sight.verdict}: "
            f"{sight.why(bool(self._of.get(antenna)), self._moment)}"
            for antenna, sight in self._state.sights.items()
            if sight.verdict is not Verdict.SEES
        ]

    def up(self, now_ms: int) -> None:
        self._up = True
        self._begin(now_ms)
        self._ends_ms += CATCH_UP_MS
        self._whole = False

    def down(self, now_ms: int) -> None:
        self._up = False

    def save(self) -> bytes:
        self.changed = False
        for antenna, sight in self._state.sights.items():
            sight.heard_ms = self._heard_ms(antenna)
        return _ENCODER.encode(self._state)

    def restore(self, blob: bytes) -> None:
        """Antennas that are configured no longer are forgotten, new ones begin."""
        saved = _DECODER.decode(blob)
        self._state = State(
            {antenna: saved.sights.get(antenna) or Sight() for antenna in self._antennas}, saved.wall_ms
        )
        self._heard = {antenna: sight.heard_ms for antenna, sight in self._state.sights.items()}

    def _begin(self, at_ms: int) -> None:
        self._since_ms = self._at_ms = at_ms
        self._ends_ms = at_ms + WINDOW_MS
        self._counts.clear()

    def _watched(self, at_ms: int, stamp: Stamp) -> list[Event]:
        """Judge every window that has ended by now."""
        if not self._ends_ms or at_ms > max(self._ends_ms, self._at_ms) + UNWATCHED_MS:
            self._begin(at_ms)
        self._at_ms = max(self._at_ms, at_ms)
        events: list[Event] = []
        while self._ends_ms <= at_ms:
            events += self._judge_all(self._ends_ms, stamp)
            self._ends_ms += WINDOW_MS
        return events

    def _judge_all(self, end_ms: int, stamp: Stamp) -> list[Event]:
        self.changed = True
        said: list[tuple[int, Sight, Span]] = []
        for antenna, sight in self._state.sights.items():
            reads, powers = self._counts.get(antenna, (0, 0.0))
            doubtful = sight.doubtful(self._silent_ms(antenna, end_ms))
            if antenna in self._of and self._whole and sight.connected and not doubtful:
                sight.learn(int(reads), powers / reads if reads else 0.0)
            span = sight.judge(self._heard_ms(antenna), self._since_ms, end_ms)
            said.append((antenna, sight, span))
        self._counts.clear()
        self._whole = True
        return self._said(said, end_ms, stamp)

    def _said(self, spans: Iterable[tuple[int, Sight, Span]], at_ms: int, stamp: Stamp) -> list[Event]:
        """One event for all antennas that have something to say: when a reader's radio fails, all go blind at once."""
        found = [(antenna, sight, span) for antenna, sight, span in spans if span[1] > span[0]]
        if not found:
            return []
        return [
            Blind(
                at=self._moment(at_ms),
                clock=stamp.clock,
                boot=stamp.boot,
                mono_ms=max(0, at_ms),
                device=self.gate,
                from_at=self._moment(min(span[0] for _, _, span in found)),
                to_at=self._moment(max(span[1] for _, _, span in found)),
                reason="; ".join(
                    f"antenna {antenna} {sight.why(bool(self._of.get(antenna)), self._moment)}"
                    for antenna, sight, _ in found
                )[:500],
            )
        ]

    def _heard_ms(self, antenna: int) -> int:
        return self._heard.get(antenna, 0)

    def _silent_ms(self, antenna: int, at_ms: int) -> int:
        return at_ms - max(self._heard_ms(antenna), self._since_ms)

    def _moment(self, at_ms: int) -> datetime:
        return moment(max(0, 1000 * (self._state.wall_ms + at_ms)))


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(State)
