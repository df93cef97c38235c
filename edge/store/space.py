"""How much room the disk has, and what gives way first."""

import os
from enum import IntEnum
from pathlib import Path

from edge.errors import StoreError

MB = 1_000_000
# Twice the reserve: below it history is trimmed, long before reading has to stop.
SHORT_AT = 2.0
# Reading goes on again only with a quarter more than the reserve, or a full disk would make the agent flutter.
RESUME_AT = 1.25


class Room(IntEnum):
    """From plenty to none. Each also means what the ones before it mean."""

    PLENTY = 0
    SHORT = 1  # acknowledged history and the aggregated journal go
    TIGHT = 2  # there is no history left to trim: telemetry stops
    NONE = 3  # at the reserve: reading stops, what is left is for the events already read


def free_bytes(folder: Path) -> int:
    """What this user may still write on the folder's file system.

    Raises:
        StoreError: the folder is gone.
    """
    try:
        found = os.statvfs(folder)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from error
    return found.f_bavail * found.f_frsize


def judge(free: int, reserve: int, was: Room, *, history: bool) -> Room:
    """What room there is. `history`: something is left that may be trimmed."""
    if free < reserve or (was is Room.NONE and free < RESUME_AT * reserve):
        return Room.NONE
    if free < SHORT_AT * reserve:
        return Room.SHORT if history else Room.TIGHT
    return Room.PLENTY
