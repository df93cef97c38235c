"""The events of a bay."""

from collections.abc import Mapping, Sequence

from edge.aggregator.moments import Stamp, moment
from edge.aggregator.steps import Step
from wire.events import BayState, Blind, Change, Condition, ShelfChange

WORDS = 500  # wire.limits.Words


def shelf_changes(
    shelf: str,
    bay: str,
    weights: Mapping[str, float],
    step: Step,
    counts: Mapping[str, int] | None,
    level_grams: float,
    at_ms: int,
    at_us: int,
    stamp: Stamp,
) -> list[ShelfChange]:
    """One event a kind of goods; the mass that is left over is shared between them. Decided at `at_ms`, `at_us`."""
    answer = step.answer
    changes: Sequence[tuple[str | None, int | None]] = [(c.item, c.units) for c in answer.changes]
    expected = [weights.get(c.item, step.grams / c.units) * c.units for c in answer.changes]
    shares = [mass + (step.grams - sum(expected)) / len(expected) for mass in expected]
    begin_us, end_us = min(step.from_us, step.to_us), max(step.from_us, step.to_us)
    middle_us = (begin_us + end_us) // 2
    taken = answer.taken
    return [
        ShelfChange(
            at=moment(middle_us),
            clock=stamp.clock,
            boot=stamp.boot,
            mono_ms=max(0, at_ms - (at_us - middle_us) // 1000),
            shelf=shelf,
            bay=bay,
            outcome=Change.OFFLINE_CHANGE if step.offline else answer.outcome,
            item=item,
            units=units,
            grams=round(share, 2),
            confidence=round(answer.confidence, 3),
            candidates=answer.candidates,
            from_at=moment(begin_us),
            to_at=moment(end_us),
            level_units=counts.get(item) if counts and item else None,
            level_grams=round(level_grams, 2),
            decided_at=moment(at_us),
            confirm=True if answer.confirm else None,
            from_shelf=taken.shelf if taken else None,
            from_bay=taken.bay if taken else None,
        )
        for (item, units), share in zip(changes or [(None, None)], shares or [step.grams], strict=True)
    ]


def bay_state(
    shelf: str,
    bay: str,
    state: Condition,
    reason: str,
    until_us: int | None,
    at_ms: int,
    at_us: int,
    stamp: Stamp,
) -> BayState:
    return BayState(
        at=moment(at_us), clock=stamp.clock, boot=stamp.boot, mono_ms=max(0, at_ms), shelf=shelf, bay=bay, state=state,
        reason=reason[:WORDS], until=None if until_us is None else moment(until_us),
    )  # fmt: skip


def blind(shelf: str, from_us: int, to_us: int, reason: str, at_ms: int, stamp: Stamp) -> Blind:
    return Blind(
        at=moment(to_us), clock=stamp.clock, boot=stamp.boot, mono_ms=max(0, at_ms), device=shelf,
        from_at=moment(min(from_us, to_us)), to_at=moment(to_us), reason=reason[:WORDS],
    )  # fmt: skip
