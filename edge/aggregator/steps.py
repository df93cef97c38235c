"""Changes of a bay that are seen and not said yet: what was put may be a hand that goes again, or half of a move.

A step stays provisional until it has lasted. A newer change may show what older ones were: they went away again (a
hand, a bag), with goods or without; or all of them were parts of one move; or each stands by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import hypot

from edge.aggregator.hypotheses import SAME_MASS, Answer, normal
from wire.events import Change

# What was put goes away again, alone, or with goods of here; or a part of it, and leaves goods, as a crate does.
ALONE, WITH_GOODS, LEAVES_GOODS = 0.2, 0.1, 0.3
UNEVEN, UNEVEN_SHARE = 0.02, 0.2  # a hand presses now more, now less: so much of its mass, so often
PARTS = 0.02  # a change was part of a greater one, with a rest between at any mass up to the whole
PAUSE_MS, RESUMED = 5_000, 0.01  # and seldom goes on so long after goods that are explained by themselves
ASIDE = 0.2  # of a whole: smaller parts of it may have gone the other way
HELD_MS = 15_000  # what was put, or cannot be explained, is said only when it has lasted so long
OPEN_MS = 60_000  # what was put and is not explained: bags are taken along, and crates when they are empty
BACK_MS = 1_000  # unless it is what was taken from here moments before
NO_ANSWER = Answer(Change.UNKNOWN_MASS, 0.0)
MOST = 12  # steps that are looked at together: of a slow move, a scale shows many


@dataclass(slots=True)
class Step:
    """`grams` in all and by cell. `due_ms`: when it has lasted long enough; None where it is said at once."""

    grams: float
    cells: list[float]
    noise: float
    from_us: int
    to_us: int
    to_ms: int
    answer: Answer
    due_ms: int
    gross: float = 0.0  # of the bay, after it
    offline: bool = False
    doubtful: bool = False  # whatever explains it, a person should look
    parts: tuple[float, ...] = ()  # in grams, of a move that showed several rests

    def on_top_of(self, gone: "Sequence[Step]", reading: "Reading") -> None:
        """Become the change that is left when older steps are taken back, as this one shows what they were."""
        if not gone or reading.grams is None:
            return
        if reading.whole:
            parts = (part for step in gone for part in step.parts or (step.grams,))
            self.parts = (*parts, *(self.parts or (self.grams,)))
        self.cells = [sum(each) for each in zip(self.cells, *(step.cells for step in gone), strict=True)]
        self.grams = reading.grams
        self.noise = max(self.noise, *(step.noise for step in gone))
        self.offline = gone[0].offline
        if reading.whole or self.offline:
            self.from_us = gone[0].from_us

    @property
    def density(self) -> float:
        return max(self.answer.evidence, 1e-30)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a change is understood: so many of the newest steps are taken back, and `grams` are left to explain.

    `grams` is None where nothing is left: what had come has gone. `whole`: the steps were parts of this change.
    """

    steps: int
    grams: float | None
    whole: bool


def understand(
    grams: float, noise: float, at_ms: int, steps: Sequence[Step], explain: Callable[[float], Answer]
) -> Reading:
    """The most probable understanding of a change on top of `steps`, the newest last. `at_ms`: when it rested."""
    best, most = Reading(0, grams, False), explain(grams).evidence
    total, before = grams, 1.0
    put = True
    for k, step in enumerate(reversed(steps[-MOST:]), 1):
        total += step.grams
        before *= step.density  # what is compared is the evidence of these steps and this change together
        most *= step.density
        tight = hypot(1.4 * noise, SAME_MASS * grams)
        same = (1 - UNEVEN_SHARE) * normal(total, tight)
        same += UNEVEN_SHARE * normal(total, hypot(tight, UNEVEN * grams))
        gone = before * ALONE * same
        other = explain(total)
        put = put and step.grams > 0
        parts_of = [grams, *(each.grams for each in steps[-k:])]
        one_way = all(part * total > 0 or abs(part) < ASIDE * abs(total) for part in parts_of)
        explained = other.evidence * (other.outcome is Change.OK)
        part = LEAVES_GOODS if total > 0 else WITH_GOODS
        with_goods = put * _foreign(steps[-k:]) * part * explained
        parts = one_way * (PARTS / abs(total)) ** k * explained if total else 0.0
        if at_ms - steps[-1].to_ms > PAUSE_MS and all(e.answer.outcome is Change.OK for e in steps[-k:]):
            parts *= RESUMED
        best, most = max(
            (best, most),
            (Reading(k, None, False), gone),
            (Reading(k, total, False), with_goods),
            (Reading(k, total, True), parts),
            key=lambda each: each[1],
        )
    return best


def _foreign(steps: Sequence[Step]) -> float:
    product = 1.0
    for step in steps:
        product *= step.answer.foreign
    return product


def patience(answer: Answer, grams: float, *, offline: bool) -> int:
    """How long a change must last before it is said, in milliseconds."""
    if answer.outcome is not Change.OK:
        return OPEN_MS if grams > 0 and not offline else HELD_MS
    if grams < 0 and all(change.units < 0 for change in answer.changes):
        return 0
    # One kind for another is what a hand that lifts goods halfway looks like.
    return BACK_MS if answer.returned else HELD_MS
