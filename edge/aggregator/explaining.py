"""What a change of a bay is explained by: what stands there and lies there, is provisional, and was taken lately."""

from collections.abc import Mapping
from typing import Protocol

from edge.aggregator.hypotheses import Answer, Around, Item, Lying, explain
from edge.aggregator.place import Bay
from edge.aggregator.standing import Standing
from edge.aggregator.steps import Step
from edge.aggregator.taken import TakenLately
from wire.events import Change

# Of the lightest unit: less that no goods explain is not said, as nobody could do anything, until it adds up.
SLIGHT_SHARE, MUCH_SLIGHT = 0.2, 0.4
FILLING_MS = 30_000  # who puts goods puts more of them


class Explained(Protocol):
    """A bay, as far as its changes are explained here. `put_ms`: when goods were last said to have been put."""

    shelf: str
    bay: Bay
    standing: Standing
    steps: list[Step]
    taken: TakenLately
    put_ms: int

    @property
    def anchor(self) -> list[float]: ...
    @property
    def items(self) -> list[Item]: ...


def explain_change(bay: Explained, grams: float, noise: float, at_ms: int) -> Answer:
    here, elsewhere = bay.taken.around(bay.shelf, bay.bay.name, at_ms)
    new = [
        Lying(step.grams, step.answer.foreign / step.density, new=True)
        for step in bay.steps
        if step.grams > 0 and step.answer.outcome is not Change.OK
    ]
    around = Around([*bay.standing.lying(at_ms), *new], here, elsewhere, _being_filled(bay, at_ms))
    return explain(grams, noise, bay.items, _held(bay, grams), bay.bay.capacity, around)


def explain_again(bay: Explained, step: Step, noise: float) -> None:
    """By now, more is known of what was taken elsewhere."""
    answer = explain_change(bay, step.grams, noise, step.to_ms)
    # What fitted nothing is goods only if they are known; what else came and went may have made room for it.
    known = answer.taken or answer.returned or step.answer.outcome is not Change.UNKNOWN_MASS
    step.answer = answer if known and not step.doubtful else answer.doubted()


def is_slight(step: Step, lightest: float) -> bool:
    """Whether it is no goods, and too little to ask anybody, unless more comes."""
    unknown = step.answer.outcome is Change.UNKNOWN_MASS
    return unknown and not step.offline and abs(step.grams) < SLIGHT_SHARE * lightest


def _being_filled(bay: Explained, at_ms: int) -> bool:
    """Whether goods were surely put here just before, or after."""
    puts = (step.to_ms for step in bay.steps if step.grams > 0 and step.answer.outcome is Change.OK)
    return any(abs(at_ms - put_ms) < FILLING_MS for put_ms in (bay.put_ms, *puts))


def _held(bay: Explained, grams: float) -> Mapping[str, int] | None:
    """What stands there, with what is provisional; by its weight if nobody counted, where more is put."""
    if bay.standing.counts is None:
        if grams < 0 or len(bay.bay.items) != 1:
            return None
        (item,) = bay.items
        net = bay.standing.net(sum(bay.anchor) - bay.bay.tare_grams) - grams
        return {item.gtin: max(0, int(net / item.gross_grams))}
    held = dict(bay.standing.counts)
    for change in (change for step in bay.steps for change in step.answer.changes):
        held[change.item] = held.get(change.item, 0) + change.units
    return held
