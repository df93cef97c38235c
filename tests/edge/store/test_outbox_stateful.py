"""The outbox against a dictionary: append, settle, restart, trim, a ledger that went back."""

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.store.held import Trusted
from edge.store.store import Cycle, Started, Store
from wire.events import Clock, DeviceUp, RunStarted

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY_US = 86_400_000_000
KEEP_US = 7 * DAY_US


pytestmark = pytest.mark.timeout(60)  # some thousand commits, each of which waits for the disk


class Outbox(RuleBasedStateMachine):
    """The model: for each run, what happened to each event it ever said."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="stockbeat-outbox-"))
        self.now_us = 1
        self.generation = 1
        self.settled_us: dict[str, dict[int, int]] = {}
        self.last: dict[str, int] = {}
        self.held: dict[str, dict[int, bytes]] = {}

    @initialize()
    def open(self) -> None:
        self.store = Store(self.folder / "edge.db", "store-042", now_us=lambda: self.now_us)
        run = self.store.start_run(self._run_started)
        self.settled_us[run], self.last[run] = {}, 1
        self.held[run] = dict(self.store.lines(run, [1]))

    def _run_started(self, before: Started) -> RunStarted:
        if self.last:
            run = list(self.last)[-1]
            assert before == Started(run, self.last[run])
        return RunStarted(at=AT, clock=Clock.SYNCED, boot="b", mono_ms=1, versions={}, config_hash="x")

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
        shutil.rmtree(self.folder)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.open()

    @rule(count=st.integers(0, 5))
    def append(self, count: int) -> None:
        events = [DeviceUp(at=AT, clock=Clock.SYNCED, boot="b", mono_ms=n, device="d") for n in range(count)]
        self.store.commit(Cycle(said=events, steady_ms=0))
        run = self.store.run
        new = range(self.last[run] + 1, self.last[run] + count + 1)
        self.last[run] += count
        lines = dict(self.store.lines(run, list(new)))
        assert list(lines) == list(new)
        self.held[run] |= lines

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        run = list(self.last)[data.draw(st.integers(0, len(self.last) - 1))]  # names are drawn at random
        has = self.settled_us[run]
        first = data.draw(st.integers(1, self.last[run]))
        last = data.draw(st.integers(first, self.last[run]))
        for seq in range(first, last + 1):
            has.setdefault(seq, self.now_us)
        self.store.settle(run, [(first, last)], self._through(run))

    def _through(self, run: str) -> int:
        through = 0
        while through + 1 in self.settled_us[run]:
            through += 1
        return through

    @rule(days=st.integers(0, 20))
    def wait(self, days: int) -> None:
        self.now_us += days * DAY_US + 1

    @rule()
    def trim(self) -> None:
        held_from = self.store.trim(KEEP_US)
        for run, lines in self.held.items():
            through, has = self._through(run), self.settled_us[run]
            for seq in sorted(lines):
                old = has.get(seq, self.now_us) < self.now_us - KEEP_US
                if not (old and seq <= through and seq < self.last[run]):
                    break
                del lines[seq]
                assert held_from[run] > seq

    @rule()
    def the_ledger_went_back(self) -> None:
        self.generation += 1
        self.store.trust(Trusted("ledger-1", self.generation), forget=True)
        for has in self.settled_us.values():
            has.clear()

    @invariant()
    def the_store_holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "store"):
            return
        found = {held.run: held for held in self.store.held()}
        waiting = 0
        for run, lines in self.held.items():
            if run not in found:  # only a run that is over, and all of it acknowledged long ago, is forgotten
                assert run != self.store.run
                assert self._through(run) == self.last[run]
                continue
            assert self.store.lines(run, range(1, self.last[run] + 1)) == sorted(lines.items())
            assert found[run].held_from == min(lines)
            assert found[run].last == self.last[run]
            settled = {seq for first, last in found[run].settled for seq in range(first, last + 1)}
            assert settled == set(self.settled_us[run])
            waiting += len(set(lines) - settled)
        assert self.store.counts().waiting == waiting


Outbox.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestOutbox = Outbox.TestCase
