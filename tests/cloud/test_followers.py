import asyncio
import logging
import threading

import pytest

from cloud.followers import Changes, follow


class Steps:
    """A follower that counts its steps and stops after so many."""

    name = "steps"

    def __init__(
        self, changes: Changes, stop: threading.Event, *, most: int, due_s: float, fails: int = 0
    ) -> None:
        self.count = 0
        self._changes = changes
        self._stop = stop
        self._most = most
        self._due_s = due_s
        self._fails = fails

    def step(self) -> float:
        self.count += 1
        if self.count >= self._most:
            self._stop.set()
            self._changes.tell()
        if self.count <= self._fails:
            raise ConnectionError("planted")
        return self._due_s


def test_a_follower_steps_when_something_changed_and_when_it_said_it_would() -> None:
    changes, stop = Changes(), threading.Event()
    timed = Steps(changes, stop, most=3, due_s=0.001)
    follow(timed, changes, stop)
    assert timed.count == 3

    stop.clear()
    told = Steps(changes, stop, most=2, due_s=60)
    thread = threading.Thread(target=follow, args=(told, changes, stop))
    thread.start()
    while told.count < 1 or thread.is_alive():
        changes.tell()
        thread.join(0.01)
    assert told.count == 2


def test_a_failure_is_said_once_and_the_step_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    changes, stop = Changes(), threading.Event()
    failing = Steps(changes, stop, most=2, due_s=0.001, fails=1)
    follow(failing, changes, stop)
    said = [record for record in caplog.records if record.name == "cloud.followers"]
    assert [(record.levelno, record.getMessage()) for record in said] == [
        (logging.WARNING, "steps failed and is tried again: planted"),
        (logging.INFO, "steps works again"),
    ]


async def test_a_task_waits_for_more_than_it_has_seen() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.changed(changes.count))
    await asyncio.sleep(0)
    assert not waiting.done()
    thread = threading.Thread(target=changes.tell)
    thread.start()
    assert await asyncio.wait_for(waiting, 5) == 1
    thread.join()
    assert await changes.changed(0) == 1
    assert changes.wait(0, 0) == 1
