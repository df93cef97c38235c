"""What one unit of each item weighs, learned from single units that were surely moved, for all bays of a site."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import hypot, sqrt

import msgspec

from edge.aggregator.hypotheses import BATCH_BIAS, WIDE_SHARE, Item

NOTED_BIAS = 0.01  # of a noted weight; a batch differs by about as much
NOTED_COUNTS = 8.0  # the noted spread counts as much as so many weighed units
MOST_COUNTED = 64.0  # older ones fade: goods change
# One odd unit (other goods of about that weight) moves the mean by no more than one that is so many deviations off,
# and counts the less the further it is off: half of one at ODD deviations.
CLIPPED, ODD = 2.5, 2.5
LEAST_BIAS = 0.001


class Learned(msgspec.Struct, array_like=True):
    """Of one item: mean in grams, how well it is known (relative), units weighed, and the sum of squares of their
    deviations (relative). `noted` is the weight that it started from: another one starts anew."""

    noted: float
    mean: float
    bias: float
    count: float
    squares: float


class Goods:
    """All that has been learned. Never from several units at once: their number is what the weight must tell."""

    def __init__(self) -> None:
        self.changed = False
        self._learned: dict[str, Learned] = {}
        self._known: dict[str, tuple[Item, Item]] = {}

    def known(self, items: Sequence[Item]) -> list[Item]:
        """The items as they are weighed here and now."""
        return [self._of(item) for item in items]

    def _of(self, item: Item) -> Item:
        found = self._known.get(item.gtin)
        if found is None or found[0] is not item:
            found = self._known[item.gtin] = (item, self._told(item))
        return found[1]

    def _told(self, item: Item) -> Item:
        return _by(item, self._learned.get(item.gtin))

    def weigh(self, item: Item, grams: float, noise: float) -> None:
        """One unit of `item`, as noted, weighed so much, its tray included; `noise` is of the measurement."""
        one = grams - item.unit_tare_grams
        learned = self._learned.get(item.gtin)
        if learned is None or learned.noted != item.unit_grams:
            learned = Learned(item.unit_grams, item.unit_grams, NOTED_BIAS, 0.0, 0.0)
            self._learned[item.gtin] = learned
        told = self._told(item)
        mean, measured = learned.mean, (noise / learned.mean) ** 2
        off = (one - mean) / mean
        spread = hypot(told.unit_cv, learned.bias, sqrt(measured))
        clipped = max(-CLIPPED * spread, min(CLIPPED * spread, off))
        counts = 1.0 / (1.0 + (off / (ODD * spread)) ** 2)
        gain = counts * learned.bias**2 / spread**2
        learned.mean = mean * (1 + gain * clipped)
        learned.squares += counts * max(0.0, clipped**2 - measured - learned.bias**2)
        learned.bias *= sqrt(1 - gain)
        learned.count += counts
        if learned.count > MOST_COUNTED:
            learned.squares *= MOST_COUNTED / learned.count
            learned.count = MOST_COUNTED
        self._known.pop(item.gtin, None)
        self.changed = True

    def remembered(self, items: Sequence[Item]) -> dict[str, Learned | None]:
        """What was learned of these items until now."""
        found = ((item.gtin, self._learned.get(item.gtin)) for item in items)
        return {gtin: msgspec.structs.replace(each) if each else None for gtin, each in found}

    @staticmethod
    def recalled(items: Sequence[Item], before: Mapping[str, Learned | None]) -> list[Item]:
        """The items as they were weighed when so much was learned of them."""
        return [_by(item, before.get(item.gtin)) for item in items]

    def unlearn(self, before: Mapping[str, Learned | None]) -> None:
        """What was learned since was weighed by a scale that weighs wrong."""
        for gtin, learned in before.items():
            self._known.pop(gtin, None)
            if learned is None:
                self._learned.pop(gtin, None)
            else:
                self._learned[gtin] = learned
            self.changed = True

    def restocked(self, item: Item) -> None:
        """Units of another batch have come."""
        if learned := self._learned.get(item.gtin):
            learned.bias = min(NOTED_BIAS, hypot(learned.bias, BATCH_BIAS / 2))
            learned.squares *= min(1.0, NOTED_COUNTS / max(learned.count, 1e-9))
            learned.count = min(learned.count, NOTED_COUNTS)
            self._known.pop(item.gtin, None)
            self.changed = True

    def up(self, now_ms: int) -> None:
        """Nothing is weighed here."""

    def down(self, now_ms: int) -> None:
        """Nothing is weighed here."""

    def save(self) -> bytes:
        self.changed = False
        return _ENCODER.encode(self._learned)

    def restore(self, blob: bytes) -> None:
        self._learned = _DECODER.decode(blob)
        self._known.clear()


def _by(item: Item, learned: Learned | None) -> Item:
    """The item as it was noted, by what was learned of it."""
    if learned is None or learned.noted != item.unit_grams:
        return item
    counts = NOTED_COUNTS + learned.count
    cv = sqrt((NOTED_COUNTS * item.unit_cv**2 + learned.squares) / counts)
    wide = WIDE_SHARE * NOTED_COUNTS / counts
    return replace(item, unit_grams=learned.mean, unit_cv=cv, bias=hypot(learned.bias, LEAST_BIAS), wide=wide)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(dict[str, Learned])
