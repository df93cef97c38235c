"""kill -9 in the middle of commits: whatever was said to be committed is there."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.store.store import Store
from wire import codec

WRITER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from edge.reads import TagRead
from edge.store.store import Cycle, Store
from wire.events import Clock, DeviceUp, RunStarted

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
store = Store(Path(sys.argv[1]), "store-042", now_us=lambda: time.time_ns() // 1000)
store.start_run(lambda before: RunStarted(
    at=AT, clock=Clock.SYNCED, boot="b", mono_ms=1, versions={}, config_hash="x",
    previous_run=before.previous_run, previous_last_seq=before.previous_last_seq))
print("run", store.run, flush=True)
position = 0
for n in range(1_000_000):
    reads = [(n, TagRead(at_us=n, gate="g", antenna=1, epc="3074", rssi_dbm=-50.0))]
    said = [DeviceUp(at=AT, clock=Clock.SYNCED, boot="b", mono_ms=n, device=f"d{n}")]
    new = store.commit(Cycle(said=said, state={"gate:g": b"%d" % n}, position=position, reads=reads, steady_ms=n))
    print(store.last_seq, n, position, flush=True)
    position = new
"""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("commits", [1, 40, 400])
def test_everything_said_to_be_committed_survives(tmp_path: Path, commits: int) -> None:
    path = tmp_path / "edge.db"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    run = process.stdout.readline().split()[1]
    for _ in range(commits):
        last = process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    last = (process.stdout.read().rstrip("\n").rsplit("\n", 1)[-1] or last).strip()
    process.stdout.close()
    seq, n, position = map(int, last.split())

    store = Store(path, "store-042", now_us=lambda: 0)
    lines = store.lines(run, range(1, seq + 10))
    assert [found for found, _ in lines] == list(range(1, len(lines) + 1))
    assert len(lines) in (seq, seq + 1)  # the commit after the last one said may have been made too
    assert all(codec.decode(line).key == ("store-042", run, at) for at, line in lines)
    assert int(store.states()["gate:g"]) == len(lines) - 2
    assert store.position == position + (len(lines) - seq)
    # State and journal fit together: exactly the last batch is still to be aggregated.
    ((_, tail),) = store.tail()
    assert [read.at_us for _, read in tail] == [len(lines) - 2]
    assert json.dumps(n)
    store.close()
