"""From probabilities to what is said of each tag: in, out, turned back, undecided, or nothing."""

from dataclasses import dataclass

import numpy as np

from edge.aggregator.judge import Judgement
from edge.aggregator.paths import STAYED_IN, STAYED_OUT, WENT_IN, WENT_OUT, Floats
from wire.events import Direction

# Bounds of what is said: no passage is certain, and below the lower one nothing is decided.
CERTAIN = 0.995
DECIDED = 0.6
# Below this a crossing is not worth a person's time; between the two it is theirs to decide.
POSSIBLE = 0.35
MOVED = 0.7  # from which a tag that did not cross is said to have turned back, if it showed it
# A tag that came and went without crossing: its power rose and fell by so much, with so many reads.
RISE_DB = 4.0
TURN_READS = 5
TURN_LEAST, TURN_SHARE = 1.5, 0.3  # tags, and share of a load's, that show it before the rest are believed to


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome` is None for a tag at rest. `at_s` is when it crossed, or was last read, in the scene's time."""

    outcome: Direction | None
    confidence: float
    at_s: float


def verdicts(judgement: Judgement, rose_and_fell: Floats, last_s: Floats) -> list[Verdict]:
    """One for each tag.

    Args:
        rose_and_fell: dB by which each tag's power rose above both its first and its last, (n,).
        last_s: when each was last read, (n,).
    """
    moved, ways = judgement.moved, judgement.ways
    gone_in, gone_out = moved * ways[:, WENT_IN], moved * ways[:, WENT_OUT]
    back = moved * (ways[:, STAYED_OUT] + ways[:, STAYED_IN])
    shown = rose_and_fell >= RISE_DB
    turned = float(back[shown].sum()) >= max(TURN_LEAST, TURN_SHARE * float(back.sum()))
    return [
        _verdict(*values, turned=turned)
        for values in zip(
            gone_in.tolist(), gone_out.tolist(), moved.tolist(), shown.tolist(), judgement.crossed_s.tolist(),
            last_s.tolist(), strict=True,
        )
    ]  # fmt: skip


def _verdict(
    gone_in: float, gone_out: float, moved: float, shown: bool, crossed_s: float, last_s: float, *, turned: bool
) -> Verdict:
    best, crossed = max(gone_in, gone_out), gone_in + gone_out
    if best >= DECIDED:
        return Verdict(Direction.IN if gone_in > gone_out else Direction.OUT, min(CERTAIN, best), crossed_s)
    if crossed >= POSSIBLE:
        return Verdict(Direction.UNDECIDED, best, last_s)
    if (moved > 0.5 and shown) or (moved > MOVED and turned):
        return Verdict(Direction.TURNED_BACK, min(CERTAIN, 1.0 - crossed), last_s)
    return Verdict(None, 1.0 - best, last_s)


def rose_and_fell(tag: np.ndarray, dbm: Floats, n: int) -> Floats:
    """How far each tag's smoothed power rose above its first and its last, in dB; 0 with few reads. Reads in order."""
    result = np.zeros(n)
    for each in range(n):
        powers = dbm[tag == each]
        if len(powers) < TURN_READS:
            continue
        smooth = np.convolve(powers, np.full(3, 1 / 3), mode="valid")
        result[each] = smooth.max() - max(smooth[0], smooth[-1])
    return result
