"""What a bay does about a scale that it does not believe: ask for a person, and go on when it is as it was.

`suspicion` and `span` tell by weights alone whether a scale is to be doubted; here is what follows for a bay.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from edge.aggregator.conditions import Conditions
from edge.aggregator.goods import Goods
from edge.aggregator.hypotheses import Answer, Item, explain, same_mass, weighed
from edge.aggregator.place import Bay, Rest, Sure
from edge.aggregator.span import Moves, Reading, common
from edge.aggregator.standing import CONFLICT_SIGMAS, CONFLICT_UNITS, Standing
from edge.aggregator.steps import Step
from edge.aggregator.suspicion import Suspicion, expected, senseless, suspicion
from wire.events import Change

BACK_SHARE = 0.5  # of a jump that no goods explain: so far it must come back
LONG_US = 30_000_000  # nobody exchanges a sensor, or a board, in less
# That all bays of a shelf weigh by another factor is doubt enough when it is as probable as an error may be; while
# somebody could be seen at them, only when it is more probable than not.
UNWATCHED_DOUBT, WATCHED_DOUBT = 0.1, 0.5
SAME_SIGMAS, SAME_GRAMS = 4.0, 2.0  # a thing that is taken away again is known by its mass
WHAT_TO_DO = "calibrate it, or put the old one back; then say what stands there"


class Doubted(Protocol):
    """A bay, as far as its scale is doubted here."""

    shelf: str
    bay: Bay
    standing: Standing
    conditions: Conditions
    goods: Goods
    moves: Moves
    factor: tuple[float, int] | None
    sure: Sure | None
    steps: list[Step]
    anchored: bool
    anew: bool
    offline: bool
    changed: bool
    senseless: bool

    @property
    def anchor(self) -> list[float]: ...
    @property
    def anchored_us(self) -> int: ...
    @property
    def items(self) -> list[Item]: ...
    def off(self, rest: Rest) -> float: ...
    def placed(self, rest: Rest) -> bool: ...
    def read(self, grams: float, whole: float, rest: Rest) -> tuple[float, Answer, Answer]: ...
    def kept_anchor(self) -> list[float]: ...
    def set_anchor(self, cells: Sequence[float]) -> None: ...


def suspicious(bay: Doubted, grams: float, rest: Rest) -> Suspicion | None:
    """Why the scale should be looked at, after the bay changed by so much."""
    factor, bay.factor = bay.factor, None
    took_ms = None if bay.offline else rest.since_ms - rest.before_ms
    before = sum(bay.anchor)
    if found := suspicion(before, rest.grams, rest.noise, took_ms, expected(bay.bay)):
        return found
    if factor is not None:
        times, bays = factor
        return Suspicion(
            f"{bays} bays of this shelf weigh {times:.2f} times what they did, all at once: was its board or its power "
            f"supply exchanged? If so, {WHAT_TO_DO}", mute=False, exact=True,
        )  # fmt: skip
    if not bay.offline or rest.us(rest.since_ms) - bay.anchored_us < LONG_US:
        return None
    return _misfit(bay, before, grams, rest)


def _misfit(bay: Doubted, before: float, grams: float, rest: Rest) -> Suspicion | None:
    """Nobody weighed for a while, it had weighed what its goods do, and now it weighs no number of them."""
    standing = bay.standing
    if not bay.items or standing.counts is None or standing.doubt:
        return None
    noise, answer, _ = bay.read(grams, grams, rest)
    slack = max(SAME_SIGMAS * same_mass(noise, grams), SAME_GRAMS)
    if answer.outcome is not Change.UNKNOWN_MASS or any(
        abs(grams + thing.grams) < slack for thing in standing.things
    ):
        return None
    times = f", {rest.grams / before:.2f} times as much" if before > 0 and rest.grams > 0 else ""
    words = (
        f"it weighed {before:.0f} g before nobody weighed, and weighs {rest.grams:.0f} g now{times}, which no "
        f"number of its goods explains: was its sensor or board exchanged? If so, {WHAT_TO_DO}"
    )
    return Suspicion(words, mute=False, exact=True, told=True)


def suspect(bay: Doubted, found: Suspicion, grams: float, rest: Rest) -> None:
    """Such a change is of the scale, so that nothing is said but that a person should look. It may jump back."""
    bay.set_anchor(bay.kept_anchor())
    bay.steps.clear()
    bay.conditions.check, bay.conditions.mute, bay.changed = found.words, found.mute, True
    bay.sure = Sure(bay.anchor, bay.standing.counts, grams, found.exact)
    bay.set_anchor(rest.cells)
    bay.offline = False
    bay.standing.counts = None
    bay.moves.forget()


def as_before(bay: Doubted, rest: Rest) -> None:
    """A scale that had to be looked at jumped back to where it was: go on from there."""
    sure = bay.sure
    if sure is None or bay.conditions.alien:
        return
    back = bay.off(rest)
    if back * sure.jump > 0 or abs(back) < BACK_SHARE * abs(sure.jump):
        return
    there = bay.anchor
    bay.set_anchor(sure.cells)
    grams = rest.grams - sum(sure.cells)
    noise, _, _ = bay.read(grams, grams, rest)
    answer = explain(grams, noise, bay.items, sure.counts, bay.bay.capacity)
    changed = bay.placed(rest)
    bay.set_anchor(there)
    if changed and (sure.exact or answer.outcome is not Change.OK):
        return
    bay.steps.clear()
    bay.set_anchor(sure.cells)
    bay.standing.counts, bay.standing.doubt = sure.counts, ""
    bay.conditions.believe()
    bay.sure, bay.offline, bay.changed = None, True, True


def sound_again(bay: Doubted, rest: Rest, dead: float) -> bool:
    """It began with a weight that makes no sense, and now weighs what it should: its tray is back."""
    conditions = bay.conditions
    if not bay.senseless or not conditions.check or conditions.alien:
        return False
    if conditions.mute:
        return senseless(rest.grams, rest.noise, expected(bay.bay)) is None
    return abs(rest.grams - bay.bay.tare_grams) < dead


def count(bay: Doubted, step: Step) -> None:
    """Count a change that is being said, unless it shows, with those before it, that the scale weighs wrong."""
    own = {item.gtin: item for item in bay.bay.items}
    if not (step.doubtful or bay.conditions.unsure) and own:
        _heed(bay, step)
    bay.standing.count(step, own, bay.shelf, bay.bay.name)


def _heed(bay: Doubted, step: Step) -> None:
    slack = max(SAME_SIGMAS * same_mass(step.noise, step.grams), SAME_GRAMS)
    if step.grams < 0 and any(abs(step.grams + thing.grams) < slack for thing in bay.standing.things):
        bay.moves.went(-step.grams, slack)
        return
    answer = step.answer
    if answer.taken is not None or answer.returned is not None or len(answer.changes) > 1:
        return  # goods of another bay, or several kinds at once: of these, too much would fit
    now = bay.goods.remembered(bay.bay.items)
    items = bay.goods.recalled(bay.bay.items, bay.moves.before or now)
    bay.moves.add(
        step.parts or (step.grams,), step.noise, items, at_ms=step.to_ms, gross=step.gross, evidence=answer.evidence,
        neither=answer.foreign, unwatched=step.offline, before=now,
        most=(bay.bay.tare_grams, bay.bay.capacity),
    )  # fmt: skip
    found = bay.moves.factor()
    if found is None:
        return
    times, before = found
    bay.goods.unlearn(before)
    bay.moves.forget()
    step.answer = step.answer.doubted()
    bay.conditions.check = (
        f"its weights are about {times:.2f} times what its goods weigh: calibrate it, or correct what a unit weighs; "
        "then say what stands there"
    )


def confirmed(bay: Doubted, grams: float) -> None:
    """A person has said what stands there, of so much net mass: what is moved from now on is held against it."""
    counts = bay.standing.counts or {}
    bay.moves.counted(
        grams, sum(item.gross_grams * counts.get(item.gtin, 0) for item in bay.items), SAME_GRAMS
    )


def recalibrated(bay: Doubted, gross: float) -> str:
    """Why a new calibration is doubted, by which it weighs so much; "" where it is not."""
    standing = bay.standing
    counts = None if standing.doubt else standing.counts
    return no_longer(bay.bay, bay.items, counts, sum(bay.anchor), gross, standing.besides)


def no_longer(
    bay: Bay,
    items: Sequence[Item],
    counts: dict[str, int] | None,
    before: float,
    after: float,
    besides: float,
) -> str:
    """Why a new calibration is doubted: the goods that stand there weighed what they do by the old one, and do not now.

    `before` and `after` are the gross weights of one load by the old and the new, `besides` what is no goods in it.
    """
    there = sum((counts or {}).get(item.gtin, 0) for item in items)
    if not there:
        return ""
    goods, sigma = weighed(SAME_GRAMS, [(item, (counts or {}).get(item.gtin, 0)) for item in items])
    lightest = min(item.gross_grams for item in items)
    slack = max(CONFLICT_UNITS * lightest, CONFLICT_SIGMAS * sigma)
    fits = [abs(gross - bay.tare_grams - less - goods) <= slack
            for gross, less in ((before, besides), (after, besides), (after, 0.0))]  # fmt: skip
    if not fits[0] or any(fits[1:]):
        return ""
    return (
        f"by its new calibration it weighs {after:.0f} g; by the old one it weighed {before:.0f} g, as {there} units "
        f"and its fixtures do ({bay.tare_grams + goods:.0f} g): was the mass what was entered? Calibrate again, or say "
        "what stands there"
    )


class Zeroed(Protocol):
    def zero(self, cells: Sequence[int]) -> float:
        """What these cells say of nothing, in grams."""


def gather(bays: Sequence[tuple[Doubted, Rest]], shelves: Mapping[str, Zeroed]) -> None:
    """Tell bays of one shelf that came to rest together where all of them weigh by another factor than they did."""
    for shelf, scale in shelves.items() if len(bays) > 1 else ():
        for offline in (True, False):
            some = [each for each in bays if each[0].shelf == shelf and each[0].offline is offline]
            _gather([each for each in some if _plain(each[0])], scale, offline)


def _gather(some: Sequence[tuple[Doubted, Rest]], scale: Zeroed, offline: bool) -> None:
    if sum(bay.placed(rest) for bay, rest in some) < 2:
        return
    readings = []
    for bay, rest in some:
        grams = bay.off(rest)
        noise, answer, _ = bay.read(grams, grams, rest)
        before = sum(bay.anchor) - scale.zero(bay.bay.cells)  # which another factor moves too
        readings.append(Reading(before, before + grams, noise, answer.evidence, bay.placed(rest)))
    found = common(readings, unwatched=offline)
    if found and found[1] > (UNWATCHED_DOUBT if offline else WATCHED_DOUBT):
        for bay, _ in some:
            bay.factor = found[0], len(some)


def _plain(bay: Doubted) -> bool:
    """Whether a change of it would be counted, and nothing is that is not said yet."""
    waits = bay.anew or bay.steps or bay.conditions.unsure or bay.conditions.in_service
    return bay.anchored and not waits
