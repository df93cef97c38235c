from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.store.space import Room, free_bytes, judge

RESERVE = 200


@pytest.mark.parametrize("free, was, history, now", [
    (1000, Room.PLENTY, True, Room.PLENTY),
    (400, Room.PLENTY, True, Room.PLENTY),
    (399, Room.PLENTY, True, Room.SHORT),  # history goes first
    (399, Room.SHORT, False, Room.TIGHT),  # then telemetry
    (200, Room.TIGHT, False, Room.TIGHT),
    (199, Room.TIGHT, False, Room.NONE),  # then reading
    (199, Room.PLENTY, True, Room.NONE),
    (249, Room.NONE, True, Room.NONE),  # and it does not flutter
    (250, Room.NONE, True, Room.SHORT),
    (250, Room.NONE, False, Room.TIGHT),
    (500, Room.NONE, False, Room.PLENTY),
])  # fmt: skip
def test_what_gives_way_and_when(free: int, was: Room, history: bool, now: Room) -> None:
    assert judge(free, RESERVE, was, history=history) is now


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
    with pytest.raises(StoreError, match="gone"):
        free_bytes(tmp_path / "gone")
