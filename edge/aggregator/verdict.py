"""From probabilities to what is said of each tag: in, out, turned back, undecided, or nothing."""

from dataclasses import dataclass

import numpy as np

from edge.aggregator.judge import Judgement
from edge.aggregator.model import Model
from edge.aggregator.paths import STAYED_IN, STAYED_OUT, WENT_IN, WENT_OUT
from edge.aggregator.slices import Bools, Floats, Ints
from wire.events import Direction

DECIDED = 0.6  # below it nothing is decided
# Below this a crossing is not worth a person's time; between the two it is theirs to decide. Of a tag that stood there
# before, of one that came with something, and of one that came with a load that went through: somebody is told of that
# load as it is, and a question more costs little.
POSSIBLE, POSSIBLE_NEW, POSSIBLE_WITH = 0.35, 0.3, 0.15
MOVES = 0.3  # more probably moving, a tag is asked about where reads are lost
MOVED = 0.7  # from which a tag that did not cross is said to have turned back, if it showed it
# A tag that came and went without crossing: its power rose and fell by so much, with so many reads.
RISE_DB = 4.0
TURN_READS = 5
SMOOTH = 3  # reads: one alone is a reflection
TURN_LEAST, TURN_SHARE = 1.5, 0.3  # tags, and share of a load's, that show it before the rest are believed to


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome` is None for a tag at rest. `at_s` is when it crossed, or was last read, in the scene's time."""

    outcome: Direction | None
    confidence: float
    at_s: float


def verdicts(
    judgement: Judgement,
    known: Bools,
    rose_and_fell: Floats,
    last_s: Floats,
    model: Model,
    *,
    healthy: bool = True,
) -> list[Verdict]:
    """One for each tag.

    Args:
        known: which of them had stood there before, (n,).
        rose_and_fell: dB by which each tag's power rose above both its first and its last, (n,).
        last_s: when each was last read, (n,).
        model: how far the gate's confidence can be trusted.
        healthy: no read is known to be lost. Else nobody knows what became of those that came and were seen to move.
    """
    moved, ways = judgement.moved, judgement.ways
    gone_in, gone_out = moved * ways[:, WENT_IN], moved * ways[:, WENT_OUT]
    back = moved * (ways[:, STAYED_OUT] + ways[:, STAYED_IN])
    shown = rose_and_fell >= RISE_DB
    turned = float(back[shown].sum()) >= max(TURN_LEAST, TURN_SHARE * float(back.sum()))
    through = bool((np.maximum(gone_in, gone_out) >= DECIDED).any())
    possible = np.where(known, POSSIBLE, POSSIBLE_WITH if through else POSSIBLE_NEW)
    if not healthy:
        possible[(moved >= MOVES) & ~known] = 0.0
    return [
        _verdict(*values, turned=turned, model=model, healthy=healthy)
        for values in zip(
            gone_in.tolist(), gone_out.tolist(), moved.tolist(), shown.tolist(), judgement.crossed_s.tolist(),
            last_s.tolist(), possible.tolist(), strict=True,
        )
    ]  # fmt: skip


def _verdict(
    gone_in: float,
    gone_out: float,
    moved: float,
    shown: bool,
    crossed_s: float,
    last_s: float,
    possible: float,
    *,
    turned: bool,
    model: Model,
    healthy: bool,
) -> Verdict:
    best, crossed = model.confidence(max(gone_in, gone_out)), gone_in + gone_out
    if best >= DECIDED:
        return Verdict(
            Direction.IN if gone_in > gone_out else Direction.OUT, min(model.certain, best), crossed_s
        )
    if crossed >= possible:
        return Verdict(Direction.UNDECIDED, best, last_s)
    if (moved > 0.5 and shown) or (moved > MOVED and turned):
        if not healthy:
            return Verdict(Direction.UNDECIDED, best, last_s)
        return Verdict(Direction.TURNED_BACK, min(model.certain, 1.0 - crossed), last_s)
    return Verdict(None, 1.0 - best, last_s)


def rose_and_fell(tag: Ints, inner: Bools, dbm: Floats, n: int) -> Floats:
    """How far each tag's smoothed power on one side rose above its first and its last there, in dB; 0 with few reads.

    Args:
        tag, inner, dbm: of each read, in order of time.
    """
    result = np.zeros(n)
    cell = tag * 2 + inner
    order = np.argsort(cell, kind="stable")
    numbers, starts = np.unique(cell[order], return_index=True)
    for number, powers in zip(numbers.tolist(), np.split(dbm[order], starts[1:]), strict=True):
        if len(powers) >= TURN_READS:
            smooth = np.convolve(powers, np.full(SMOOTH, 1 / SMOOTH), mode="valid")
            rise = smooth.max() - max(powers[0], powers[-1])
            result[number // 2] = max(result[number // 2], rise)
    return result
