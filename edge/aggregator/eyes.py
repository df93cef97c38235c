"""Photo-eyes on either side of a sill: which way something broke their beams.

What comes in breaks the outer beam first and leaves the inner one last. Beams say that something went through, and
when; they do not say which tags did: people walk through doors without goods. So what they say weighs with the reads
that were made about then, and against none that were not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from edge.aggregator.paths import STAYED_IN, STAYED_OUT, WENT_IN, WENT_OUT
from edge.aggregator.slices import Floats, Ints

OUTER, INNER = 0, 1
CHATTER_MS = 500  # the gaps of a pallet's film, legs and wheels; nothing else follows so soon
FLICKER_MS = 40  # shorter, and nothing of a load's or a person's width went by
# From one beam to the other: they are half a metre to two apart, and goods go at 0.5 to 3 m/s.
BETWEEN_MS = 3_000
# Broken for so long, something leans before it or it is dirty: a load that stops in a door moves on sooner.
BLOCKED_MS = 600_000
KEPT_MS = 900_000
# Log-odds that a tag read at the time went as the beams say: both edges agree, or only the first.
SURE, LIKELY = 4.5, 2.0
NEAR_MS = 3_000  # a load's tags are read so long before and after it breaks the beams, at least
FADES_MS = 2_000.0  # and those read nearest to it are most probably its own (standard deviation)


@dataclass(frozen=True, slots=True)
class Break:
    """A beam was broken; `to_ms` is None while it is."""

    from_ms: int
    to_ms: int | None


@dataclass(frozen=True, slots=True)
class Through:
    """Something broke both beams: `pair` as in paths.py."""

    at_ms: int
    pair: int
    odds: float


class Saved(msgspec.Struct, array_like=True):
    """Changes of each eye's input: steady time, and whether its beam was broken."""

    outer: list[tuple[int, bool]] = []
    inner: list[tuple[int, bool]] = []


class Eyes:
    """The two eyes of a gate, by the reader's inputs. An input is on while its beam is broken."""

    def __init__(self, outer: int, inner: int) -> None:
        self._eye_of: Mapping[int, int] = {outer: OUTER, inner: INNER}
        self._changes: tuple[list[tuple[int, bool]], ...] = ([], [])

    def observe(self, number: int, broken: bool, at_ms: int) -> None:
        """An input changed; those that are no eye's are passed over."""
        eye = self._eye_of.get(number)
        if eye is None:
            return
        changes = self._changes[eye]
        changes.append((at_ms, broken))
        changes.sort()
        while changes[0][0] < at_ms - KEPT_MS and len(changes) > 1:
            changes.pop(0)

    def breaks(self, eye: int, now_ms: int) -> list[Break]:
        """When a beam was broken until now, chatter joined."""
        found: list[Break] = []
        since: int | None = None
        for at_ms, broken in self._changes[eye]:
            if at_ms > now_ms:
                break
            if broken and since is None:
                since = at_ms
                if found and (to_ms := found[-1].to_ms) is not None and at_ms - to_ms < CHATTER_MS:
                    since = found.pop().from_ms
            elif not broken and since is not None:
                found.append(Break(since, at_ms))
                since = None
        whole = [each for each in found if each.to_ms is None or each.to_ms - each.from_ms >= FLICKER_MS]
        return whole if since is None else [*whole, Break(since, None)]

    def through(self, now_ms: int) -> list[Through]:
        """All that broke both beams and has left them, in order of time."""
        inner = self.breaks(INNER, now_ms)
        found = []
        for a in self.breaks(OUTER, now_ms):
            for b in inner:
                if (one := _through(a, b)) is not None:
                    found.append(one)
                    inner.remove(b)
                    break
        return sorted(found, key=lambda each: each.at_ms)

    def in_the_door(self, now_ms: int) -> bool:
        """Whether something stands in both beams."""
        last = [self.breaks(eye, now_ms)[-1:] for eye in (OUTER, INNER)]
        return all(each and each[0].to_ms is None and now_ms - each[0].from_ms < BLOCKED_MS for each in last)

    def blocked(self, now_ms: int) -> list[str]:
        """The eyes whose beams have been broken for too long, by name."""
        names = {OUTER: "outside", INNER: "inside"}
        found = []
        for eye, name in names.items():
            last = self.breaks(eye, now_ms)[-1:]
            if last and last[0].to_ms is None and now_ms - last[0].from_ms >= BLOCKED_MS:
                found.append(name)
        return found

    def odds(self, first_ms: Ints, last_ms: Ints, now_ms: int) -> tuple[Floats, Floats]:
        """What the beams say of tags that were read from one time to another.

        Returns:
            Log-likelihoods of the four pairs, (n, 4), and when it was, (n,): steady time, or NaN.
        """
        said, when = np.zeros((len(first_ms), 4)), np.full(len(first_ms), np.nan)
        through = self.through(now_ms)
        if not through:
            return said, when
        at_ms = np.array([each.at_ms for each in through])
        odds = np.array([each.odds for each in through])
        pair = np.array([each.pair for each in through])
        away = np.abs((first_ms + last_ms)[:, None] / 2 - at_ms) / FADES_MS
        near = (at_ms >= first_ms[:, None] - NEAR_MS) & (at_ms <= last_ms[:, None] + NEAR_MS)
        share = np.where(near, np.exp(-0.5 * away**2) + 1e-6, 0.0)
        total = share.sum(axis=1)
        some = total > 0.0
        share[some] /= total[some, None]
        for way in (STAYED_OUT, WENT_IN, WENT_OUT, STAYED_IN):
            said[:, way] = (share * odds * (pair == way)).sum(axis=1)
        said -= said.max(axis=1, keepdims=True)
        best = share.argmax(axis=1)
        when[some] = at_ms[best[some]]
        return said, when

    def save(self) -> Saved:
        return Saved(self._changes[OUTER], self._changes[INNER])

    def restore(self, saved: Saved) -> None:
        self._changes = (list(saved.outer), list(saved.inner))


def _through(a: Break, b: Break) -> Through | None:
    """What broke the outer beam `a` and the inner beam `b`, if it was one thing and both are free again."""
    if a.to_ms is None or b.to_ms is None:
        return None
    if max(a.to_ms - a.from_ms, b.to_ms - b.from_ms) >= BLOCKED_MS:
        return None
    if max(a.from_ms, b.from_ms) - min(a.to_ms, b.to_ms) > BETWEEN_MS:
        return None
    at_ms = (a.from_ms + a.to_ms + b.from_ms + b.to_ms) // 4
    outer_first, outer_last = a.from_ms < b.from_ms, a.to_ms > b.to_ms
    if a.from_ms == b.from_ms:
        return Through(at_ms, WENT_OUT if outer_last else WENT_IN, LIKELY)
    if outer_first == outer_last:
        return Through(at_ms, STAYED_OUT if outer_first else STAYED_IN, LIKELY)
    return Through(at_ms, WENT_IN if outer_first else WENT_OUT, SURE)
