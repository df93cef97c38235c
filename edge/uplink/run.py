"""One run on its way to the ledger: what of it is to be sent next, and when to start again. No I/O and no clock.

Everything not settled is sent once, in order. When an acknowledgement shows that later events have overtaken it, it was
lost on the way, and is sent again at once. When the first of it is not settled in time, all of it is sent again: as
before at first, then in small batches, and then the first event alone, because it may be the one that harms the others.
Alone means: by itself, followed by a neighbour by itself, whose acknowledgement shows that the ledger was reached and
did not take the event. After that has happened ALONE times the event is quarantined.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice, takewhile

from edge.store.held import HeldRun, Range, spans
from edge.uplink.spans import Spans
from wire.codec import MAX_BATCH_LINES
from wire.messages import Ack

RETRY_S = 15.0  # the wire's contract: without progress for so long, start again behind `through`
LONGEST_RETRY_S = 300.0  # and never less often than this
SMALL = 20  # lines in a batch after the second fruitless try: one bad line then harms few others
GROWTH = 8  # a batch that got through makes the next ones so many times larger
FRUITLESS_BEFORE_ALONE = 3  # as it was, as it was again, small
ALONE = 5  # tries alone before an event is given up


class Lane(Enum):
    MAIN = "main"
    ASK = "ask"  # the last event held, so that a restored ledger says what it has
    LONE = "lone"  # an event that may be harmful, by itself
    NEIGHBOUR = "neighbour"  # an event beside it, so that an acknowledgement must come


@dataclass(frozen=True, slots=True)
class Send:
    """Send these events of a run, or as many of the first of them as one message takes."""

    run: str
    seqs: tuple[int, ...]
    lane: Lane


class Run:
    """The state of one run. Times are seconds of any steady clock; `spread` is 0 to 1, drawn by the caller."""

    def __init__(self, held: HeldRun) -> None:
        self.name = held.run
        self.last = held.last
        self.held_from = held.held_from
        self.settled = Spans(held.settled)
        self.unsendable = Spans((seq, seq) for seq in held.quarantined)
        self.asking = held.probe
        self.due: float | None = None
        self.suspect: int | None = None
        self.lone_in_flight = False
        self._declared = Spans(held.declared)
        self._cursor = held.held_from
        self._in_flight: list[tuple[Range, ...]] = []
        self._lost = (0, 0)  # from here to before there, what is open was overtaken, and is sent again first
        self._sent_to = 0  # the last of all that was ever sent
        self._resent_to = 0  # and what that was when the overtaken was sent again
        self._limit = MAX_BATCH_LINES
        self._fruitless = 0
        self._strikes = 0
        self._lone_wanted = False
        self._neighbour_wanted = False
        self._answered = False  # an acknowledgement of this run came in this try, after what is sent alone
        self._answering = False  # and so it did in the try before

    # --- what there is ---------------------------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        return len(self._in_flight) + self.lone_in_flight

    @property
    def through(self) -> int:
        """Settled without a gap from 1 to here."""
        first, _ = next(self.settled.gaps(1, self.last + 1))
        return first - 1

    @property
    def waiting(self) -> int:
        """How many events are neither settled nor given up."""
        gaps = self.settled.gaps(self.held_from, self.last)
        return sum(last - first + 1 - self.unsendable.count(first, last) for first, last in gaps)

    @property
    def given_up(self) -> int:
        return sum(last - first + 1 - self.settled.count(first, last) for first, last in self.unsendable)

    def _open(self, start: int) -> Iterator[int]:
        """What is not settled and can be sent, ascending."""
        for first, last in self.settled.gaps(max(start, self.held_from), self.last):
            for a, b in self.unsendable.gaps(first, last):
                yield from range(a, b + 1)

    @property
    def _frontier(self) -> int:
        """The first event that waits; one behind the last when none does."""
        return next(self._open(1), self.last + 1)

    # --- sending ---------------------------------------------------------------------------------------------------

    def next_lone(self) -> Send | None:
        if self.suspect is not None and self._lone_wanted:
            return Send(self.name, (self.suspect,), Lane.LONE)
        return None

    def next_neighbour(self) -> Send | None:
        """Comes right behind the lone event, on the same connection."""
        neighbour = self._neighbour() if self._neighbour_wanted else None
        return None if neighbour is None else Send(self.name, (neighbour,), Lane.NEIGHBOUR)

    def next_batch(self) -> Send | None:
        if self.asking:
            return None if self._in_flight else Send(self.name, (self.last,), Lane.ASK)
        start, end = self._lost
        lost = takewhile(lambda s: s < end, self._open(start)) if start < end else ()
        seqs = tuple(islice((s for s in lost if s != self.suspect), self._limit))
        if not seqs:
            seqs = tuple(islice((s for s in self._open(self._cursor) if s != self.suspect), self._limit))
        return Send(self.name, seqs, Lane.MAIN) if seqs else None

    def is_full(self, send: Send) -> bool:
        """Waiting for more events would not make this batch larger."""
        return len(send.seqs) >= self._limit

    def sent(self, send: Send, seqs: tuple[int, ...], now: float, spread: float) -> None:
        """`seqs` of it were sent: the first of them, or all."""
        match send.lane:
            case Lane.LONE:
                self.due = now + self._patience(spread)
                self._lone_wanted, self.lone_in_flight = False, True
                self._neighbour_wanted, self._answered = self._neighbour() is not None, False
            case Lane.NEIGHBOUR:
                self._neighbour_wanted, self._answered = False, False
            case Lane.MAIN | Lane.ASK:
                if send.lane is Lane.MAIN:
                    self._lost = (seqs[-1] + 1, self._lost[1])
                    self._cursor = max(self._cursor, seqs[-1] + 1)
                    self._sent_to = max(self._sent_to, seqs[-1])
                self._in_flight.append(tuple(spans(seqs)))
                if self.due is None:
                    self.due = now + self._patience(spread)

    def absent(self, seq: int) -> None:
        """The store does not hold it after all."""
        self.unsendable.add(seq, seq)
        if seq == self.suspect:
            self._clear_suspect()
        if seq == self.last:
            self.asking = False  # there is nothing to ask with

    def _neighbour(self) -> int | None:
        """An event beside the suspect, settled or not: the next one, or else the one before."""
        assert self.suspect is not None
        after = next(self.unsendable.gaps(self.suspect + 1, self.last), None)
        if after:
            return after[0]
        before = list(self.unsendable.gaps(self.held_from, self.suspect - 1))
        return before[-1][1] if before else None

    # --- acknowledgements ------------------------------------------------------------------------------------------

    def acknowledge(self, ack: Ack, now: float, spread: float) -> list[Range]:
        """Take the state of this run in the ledger; returns what it has that was not known."""
        frontier = self._frontier
        new = self.settled.add(1, min(ack.through, self.last))
        for first, last in ack.ranges:
            new += self.settled.add(first, min(last, self.last))
        self._answered = True
        if self.asking:
            self.asking, self._in_flight, self.due, self._cursor = False, [], None, self.held_from
        if new:
            self._limit = min(self._limit * GROWTH, MAX_BATCH_LINES)
            self._in_flight = [batch for batch in self._in_flight if any(map(self._is_open, batch))]
        self._resend_overtaken(ack)
        if self._frontier > frontier:
            self._progress(now, spread)
        return new

    def _resend_overtaken(self, ack: Ack) -> None:
        """A connection delivers in order: what lies below an acknowledged range was lost, and need not be waited for.

        Once only, until something that was sent after that is acknowledged: acknowledgements come twice a second.
        """
        overtaken = ack.ranges[-1][1] if ack.ranges else 0
        if overtaken > self._resent_to and self._frontier < overtaken:
            self._lost, self._resent_to = (self.held_from, overtaken), max(self._sent_to, overtaken)
            self._in_flight = [batch for batch in self._in_flight if batch[-1][1] > overtaken]

    def undeclared(self) -> Iterator[Range]:
        """What the ledger lacks and we cannot send, said here once."""
        for a, b in [(1, self.held_from - 1), *self.unsendable]:
            for c, d in list(self.settled.gaps(a, b)):
                yield from self._declared.add(c, d)

    def _progress(self, now: float, spread: float) -> None:
        self._fruitless = 0
        if self.suspect is not None and self.suspect in self.settled:
            self._clear_suspect()
        self.due = now + self._patience(spread) if self.in_flight else None

    def _clear_suspect(self) -> None:
        self.suspect, self._strikes = None, 0
        self.lone_in_flight = self._lone_wanted = self._neighbour_wanted = False

    def _is_open(self, batch: Range) -> bool:
        return any(True for a, b in self.settled.gaps(*batch) for _ in self.unsendable.gaps(a, b))

    # --- starting again --------------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Nothing is on its way any more: send all that waits again, the suspect not before its time."""
        self._in_flight, self._cursor, self.due, self._answered = [], self.held_from, None, False
        self._lost = (0, 0)
        self.lone_in_flight = self._lone_wanted = self._neighbour_wanted = False

    def reconnected(self, now: float, spread: float) -> None:
        self.restart()
        if self.suspect is not None:
            # What can pass is passed on first: the suspect may be what broke the connection.
            self.due = now + self._patience(spread)

    def fruitless(self) -> None:
        """A try brought nothing: the next one is smaller."""
        self._fruitless += 1
        if self._fruitless >= FRUITLESS_BEFORE_ALONE - 1:
            self._limit = min(self._limit, SMALL)
        if self._fruitless >= FRUITLESS_BEFORE_ALONE and self.suspect is None and not self.asking:
            first = self._frontier
            self.suspect = first if first <= self.last else None

    def expire(self) -> int | None:
        """The time is up without progress: start again. Returns the event that is given up, if one is."""
        lone_was_sent, waited = self.lone_in_flight, self._lone_wanted
        self._answering = self._answered
        if lone_was_sent and self._answered:
            self._strikes += 1
        self.restart()
        if self._strikes >= ALONE:
            return self._give_up()
        if not waited and (self.suspect is None or lone_was_sent):
            self.fruitless()
        self._lone_wanted = self.suspect is not None
        return None

    def _give_up(self) -> int:
        assert self.suspect is not None
        seq = self.suspect
        self.unsendable.add(seq, seq)
        self._declared.add(seq, seq)
        self._clear_suspect()
        self._fruitless = 0
        return seq

    def forget(self) -> None:
        """The ledger was restored, or is another: ask what it has."""
        self.restart()
        self._clear_suspect()
        self.settled, self._declared, self.asking = Spans(), Spans(), True
        self._resent_to = 0
        self._fruitless, self._limit = 0, MAX_BATCH_LINES

    def _patience(self, spread: float) -> float:
        """How long to wait for progress. While the ledger answers, only its own tries make a lone event wait."""
        tries = self._strikes if self.suspect is not None and self._answering else self._fruitless
        return min(RETRY_S * 2.0 ** min(tries, 10), LONGEST_RETRY_S) * (1 + spread / 4)
