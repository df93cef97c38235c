"""One gate: reads in, tag movements and passages out. Pure: time is an argument."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# A load's tags are read at least every 0.3 s while it moves through (95 % of gaps between reads of one tag are below
# 0.27 s in recordings of 12-tag loads, and a load has many tags), and two loads seldom follow within 2 s.
QUIET_S = 2.0


class Side(StrEnum):
    """Where an antenna of a gate looks."""

    OUTSIDE = "outside"
    INSIDE = "inside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the aggregator knows of a gate: which antenna looks where, and how long a silence ends a passage."""

    name: str
    antennas: Mapping[int, Side]
    quiet_s: float = QUIET_S
