"""Compares what the ledger says with what really happened. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stockbeat.demo.truth import Happened, Move

# What is put on a shelf is said when it has lain there so long, for hands rest there and bags are put down: taken away
# again before, it was handled, and no movement. And as long as a shelf takes to see either.
HANDLED = timedelta(seconds=15 + 2)
NEAR = timedelta(
    seconds=3
)  # so far a booking's time may be from that of what happened, unless nobody was looking


@dataclass(frozen=True, slots=True)
class Booked:
    """One movement as the ledger's API tells it. `subject` is the EPC or bay that it cites."""

    subject: str
    move: Move
    event_at: datetime
    recorded_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Something that happened, with the movement that booked it."""

    truth: Happened
    booked: Booked


def pair(
    truth: Sequence[Happened], booked: Sequence[Booked], *, watched: bool = True
) -> tuple[list[Pair], list[str]]:
    """Match bookings with what happened, by subject and move, in order of time.

    Args:
        watched: whether the agent ran all the time. What was taken while it did not, and put back before a shelf was
            at rest again, leaves no trace: its samples are not kept, and it weighs what it weighed.

    Returns:
        The pairs, and a sentence for everything that happened and was not booked, or was booked and did not happen.
    """
    waiting: dict[tuple[str, Move], list[Booked]] = defaultdict(list)
    for booking in sorted(booked, key=lambda b: b.event_at):
        waiting[booking.subject, booking.move].append(booking)
    pairs: list[Pair] = []
    missing = sorted(truth, key=lambda h: h.at)
    for within in (
        NEAR,
        timedelta.max,
    ):  # what was booked at its time first: the next of its kind is another's
        still: list[Happened] = []
        for real in missing:
            same = waiting[real.subject, real.move]
            found = next((one for one in same if abs(one.event_at - real.at) <= within), None)
            if found:
                same.remove(found)
                pairs.append(Pair(real, found))
            else:
                still.append(real)
        missing = still
    pairs.sort(key=lambda each: each.truth.at)
    differences = [
        f"not booked: {_said(real.subject, real.move)} at {real.at.isoformat()}"
        for real in _lasting(missing, watched=watched)
    ]
    differences += [
        f"did not happen: {_said(b.subject, b.move)} at {b.event_at.isoformat()}"
        for rest in waiting.values()
        for b in rest
    ]
    return pairs, differences


def _lasting(missing: Sequence[Happened], *, watched: bool) -> list[Happened]:
    """Without what was put somewhere and taken from there again before it was believed."""
    left: list[Happened] = []
    for real in missing:
        back = real.move._replace(src=real.move.dst, dst=real.move.src)
        put = next(
            (
                one
                for one in left
                if (one.subject, one.move) == (real.subject, back)
                and (one.move.dst == one.subject or (real.move.dst == real.subject and not watched))
                and real.at - one.at <= HANDLED
            ),
            None,
        )
        if put:
            left.remove(put)
        else:
            left.append(real)
    return left


def compare_balances(
    should: Mapping[tuple[str, str], int],
    says: Mapping[tuple[str, str], int],
    places: frozenset[str] | None = None,
) -> list[str]:
    """A sentence for every place whose units of an item differ; only for `places` when given."""
    return [
        f"balance of {gtin} at {place}: ledger {says.get((place, gtin), 0)}, truth {should.get((place, gtin), 0)}"
        for place, gtin in sorted({*should, *says})
        if (places is None or place in places) and says.get((place, gtin), 0) != should.get((place, gtin), 0)
    ]


def percentiles(values: Sequence[float]) -> dict[str, float] | None:
    """p50, p95 and p99 by nearest rank, rounded to milliseconds; None of nothing."""
    if not values:
        return None
    ranked = sorted(values)
    return {f"p{p}": round(ranked[max(0, -(-p * len(ranked) // 100) - 1)], 3) for p in (50, 95, 99)}


def _said(subject: str, move: Move) -> str:
    return f"{move.quantity} × {move.gtin} {move.src} → {move.dst} ({subject})"
