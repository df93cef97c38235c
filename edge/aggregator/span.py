"""Whether a scale weighs by another factor than it did: an amplifier or a sensor that was exchanged, a wrong mass.

Nothing says so but the weights. Of one bay: moves that agree with each other, at 0.8 or 1.3 times what its goods weigh,
and the jump before them. Of several bays of a shelf: all of them weigh so many times as much, at once. Both are Bayes,
in densities per gram as those of `hypotheses`, against goods, whose batches differ and who come in any number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, hypot, log, pi, sqrt

import numpy as np

from edge.aggregator.channels import Floats
from edge.aggregator.goods import Learned
from edge.aggregator.hypotheses import BATCH_BIAS, MOST_WIDE_CV, WIDE_BATCH, WIDE_CV, WIDE_SHARE, Item
from edge.aggregator.steps import PARTS

# Factors that are thought of, as logarithms. Rated outputs, gains and excitations differ by up to five times; a
# thousand times and the like are other units, which `suspicion` knows.
LEAST_LOG, MOST_LOG, STEP = -1.65, 1.65, 0.01
BATCHES = 0.07  # no delivery is so much heavier than what was noted: beyond, it is the scale
PLAIN, PLAIN_SHARE, PLAIN_WIDTH = (0.5, 2.0, 0.4536, 2.2046), 0.5, 0.012  # gains, and masses taken for others
# How probable it is that the factor changes: between two moves, of which a bay sees a hundred a day, while nobody
# weighs, and that it was wrong before.
SELDOM, UNWATCHED, EVER = 1e-5, 1e-3, 5e-3
MORE, ANY, MOST_UNITS = 0.4, 0.03, 24  # as people take: one, seldom more, and any number now and then
NEITHER = 0.1  # changes that are no goods: anything between a gram and a kilogram
DECADES = log(1000.0)
MISCOUNTED = 0.03  # people count wrongly by any number, or something else stands there, so often
FULL, OVERFULL = 1.1, 0.05  # times its capacity a bay holds, and how often it holds more
KEPT = 8  # moves that are looked at together
# So many single units that were taken must agree, another one for each kind besides, and most of all that was taken.
ENOUGH, ENOUGH_AFTER_JUMP, SINGLE, MOST_AGREE = 3, 2, 2, 0.75
COMMON_BAYS = {True: 2, False: 3}  # unwatched, or not: goods stand across two bays
SURE = 0.9
JUMP_WIDTH = 0.015  # zero and creep make the factor of a jump so unsure
LEAST_TELLING = 100.0  # grams on a bay: of less, a factor makes too little
CHANGES = 0.5  # of bays change while nobody weighs, or at one time
OTHERWISE = 0.1  # of bays that weigh by another factor, something was taken besides
ZERO_GRAMS = 4.0  # another factor moves the zero too: by up to so much a whole
FINE_STEP, LEAST_COMMON = 0.002, 0.01  # of several bays together

Known = Mapping[str, Learned | None]
_LOGS: Floats = np.arange(LEAST_LOG, MOST_LOG + STEP / 2, STEP)
_FACTORS: Floats = np.exp(_LOGS)
_UNITS: Floats = np.arange(1.0, MOST_UNITS + 1)[:, None]
_OFTEN: Floats = (1 - ANY) * (1 - MORE) * MORE ** (_UNITS - 1) + ANY / MOST_UNITS
_FINE: Floats = np.exp(np.arange(LEAST_LOG, MOST_LOG, FINE_STEP))


def _bump(at: float, width: float) -> Floats:
    found = np.exp(-0.5 * ((_LOGS - at) / width) ** 2)
    return np.asarray(found / max(float(found.sum()), 1e-12), np.float64)


def _right() -> Floats:
    found = (1 - WIDE_SHARE) * _bump(0.0, BATCH_BIAS) + WIDE_SHARE * _bump(0.0, WIDE_BATCH)
    found[np.abs(_LOGS) > BATCHES] = 0.0
    return np.asarray(found / found.sum(), np.float64)


def _wrong() -> Floats:
    plain = sum((_bump(log(factor), PLAIN_WIDTH) for factor in PLAIN), np.zeros(len(_LOGS))) / len(PLAIN)
    found = PLAIN_SHARE * plain + (1 - PLAIN_SHARE) / len(_LOGS)
    found[np.abs(_LOGS) <= BATCHES] = 0.0
    return np.asarray(found / found.sum(), np.float64)


_RIGHT, _WRONG = _right(), _wrong()


def _normal(off: Floats, sigma: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * (off / sigma) ** 2) / (sigma * sqrt(2 * pi)), np.float64)


def _single(grams: float, noise: float, items: Sequence[Item], neither: float) -> tuple[Floats, Floats]:
    """The density of a move by the factor; and whether it is one unit or two of an item, taken, then."""
    found, few = np.zeros(len(_LOGS)), np.zeros(len(_LOGS))
    for item in items:
        mass = _UNITS * item.gross_grams * _FACTORS
        wide = max(item.unit_cv, min(WIDE_CV * item.unit_cv, MOST_WIDE_CV))
        for cv, share in ((item.unit_cv, 1 - item.wide), (wide, item.wide)):
            sigma = np.hypot(noise, np.hypot(cv / np.sqrt(_UNITS), STEP / 2) * mass)
            each = share * _OFTEN * _normal(abs(grams) - mass, sigma) / len(items)
            found += each.sum(axis=0)
            few += each[:SINGLE].sum(axis=0)
    neither = max(neither, NEITHER / (max(abs(grams), 1.0) * DECADES))
    likelihood = (1 - NEITHER) * found + neither
    return likelihood, np.where((grams < 0) & (few > 0.5 * likelihood), 1.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Move:
    """`singles`: moves of goods in it, by the factor. `jump`: the logarithm of the factor that would explain it by
    itself, and the odds of that; None where none is."""

    at_ms: int
    grams: float
    likelihood: Floats
    singles: Floats
    takes: int
    jump: tuple[float, float] | None
    unwatched: bool
    before: Known


def _read(
    parts: Sequence[float], noise: float, items: Sequence[Item], neither: float
) -> tuple[Floats, Floats, int]:
    """Of a change that showed several rests: one move of goods, or so many. With how many goods were taken in."""
    total = sum(parts)
    one, singles = _single(total, noise, items, neither)
    if len(parts) == 1:
        return one, singles, int(total < 0)
    one *= (PARTS / max(abs(total), 1.0)) ** (len(parts) - 1)
    each = [_single(part, noise, items, neither) for part in parts]
    many = np.prod([likelihood for likelihood, _ in each], axis=0)
    found = np.sum([single for _, single in each], axis=0)
    return one + many, np.where(many > one, found, singles * len(parts)), sum(part < 0 for part in parts)


class Moves:
    """What was moved at one bay lately, and what it tells of the factor by which it weighs."""

    def __init__(self) -> None:
        self._moves: list[_Move] = []
        self._counted: Floats | None = None
        self._ever = True  # all that was moved since it was looked at is known
        self._kinds = 1
        self._room: Floats = np.ones(len(_LOGS))

    @property
    def before(self) -> Known | None:
        """What was known of the goods before all that is looked at: a scale that weighs wrong teaches its own error."""
        return self._moves[0].before if self._moves else None

    def forget(self) -> None:
        """The scale was looked at, or other goods stand there."""
        self._moves.clear()
        self._counted, self._ever = None, True

    def counted(self, grams: float, expected: float, noise: float) -> None:
        """A person says what stands there, which by its items weighs `expected`."""
        self.forget()
        if expected <= 0:
            return
        mass = expected * _FACTORS
        fits = _normal(grams - mass, np.hypot(noise, STEP * mass))
        self._counted = (1 - MISCOUNTED) * fits + MISCOUNTED / expected

    def add(
        self,
        parts: Sequence[float],
        noise: float,
        items: Sequence[Item],
        *,
        at_ms: int,
        gross: float,
        evidence: float,
        neither: float,
        unwatched: bool,
        before: Known,
        most: tuple[float, int | None] = (0.0, None),
    ) -> None:
        """Something came or went, in so many parts with rests between them.

        `at_ms`: when, for what is put is said later than what is taken. `gross`: what the bay weighed then;
        `evidence`: how well goods explain it, as a density, and `neither`, how well what is none; `before`: what was
        learned of its items until then; `most`: the bay's tare, and how many units fit.
        """
        grams, jump = sum(parts), None
        was = gross - grams
        if was > 0 and gross > 0 and LEAST_LOG < log(gross / was) < MOST_LOG:
            odds = 1.0 / ((MOST_LOG - LEAST_LOG) * gross * max(evidence, 1e-12))
            jump = log(gross / was), odds
        likelihood, singles, takes = np.ones(len(_LOGS)), np.zeros(len(_LOGS)), 0
        if not unwatched:
            likelihood, singles, takes = _read(parts, noise, items, neither)
        tare, capacity = most
        self._room = np.ones(len(_LOGS))
        if capacity:
            full = FULL * capacity * max(item.gross_grams for item in items)
            self._room = np.where(max(was, gross) - tare > full * _FACTORS, OVERFULL, 1.0)
        self._kinds = len(items)
        if len(self._moves) == KEPT:
            self._counted, self._ever = None, False
        move = _Move(at_ms, grams, likelihood, singles, takes, jump, unwatched, before)
        self._moves = sorted([*self._moves[1 - KEPT :], move], key=lambda each: each.at_ms)

    def went(self, grams: float, slack: float) -> None:
        """A thing that was put is taken away again: neither tells anything. It is known by its mass."""
        near = [move for move in self._moves if abs(move.grams - grams) < slack]
        if near:
            self._moves.remove(near[-1])

    def factor(self) -> tuple[float, Known] | None:
        """By what it weighs too much, and what was known of its goods before; None while it may well be right."""
        together = np.log(self._room)
        best: tuple[float, float, int] | None = None
        for start in range(len(self._moves) - 1, -1, -1):
            together = together + np.log(self._moves[start].likelihood)
            for prior, odds, least in self._priors(start):
                found = together
                if start == 0 and self._counted is not None and prior is _WRONG:
                    found = together + np.log(self._counted)
                top = float(found.max())
                wrong = odds * float(np.sum(prior * np.exp(found - top)))
                right = float(np.sum(_RIGHT * np.exp(found - top)))
                at = int(np.argmax(found + np.log(prior + 1e-12)))
                sure = wrong / (wrong + right) if wrong > 0 else 0.0
                if self._agree(start, at, least) and (best is None or sure > best[0]):
                    best = sure, float(_FACTORS[at]), start
        if best is None or best[0] < SURE:
            return None
        return best[1], self._moves[best[2]].before

    def _priors(self, start: int) -> list[tuple[Floats, float, int]]:
        """Of a factor that is wrong from a move on: which, how probable, and how many moves must agree."""
        before = self._moves[start - 1] if start else None
        odds = EVER if self._ever and before is None else SELDOM
        if before is not None and before.unwatched:
            odds = UNWATCHED
        found = [(_WRONG, odds, ENOUGH)]
        if before is not None and before.jump is not None and abs(before.jump[0]) > BATCHES:
            width = JUMP_WIDTH
            found.append((_bump(before.jump[0], width), odds * before.jump[1], ENOUGH_AFTER_JUMP))
        return found

    def _agree(self, start: int, at: int, least: int) -> bool:
        """Whether enough of what was taken is single units by the factor."""
        moves = self._moves[start:]
        singles = sum(float(move.singles[at]) for move in moves)
        return singles >= max(least + self._kinds - 1, MOST_AGREE * sum(move.takes for move in moves))


@dataclass(frozen=True, slots=True)
class Reading:
    """What one bay of a shelf weighed before and weighs now, grams; `evidence`: how well goods explain that, a density.

    `noise`: standard deviation of the difference, and `changed` whether there is any.
    """

    before: float
    after: float
    noise: float
    evidence: float
    changed: bool


def common(readings: Sequence[Reading], *, unwatched: bool) -> tuple[float, float] | None:
    """The factor by which all of these bays weigh now what they did, and how probable that is; None of single bays."""
    telling = [each for each in readings if each.before > LEAST_TELLING and each.after > 0]
    if sum(each.changed for each in telling) < COMMON_BAYS[unwatched]:
        return None
    together, right = np.zeros(len(_FINE)), 0.0
    for each in telling:
        same = exp(-0.5 * ((each.after - each.before) / each.noise) ** 2) / (each.noise * sqrt(2 * pi))
        right += log(CHANGES * each.evidence + (1 - CHANGES) * same + 1e-30)
        mass = each.before * _FINE
        sigma = np.hypot(hypot(each.noise, FINE_STEP / 2 * each.after), ZERO_GRAMS * np.abs(_FINE - 1))
        fits = (1 - OTHERWISE) * _normal(each.after - mass, sigma) + OTHERWISE / (4 * each.before)
        together += np.log(fits)
    at = int(np.argmax(together))
    top = float(together[at])
    prior = UNWATCHED if unwatched else SELDOM
    wrong = log(prior * float(np.mean(np.exp(together - top)))) + top
    if abs(log(_FINE[at])) < LEAST_COMMON:
        return None
    return float(_FINE[at]), 1 / (1 + exp(min(50.0, right - wrong)))
