"""Integers of time to what events carry. Wall time is microseconds since 1970 in UTC; steady time is milliseconds."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wire.events import Clock

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every event of this start of the agent carries beside its time."""

    clock: Clock
    boot: str


def moment(at_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=at_us)


def compact(at_us: int) -> str:
    """A time as part of an id: 20261122T090000.123456Z."""
    return moment(at_us).strftime("%Y%m%dT%H%M%S.%fZ")
