"""What a passage tells of its tags for the next ones: where they are, how they are read there, whether they stand."""

import numpy as np

from edge.aggregator.field import Field
from edge.aggregator.found import Found
from edge.aggregator.model import Factor
from edge.aggregator.paths import STAYED_IN, WENT_IN, WENT_OUT
from edge.aggregator.slices import Ints
from edge.aggregator.verdict import DECIDED

# Reads of a tag so soon after it was said belong to what was said, and tell how it is read where it stands now.
TAIL_MS = 3_000
# Of the signs of movement in one passage so much is remembered, in log-odds.
LEARNED, LEARNED_MOST = 0.5, 3.0
LEARNED_FROM = (Factor.SPREAD, Factor.SIDES, Factor.PROFILE, Factor.SHIFT, Factor.RISE)
HISTORY = (-6.0, 1.5)
STAYED = 0.3  # less probably crossing, it stood
STOOD = -0.3  # of one that did not go through, at least
ZONE_SURE = 0.8  # where it was said to be is doubted so far


def learn(field: Field, found: Found, at_ms: int, mine: Ints) -> None:
    """From a passage of which something was said at `at_ms`, of some of its tags by their index in what was found."""
    judgement = found.judgement
    rows = found.rows[mine]
    moved, ways = judgement.moved[mine], judgement.ways[mine]
    crossed = moved * (ways[:, WENT_IN] + ways[:, WENT_OUT])
    known = field.take(rows)
    told = sum(
        (odds[mine] for name, odds in judgement.factors.items() if name in LEARNED_FROM), np.zeros(len(rows))
    )
    told = LEARNED * np.clip(told, -LEARNED_MOST, LEARNED_MOST)
    told = np.where(crossed < STAYED, np.minimum(told, STOOD), told)
    known["history"] = np.clip(known["history"] + told, *HISTORY)
    inside = moved * (ways[:, WENT_IN] + ways[:, STAYED_IN]) + (1.0 - moved) * known["inside"]
    known["inside"] = 0.5 + ZONE_SURE * (inside - 0.5)
    gone = crossed >= DECIDED
    known["seen"] *= (1.0 - crossed)[:, None]
    known["came_ms"] = np.where(gone, at_ms, known["came_ms"])
    known["settled_ms"] = np.where(gone, at_ms + TAIL_MS, known["settled_ms"])
    known["since_ms"] = at_ms
    known["evidence"] = 0.0
    field.put(rows, known)


def stood(field: Field, rows: Ints) -> None:
    """Something moved, and none of these tags went through: they stand about here."""
    history = field.rows["history"]
    history[rows] = np.maximum(history[rows] + STOOD, HISTORY[0])
