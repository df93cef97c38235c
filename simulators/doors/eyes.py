"""Photo-eyes: two beams across a door, one on either side of the sill; whatever breaks one switches its input on.

Loads and people break them alike. The gaps of a pallet and the mast of a truck let light through for moments, so an
input chatters; a dirty lens is taken for something that stands there.
"""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import numpy as np

from simulators.doors.cargo import HALF_LENGTH_M
from simulators.doors.inventory import Group
from simulators.doors.site import EYES_M, POST_M, Door

STEP_S = 0.02
PERSON_M = 0.2
OUTSIDE, INSIDE = 1, 2  # inputs
GAP_S = (0.02, 0.12)


class Change(NamedTuple):
    at_s: float
    gate: str
    input: int
    on: bool


def changes(
    door: Door, groups: Sequence[Group], rng: Random, *, chatter: float = 0.0,
    blocked: tuple[int, float, float] | None = None,
) -> list[Change]:  # fmt: skip
    """What the inputs of a door report, in order of time.

    Args:
        chatter: gaps of light a second while something breaks a beam.
        blocked: an input, and from when to when it is dirty: on, whatever passes.
    """
    found: list[Change] = []
    for number, y in ((OUTSIDE, -EYES_M), (INSIDE, EYES_M)):
        broken = [each for group in groups for each in _broken(door, group, y)]
        broken = [each for whole in _united(broken) for each in _with_gaps(whole, chatter, rng)]
        if blocked is not None and blocked[0] == number:
            broken = _united([*broken, blocked[1:]])
        for begin, end in broken:
            found += [Change(begin, door.name, number, True), Change(end, door.name, number, False)]
    return sorted(found)


def _broken(door: Door, group: Group, y: float) -> list[tuple[float, float]]:
    if group.lets_through == 1.0:
        return []
    half = HALF_LENGTH_M if group.epcs else PERSON_M
    at_s = np.arange(group.from_s, group.to_s, STEP_S)
    x, along = group.way.at(at_s)
    there = (np.abs(along - y) < half) & (np.abs(x - door.x) < POST_M)
    turns = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(np.int8), [0]])))
    return [
        (float(at_s[begin]), float(at_s[min(end, len(at_s) - 1)]))
        for begin, end in zip(turns[::2], turns[1::2], strict=True)
    ]


def _united(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def _with_gaps(span: tuple[float, float], chatter: float, rng: Random) -> list[tuple[float, float]]:
    found, (begin, end) = [], span
    while chatter > 0.0:
        gap_at = begin + max(0.03, rng.expovariate(chatter))
        gap_ends = gap_at + rng.uniform(*GAP_S)
        if gap_ends >= end:
            break
        found.append((begin, gap_at))
        begin = gap_ends
    return [*found, (begin, end)]
