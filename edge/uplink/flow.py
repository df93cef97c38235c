"""What the outbox sends next, and what an acknowledgement means. No I/O and no clock: time and chance are arguments.

The broker is a pipe that may lose, double and reorder. Only the ledger's acknowledgement settles an event, and only
that of the ledger that is trusted: the first one ever heard, or one that a person named. A higher generation of it is
a ledger restored from a backup, believed even where it has less: each run is then asked about by sending its last
event, and filled up from what is still held.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edge.store.held import HeldRun, Range, Trusted
from edge.uplink.run import Lane, Run, Send
from wire.messages import Ack

WINDOW = 4  # batches in flight, by the wire's contract
OF_EARLIER_RUNS = 3  # of them: what happens now is never kept waiting by what happened before
# The ledger acknowledges a run at most twice a second. Small batches that follow each other no faster than a quarter of
# that never fill the window before an acknowledgement can come.
SPACING_S = 0.125
NO_LONGER_HELD = "acknowledged once, no longer held, and the ledger was restored to before it"
GIVEN_UP = "made no progress when sent alone, five times"


@dataclass(frozen=True, slots=True)
class Settled:
    """The ledger has these of a run. `through`: it has all up to there."""

    run: str
    ranges: tuple[Range, ...]
    through: int


@dataclass(frozen=True, slots=True)
class Trust:
    """From now on this ledger counts. `forget`: what was settled before counts no longer."""

    whom: Trusted
    forget: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """These events of a run will not come: say so. `quarantine`: we hold them still, and send them no more."""

    run: str
    span: Range
    reason: str
    quarantine: bool


Outcome = Settled | Trust | Lost


class Flow:
    """The whole of one edge's sending. `runs` as the store holds them, the present one last.

    Outcomes are to be made durable in the order in which they are returned. `now` is seconds of any steady clock;
    `chance` gives numbers from 0 to 1 and spreads the retries of many edges.
    """

    def __init__(
        self, runs: Sequence[HeldRun], trusted: Trusted | None, *, chance: Callable[[], float], fault_s: float
    ) -> None:
        self._runs = {held.run: Run(held) for held in runs}
        self._present = self._runs[runs[-1].run]
        self._trusted = trusted
        self._chance = chance
        self._fault_s = fault_s
        self._connected = False
        self._answered = False  # since the connection was made
        self._last_sent = float("-inf")
        self._heard: float | None = None  # when the trusted ledger last said anything
        self._waiting_since: float | None = None
        self._foreign: str | None = None

    def begin(self, now: float) -> None:
        """Call once, before anything else: what is already held waits from now on."""
        self._note_waiting(now)

    def appended(self, last: int, now: float) -> None:
        """The present run has grown to `last`."""
        self._present.last = last
        self._note_waiting(now)

    def trimmed(self, run: str, held_from: int) -> None:
        """Acknowledged history was deleted."""
        if known := self._runs.get(run):
            known.held_from = held_from

    def connected(self, now: float) -> None:
        self._connected, self._answered = True, False
        for run in self._runs.values():
            run.reconnected(now, self._chance())

    def disconnected(self) -> None:
        for run in self._runs.values():
            if run.in_flight and not self._answered:
                run.fruitless()  # perhaps something we sent is what broke it
            run.restart()
        self._connected = False

    def next(self, now: float) -> Send | None:
        """What to send now; None when nothing may be. Report it with `sent` before asking again."""
        if not self._connected:
            return None
        for run in self._runs.values():
            if send := run.next_neighbour():
                return send
        return next(self._candidates(now), None)

    def _candidates(self, now: float) -> Iterator[Send]:
        busy = sum(run.in_flight for run in self._runs.values())
        earlier = busy - self._present.in_flight
        alone = any(run.lone_in_flight for run in self._runs.values())
        for run in self._runs.values():
            if busy >= WINDOW or (run is not self._present and earlier >= OF_EARLIER_RUNS):
                continue
            if not alone and (send := run.next_lone()):
                yield send
            send = run.next_batch()
            if send and not self._too_early(run, send, busy, now):
                yield send

    def _too_early(self, run: Run, send: Send, busy: int, now: float) -> bool:
        if run is not self._present or busy == 0 or run.is_full(send):
            return False
        return now < self._last_sent + SPACING_S

    def sent(self, send: Send, seqs: tuple[int, ...], now: float, absent: Sequence[int] = ()) -> None:
        """`seqs` of it went out; `absent` of those before them are not in the store."""
        run = self._runs[send.run]
        for seq in absent:
            run.absent(seq)
        if seqs:
            run.sent(send, seqs, now, self._chance())
        if send.lane is Lane.MAIN:
            self._last_sent = now

    def wake_at(self, now: float) -> float | None:
        """When `tick` and `next` are to be asked again though nothing happened."""
        times = [run.due for run in self._runs.values() if run.due is not None]
        if self._last_sent + SPACING_S > now:
            times.append(self._last_sent + SPACING_S)
        return min(times) if times and self._connected else None

    def tick(self, now: float) -> list[Outcome]:
        """Time has passed."""
        outcomes: list[Outcome] = []
        for run in self._runs.values():
            if self._connected and run.due is not None and now >= run.due:
                given_up = run.expire()
                if given_up is not None:
                    outcomes.append(Lost(run.name, (given_up, given_up), GIVEN_UP, quarantine=True))
        if outcomes:
            self._note_waiting(now)
        return outcomes

    def receive(self, ack: Ack, now: float) -> list[Outcome]:
        """A ledger has spoken."""
        outcomes: list[Outcome] = []
        if self._trusted is None:
            self._trusted = Trusted(ack.ledger, ack.generation)
            outcomes.append(Trust(self._trusted, forget=False))
        if ack.ledger != self._trusted.ledger:
            self._foreign = ack.ledger
            return []
        if ack.generation < self._trusted.generation:
            return []
        if ack.generation > self._trusted.generation:
            outcomes.append(self._forget(Trusted(ack.ledger, ack.generation)))
        self._heard, self._answered = now, True
        if run := self._runs.get(ack.run):
            asked = run.asking
            new = run.acknowledge(ack, now, self._chance())
            if new or asked:
                outcomes.append(Settled(run.name, tuple(new), run.through))
            outcomes += [Lost(run.name, span, NO_LONGER_HELD, quarantine=False) for span in run.undeclared()]
        self._note_waiting(now)
        return outcomes

    def trust(self, ledger: str, now: float) -> list[Outcome]:
        """A person says which ledger counts."""
        self._foreign = None
        if self._trusted and self._trusted.ledger == ledger:
            return []
        outcome = self._forget(Trusted(ledger, 0))
        self._note_waiting(now)
        return [outcome]

    def _forget(self, whom: Trusted) -> Trust:
        self._trusted = whom
        for run in self._runs.values():
            run.forget()
        return Trust(whom, forget=True)

    # --- what a person should know -----------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Events that no ledger has acknowledged yet, without those that were given up."""
        return sum(run.waiting for run in self._runs.values())

    @property
    def quarantined(self) -> int:
        return sum(run.given_up for run in self._runs.values())

    def faults(self, now: float) -> list[str]:
        faults = []
        if self._waiting_since is not None:
            silent = now - max(self._waiting_since, self._heard or self._waiting_since)
            if silent >= self._fault_s:
                faults.append(
                    f"no acknowledgement for {self._fault_s:.0f} s: is the cloud running, and may this edge "
                    "publish its events and subscribe to its acknowledgements?"
                )
        if self._foreign is not None and self._trusted:
            faults.append(
                f"unknown ledger {self._foreign}: it settles nothing, {self._trusted.ledger} is trusted; "
                f"if it is the right one, run: stockbeat edge trust CONFIG {self._foreign}"
            )
        if count := self.quarantined:
            faults.append(f"{count} events quarantined: the cloud did not take them, see edge status")
        return faults

    def _note_waiting(self, now: float) -> None:
        if not self.waiting:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = now
