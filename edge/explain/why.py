"""What a decision on a tag was made of: signs of movement, its own sides, its load's way, and what was known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from edge.aggregator.found import Decided
from edge.aggregator.model import DEFAULT, Factor, Model
from edge.aggregator.paths import STAYED_IN, STAYED_OUT, WENT_IN, WENT_OUT

# For it and against it.
FACTORS: Mapping[Factor, tuple[str, str]] = {
    Factor.SPREAD: ("its power varied as on a way", "its power was steady, as at rest"),
    Factor.BURST: ("it was read more often than at rest", "it was read no more often than at rest"),
    Factor.SIDES: (
        "the sides that read it changed as the load crossed",
        "the sides that read it did not change",
    ),
    Factor.PROFILE: (
        "it was read when and where the load was",
        "it was not read when and where the load was",
    ),
    Factor.SHIFT: ("its power moved from one side to the other", "its power did not move from side to side"),
    Factor.RISE: ("its power rose as the load crossed", "its power did not rise as the load crossed"),
    Factor.HISTORY: ("it moved in passages before", "it stood through passages before"),
}
# What else a door may have learned, and what it is called.
ODDS = {
    "moving": "log-odds of moving",
    "rest_db": "dB that power varies at rest",
    "own": "weight of a tag's own sides",
    "load": "most log-odds from a load",
    "certain": "confidence at most",
}
PAIRS = {WENT_IN: "in", WENT_OUT: "out", STAYED_OUT: "stayed outside", STAYED_IN: "stayed inside"}
SAYS_NOTHING = 0.05  # log-odds
LIKELY = 0.005  # a share that is worth a word


@dataclass(frozen=True, slots=True)
class Why:
    """Of one tag in one passage; log-odds and shares of the four pairs of `PAIRS`."""

    model: Model
    moved: float  # probability
    factors: Mapping[Factor, float]  # log-odds, weighted
    own: Sequence[float]  # shares, by its own reads alone
    company: Sequence[float]  # by its load's
    together: Sequence[float]
    inside: float  # how probable it was before that it was inside
    known: bool  # how it is read at rest was known
    rest_hz: tuple[float, float]  # outside, inside
    company_of: int  # other tags that probably moved

    @property
    def way(self) -> float:
        """How probable the more probable of in and out is, if it moved."""
        return max(self.together[WENT_IN], self.together[WENT_OUT])


def why(decided: Decided, epc: str) -> Why | None:
    """None if it was not decided there."""
    index = next((i for i in decided.members.tolist() if decided.epcs[i] == epc), None)
    if index is None:
        return None
    scene, judgement = decided.found.scene, decided.found.judgement
    outside, inside = (float(hz) for hz in scene.rest_hz[index])
    return Why(
        model=decided.found.model,
        moved=float(judgement.moved[index]),
        factors={name: float(odds[index]) for name, odds in judgement.factors.items()},
        own=_shares(judgement.own[index]),
        company=_shares(judgement.company[index]),
        together=judgement.ways[index].tolist(),
        inside=float(scene.inside[index]),
        known=bool(scene.known[index]),
        rest_hz=(outside, inside),
        company_of=int((np.delete(judgement.moved, index) > 0.5).sum()),
    )


def _shares(logs: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[float]:
    weights = np.exp(logs - logs.max())
    return [float(share) for share in weights / weights.sum()]


def reasons(found: Why) -> Iterator[str]:
    """In words, what decided most first."""
    yield from _moved(found)
    yield from _way(found)
    yield from _confidence(found)


def _moved(found: Why) -> Iterator[str]:
    odds = found.model.moving + sum(found.factors.values())
    yield (
        f"did it move? {_percent(found.moved)}: log-odds {odds:+.1f}, of which {found.model.moving:+.1f} "
        "before anything is known"
    )
    ranked = sorted(found.factors.items(), key=lambda each: -abs(each[1]))
    told = [(name, value) for name, value in ranked if abs(value) >= SAYS_NOTHING]
    for sign, words in ((1, "for it"), (-1, "against it")):
        parts = [f"{FACTORS[name][sign < 0]} {value:+.1f}" for name, value in told if value * sign > 0]
        if parts:
            yield f"{words}: {'; '.join(parts)}"


def _way(found: Why) -> Iterator[str]:
    yield f"which way, if it moved? {_pairs(found.together)}"
    yield f"its own sides say: {_pairs(found.own)}"
    if found.company_of:
        yield f"its load, {found.company_of} other tag{'s' * (found.company_of != 1)}, says: {_pairs(found.company)}"
    if abs(found.inside - 0.5) > 0.05:
        zone, sure = ("inside", found.inside) if found.inside > 0.5 else ("outside", 1.0 - found.inside)
        yield f"before, it was known to be {zone}: {_percent(sure)}"


def _confidence(found: Why) -> Iterator[str]:
    both = found.moved * found.way
    line = f"confidence of a crossing: {found.moved:.3f} that it moved x {found.way:.3f} of that way = {both:.3f}"
    worth = found.model.confidence(both)
    if worth != both:
        usual = (found.model.scale, found.model.shift) == (DEFAULT.scale, DEFAULT.shift)
        line += f"; worth {worth:.3f}, as {'doors in general' if usual else 'labelled passes'} have shown"
    if worth > found.model.certain:
        line += f"; said is {found.model.certain:g} at most"
    yield line


def calibration(model: Model) -> str:
    """Whether, and how, a door judges otherwise than doors in general."""
    other = [
        f"{name.value} x {model.weights[name]:g}"
        for name in Factor
        if abs(log(max(model.weights[name], 1e-3) / DEFAULT.weights[name])) > log(1.1)
    ]
    antennas = sum(each != DEFAULT.antenna(number) for number, each in model.antennas.items())
    parts = [f"weights {', '.join(other)}"] if other else []
    parts += [f"{antennas} antenna{'s' * (antennas != 1)} of its own"] if antennas else []
    parts += [f"{words} {getattr(model, name):g}" for name, words in ODDS.items()
              if getattr(model, name) != getattr(DEFAULT, name)]  # fmt: skip
    if (model.scale, model.shift) != (DEFAULT.scale, DEFAULT.shift):
        nine = 1.0 / (1.0 + exp(-model.scale * log(9.0) - model.shift))
        parts.append(f"0.9 is worth {nine:.2f}")
    return f"it has learned: {'; '.join(parts)}" if parts else "what holds for doors in general is used"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if 0.005 < share < 0.995 else f"{100 * share:.1f} %"


def _pairs(shares: Sequence[float]) -> str:
    said = sorted(((shares[number], name) for number, name in PAIRS.items()), reverse=True)
    return ", ".join(f"{name} {_percent(share)}" for share, name in said if share >= LIKELY)
