"""A simulated site for system tests: started, disturbed, and held against what really happened."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stockbeat.demo.processes import Process
from stockbeat.demo.report import ledger_balances, make, true_balances
from stockbeat.demo.site import Site, running
from tests.support.servers import free_port

# An edge that heard nothing for 15 s starts again behind the last acknowledgement; twice that, and some patience.
CATCH_UP_S = 45.0


@contextmanager
def site(
    folder: Path, *, seed: int, last_s: float, quiet_s: float = 10.0, broker_url: str = ""
) -> Iterator[Site]:
    """A running site; on failure its logs are in `folder`."""
    made = Site(
        folder, seed=seed, last_s=last_s, quiet_s=quiet_s, web_port=free_port(), broker_url=broker_url
    )
    with running(made):
        yield made


def wait_for(holds: Callable[[], bool], what: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {within_s:.0f} s"
        time.sleep(0.1)


def wait_for_the_end(made: Site, *, last_s: float) -> None:
    """Until the world has ended and the ledger says what is true, or CATCH_UP_S have passed."""
    wait_for(lambda: made.world_ended, "the end of the world", last_s + 30)
    deadline = time.monotonic() + CATCH_UP_S
    while ledger_balances(made) != true_balances(made) and time.monotonic() < deadline:
        time.sleep(0.5)
    time.sleep(2)  # anything doubled would still be on its way


def differences(made: Site, *, watched: bool = True) -> list[str]:
    found: list[str] = make(made, None, watched=watched)["differences"]
    return found


def kill_and_restart(made: Site, victim: Process, *, down_s: float) -> None:
    victim.kill()
    time.sleep(down_s)
    if victim is made.cloud:
        made.start_cloud()
    else:
        victim.start()


def kills(made: Site, chance: random.Random, *, count: int, every_s: float) -> list[str]:
    """Kill edge, cloud and broker in turn at random moments while goods move; return who and when, for the message."""
    log = []
    victims = [made.edge, made.cloud, made.broker]
    for n in range(count):
        time.sleep(chance.uniform(0.3, 1.0) * every_s)
        victim = victims[n % 3] if count < 6 else chance.choice(victims)
        down_s = chance.uniform(0.0, 2.0)
        log.append(f"{victim.name} for {down_s:.1f} s")
        kill_and_restart(made, victim, down_s=down_s)
    return log


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of an SQLite file that is in use, as a backup program makes it."""
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as live, sqlite3.connect(target) as copy:
        live.backup(copy)
    live.close()
    copy.close()


def put_back(copy: Path, target: Path) -> None:
    """Restore a copy over a database that nobody has open."""
    for suffix in ("-wal", "-shm"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    target.write_bytes(copy.read_bytes())
