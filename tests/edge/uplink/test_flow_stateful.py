"""The uplink's flow with a real store against a ledger, through a pipe that loses, doubles and reorders."""

import tempfile
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from edge.store.store import Cycle, Started, Store
from edge.uplink.flow import WINDOW, Flow, Lost, Outcome, Settled, Trust
from edge.uplink.run import Lane
from tests.support.small_ledger import SmallLedger
from wire import codec
from wire.events import Clock, DeviceUp, Missing, RunStarted
from wire.messages import Ack

EPOCH = datetime(2026, 11, 22, tzinfo=UTC)
DAY_S = 86_400.0
MOST_MESSAGES = 200  # at one moment: some four in flight for each run, and their answers
MOST_POISON = 4  # giving one up takes ten minutes


pytestmark = pytest.mark.timeout(60)  # some thousand commits, each of which waits for the disk


class Sending(RuleBasedStateMachine):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        # Inside pytest's own folder, which a later run clears even of what a killed one left.
        self.temporary = tempfile.TemporaryDirectory(dir=folder)
        self.folder = Path(self.temporary.name)
        self.now = 0.0
        self.ledger = SmallLedger()
        self.copy = self.ledger.backup()
        self.up: list[bytes] = []
        self.down: list[Ack] = []
        self.said: set[tuple[str, int]] = set()
        self.online = False

    @initialize()
    def begin(self) -> None:
        self._start()

    def teardown(self) -> None:
        try:
            if hasattr(self, "store"):
                self._comes_to_rest()
        finally:
            if hasattr(self, "store"):
                self.store.close()
            self.temporary.cleanup()

    # --- the edge --------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self.store = Store(self.folder / "edge.db", "store-042", now_us=lambda: round(self.now * 1e6))
        self.store.start_run(self._run_started)
        self.said.add((self.store.run, 1))
        self.flow = Flow(self.store.held(), self.store.trusted(), chance=lambda: 0.5, fault_s=60.0)
        self.flow.begin(self.now)
        self.online = False

    def _stamp(self) -> dict[str, object]:
        at = EPOCH + timedelta(seconds=self.now)
        return {"at": at, "clock": Clock.SYNCED, "boot": "b", "mono_ms": round(self.now * 1000)}

    def _run_started(self, before: Started) -> RunStarted:
        return RunStarted(
            **self._stamp(),  # type: ignore[arg-type]  # four fields of four types
            previous_run=before.previous_run,
            previous_last_seq=before.previous_last_seq,
            versions={},
            config_hash="x",
        )

    @rule(events=st.integers(1, 6), poison=st.sampled_from([False, False, False, True]))
    def say(self, events: int, poison: bool) -> None:
        first = self.store.last_seq + 1
        said = [DeviceUp(**self._stamp(), device=f"d{n}") for n in range(events)]  # type: ignore[arg-type]
        self.store.commit(Cycle(said=said, steady_ms=0))
        self.said |= {(self.store.run, seq) for seq in range(first, self.store.last_seq + 1)}
        if poison and len(self.ledger.poison) < MOST_POISON:
            self.ledger.poison.add((self.store.run, first))
        self.flow.appended(self.store.last_seq, self.now)
        self._pump()

    @rule()
    def restart_the_agent(self) -> None:
        self.store.close()
        self._start()

    @rule()
    def connect(self) -> None:
        if self.online:
            self.flow.disconnected()
        self.flow.connected(self.now)
        self.online = True
        self._pump()

    @precondition(lambda self: self.online)
    @rule()
    def disconnect(self) -> None:
        self.flow.disconnected()
        self.online = False

    @rule(seconds=st.sampled_from([0.1, 1.0, 20.0, 100.0, 400.0, 2 * DAY_S]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self._tick()

    @rule()
    def trim(self) -> None:
        for run, held_from in self.store.trim(round(DAY_S * 1e6)).items():
            self.flow.trimmed(run, held_from)

    def _tick(self) -> None:
        self._apply(self.flow.tick(self.now))
        self._pump()

    def _pump(self) -> None:
        for messages in count():
            send = self.flow.next(self.now)
            if send is None:
                break
            assert messages < MOST_MESSAGES, "it never comes to an end"
            lines = self.store.lines(send.run, send.seqs)
            found = {seq for seq, _ in lines}
            absent = [seq for seq in send.seqs if seq not in found]
            assert send.lane is Lane.MAIN or len(send.seqs) == 1
            self.flow.sent(send, tuple(seq for seq, _ in lines), self.now, absent)
            self.up.append(codec.join(line for _, line in lines))

    def _apply(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Settled():
                    self.store.settle(outcome.run, outcome.ranges, outcome.through)
                case Trust():
                    self.store.trust(outcome.whom, forget=outcome.forget)
                case Lost():
                    first, last = outcome.span
                    event = Missing(
                        **self._stamp(),  # type: ignore[arg-type]
                        run=outcome.run,
                        from_seq=first,
                        to_seq=last,
                        reason=outcome.reason,
                    )
                    if outcome.quarantine:
                        assert (outcome.run, first) in self.ledger.poison
                    self.store.declare(event, outcome.run, outcome.span, "", quarantine=outcome.quarantine)
                    self.said.add((self.store.run, self.store.last_seq))
                    self.flow.appended(self.store.last_seq, self.now)

    # --- the pipe and the ledger ---------------------------------------------------------------------------------

    @precondition(lambda self: self.up)
    @rule(data=st.data(), twice=st.booleans())
    def deliver(self, data: st.DataObject, twice: bool) -> None:
        index = data.draw(st.integers(0, len(self.up) - 1))
        payload = self.up[index] if twice else self.up.pop(index)
        self.down += self.ledger.deliver(payload)

    @precondition(lambda self: self.down)
    @rule(data=st.data(), twice=st.booleans())
    def acknowledge(self, data: st.DataObject, twice: bool) -> None:
        index = data.draw(st.integers(0, len(self.down) - 1))
        ack = self.down[index] if twice else self.down.pop(index)
        self._apply(self.flow.receive(ack, self.now))
        self._pump()

    @rule()
    def lose_what_is_on_its_way(self) -> None:
        self.up.clear()
        self.down.clear()

    @rule()
    def back_up(self) -> None:
        self.copy = self.ledger.backup()

    @rule()
    def restore(self) -> None:
        self.ledger = self.ledger.restored(self.copy)

    @rule()
    def another_ledger_answers(self) -> None:
        if self.store.trusted() is None:
            return
        before = self.store.counts()
        foreign = Ack(ledger="stranger", generation=99, run=self.store.run, through=self.store.last_seq)
        self._apply(self.flow.receive(foreign, self.now))
        assert self.store.counts() == before
        assert any("stranger" in fault for fault in self.flow.faults(self.now))

    # --- what must hold ------------------------------------------------------------------------------------------

    @invariant()
    def nothing_counts_as_settled_that_the_ledger_lacks(self) -> None:
        trusted = self.store.trusted() if hasattr(self, "store") else None
        if trusted is None or trusted.generation != self.ledger.generation:
            return
        for held in self.store.held():
            settled = {seq for first, last in held.settled for seq in range(first, last + 1)}
            assert settled <= self.ledger.has(held.run)

    @invariant()
    def the_window_is_kept(self) -> None:
        if hasattr(self, "flow"):
            assert sum(run.in_flight for run in self.flow._runs.values()) <= WINDOW

    @invariant()
    def no_event_changes(self) -> None:
        assert self.ledger.conflicts == []

    def _comes_to_rest(self) -> None:
        """With a pipe that works, everything arrives or is said to be missing, and nobody waits any more."""
        self.up.clear()
        self.down.clear()
        self.connect()
        for _ in range(400):
            self.now += 10.0
            # Something is always said now and then, and shows a restored ledger's generation.
            self.say(1, False)
            self._tick()
            for rounds in count():
                if not (self.up or self.down):
                    break
                assert rounds < MOST_MESSAGES, "edge and ledger call each other back for ever"
                while self.up:
                    self.down += self.ledger.deliver(self.up.pop(0))
                while self.down:
                    self._apply(self.flow.receive(self.down.pop(0), self.now))
                self._pump()
            if not self.flow.waiting:
                break
        assert self.flow.waiting == 0
        for run, seq in self.said:
            assert seq in self.ledger.has(run), f"{run} {seq} is nowhere"


# Neither shrunk nor explained: that runs a failing example for up to five minutes, and takes pytest's own timeout for
# one more failure to be shrunk. The blob that is printed repeats it; add Phase.shrink to make it small.
BOUNDED = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    print_blob=True,
)


def test_everything_arrives_or_is_said_to_be_missing(tmp_path: Path) -> None:
    # Typed to take a class; its words ask for anything that makes a machine when called.
    run_state_machine_as_test(lambda: Sending(tmp_path), settings=BOUNDED)  # type: ignore[arg-type]  # see above
