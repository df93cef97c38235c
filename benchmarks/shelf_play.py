"""Plays a simulated shelf through the very aggregator that runs at one, and keeps what it says."""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import merge
from operator import itemgetter

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.orders import Calibrate, Confirm, Order, Resume, Serve
from edge.build import aggregator_of
from edge.config import EdgeConfig
from edge.reads import Scale, WeightFault, WeightSample
from edge.replay import AFTER_THE_END_MS
from simulators.shelves.site import SHELF
from simulators.shelves.world import BEGAN, Row, Sign, World
from wire.events import BayState, Change, Condition, Event, ShelfChange

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGAN_US = round((BEGAN - EPOCH).total_seconds()) * 1_000_000
SERVED_MS = 3_600_000
ADVANCE_S = 0.1  # how often the aggregator is told the time


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing said of a bay, in seconds from the world's beginning; `units` is None where it could not be told.

    `sure` is what the ledger books without asking anybody.
    """

    from_s: float
    to_s: float
    decided_s: float
    bay: str
    units: dict[str, int] | None
    sure: bool
    confidence: float
    words: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """What was said of a bay as such, from when on."""

    at_s: float
    bay: str
    condition: Condition


@dataclass(slots=True)
class Told:
    answers: list[Answer]
    levels: dict[str, dict[str, int | None]] = field(default_factory=dict)  # by bay and GTIN, at the end
    events: list[Event] = field(default_factory=list)
    states: list[State] = field(default_factory=list)

    @property
    def uncertain(self) -> set[str]:
        """Bays that were said not to count, or not surely, at the end."""
        last = {state.bay: state.condition for state in self.states}
        return {bay for bay, condition in last.items() if condition is not Condition.OK}


def play(world: World) -> Told:
    """Everything that the aggregator says of a world.

    Raises:
        pydantic.ValidationError: the agent does not know a setting that this world needs.
    """
    config = EdgeConfig.model_validate(tomllib.loads(world.configuration))
    aggregator = aggregator_of(config, boot="bench")
    events: list[Event] = []
    states: dict[str, bytes] = {}  # as an agent keeps them over a restart
    told_s = now_s = 0.0
    for at_s, sign, row in _stream(world):
        now_s = max(now_s, at_s)
        mono_ms, at_us = BEGAN_US // 1000 + int(at_s * 1000), BEGAN_US + int(world.wall_s(at_s) * 1e6)
        if now_s >= told_s + ADVANCE_S:
            told_s = now_s
            events += aggregator.advance(BEGAN_US // 1000 + int(now_s * 1000), at_us)
        if row is not None:
            _, shelf, cell, grams, stable = row
            read = WeightSample(at_us=at_us, shelf=shelf, cell=cell, grams=grams, stable=stable)
            events += aggregator.observe(read, mono_ms)
        elif sign is not None:
            if sign.what == "restart":
                states |= aggregator.changed_state()
                aggregator = aggregator_of(config, boot="bench-again")
                aggregator.restore(states)
                continue
            events += _heard(aggregator, sign, mono_ms, at_us)
    levels: dict[str, dict[str, int | None]] = defaultdict(dict)
    for level in aggregator.levels():
        if level.item is not None:
            levels[level.bay][level.item] = level.units
    end_us = BEGAN_US + int(world.wall_s(now_s) * 1e6)
    events += aggregator.advance(
        BEGAN_US // 1000 + int(now_s * 1000) + AFTER_THE_END_MS, end_us + 1000 * AFTER_THE_END_MS
    )
    return Told(answers(events), dict(levels), events, states_of(events))


def _stream(world: World) -> Iterator[tuple[float, Sign | None, Row | None]]:
    signs = ((sign.at_s, sign, None) for sign in world.signs)
    rows = ((row[0], None, row) for row in world.rows())
    # Late rows stand where they arrive; signs come between them by the time of the newest.
    return _by_newest(signs, rows)


def _by_newest(
    signs: Iterable[tuple[float, Sign | None, Row | None]], rows: Iterable[tuple[float, Sign | None, Row | None]]
) -> Iterator[tuple[float, Sign | None, Row | None]]:  # fmt: skip
    newest = 0.0

    def keyed() -> Iterator[tuple[float, tuple[float, Sign | None, Row | None]]]:
        nonlocal newest
        for each in rows:
            newest = max(newest, each[0])
            yield newest, each

    for _, each in merge(((sign[0], sign) for sign in signs), keyed(), key=itemgetter(0)):
        yield each


def _heard(aggregator: Aggregator, sign: Sign, mono_ms: int, at_us: int) -> list[Event]:
    match sign.what:
        case "up":
            return aggregator.device_up(SHELF, mono_ms, at_us)
        case "down":
            return aggregator.device_down(SHELF, mono_ms, at_us, "switched off")
        case "scale":
            serial, calibration = sign.words
            read = Scale(at_us=at_us, shelf=SHELF, cells=None, serial=serial, calibration=calibration)
            return aggregator.observe(read, mono_ms)
        case "fault":
            assert sign.cell is not None
            fault = WeightFault(at_us=at_us, shelf=SHELF, cell=sign.cell, fault=sign.words[0])
            return aggregator.observe(fault, mono_ms)
        case "confirm" | "serve" | "resume" | "calibrate":
            return aggregator.order(_order(sign, mono_ms), mono_ms, at_us)
    raise ValueError(f"sign {sign.what!r} is not one that can be played")


def _order(sign: Sign, mono_ms: int) -> Order:
    if sign.what == "calibrate":
        assert sign.cell is not None
        factor, offset_grams = map(float, sign.words)
        return Calibrate(shelf=SHELF, cell=sign.cell, factor=factor, offset_grams=offset_grams)
    (bay,) = sign.words
    match sign.what:
        case "confirm":
            return Confirm(shelf=SHELF, bay=bay, counts=dict(sign.counts))
        case "serve":
            return Serve(shelf=SHELF, bay=bay, until_ms=mono_ms + SERVED_MS)
    return Resume(shelf=SHELF, bay=bay)


def answers(events: Iterable[Event]) -> list[Answer]:
    """What was said of changes. Several kinds of goods that moved at once are one answer."""
    together: dict[tuple[object, ...], list[ShelfChange]] = defaultdict(list)
    for event in events:
        if isinstance(event, ShelfChange):
            together[event.bay, event.from_at, event.to_at, event.decided_at].append(event)
    return [_answer(group) for group in together.values()]


def _answer(group: list[ShelfChange]) -> Answer:
    first = group[0]
    # Steady time, which a step of the wall clock does not move; spans are taken from it by the wall's differences.
    at_s = (first.mono_ms - BEGAN_US // 1000) / 1000.0
    from_s, to_s, decided_s = (
        at_s + (moment - first.at).total_seconds()
        for moment in (first.from_at, first.to_at, first.decided_at)
    )
    units: dict[str, int] | None = {}
    for event in group:
        if event.units is None or event.item is None:
            units = None
            break
        assert units is not None
        units[event.item] = units.get(event.item, 0) + event.units
    asks = any(event.confirm for event in group)
    booked = all(event.outcome in (Change.OK, Change.OFFLINE_CHANGE) for event in group)
    words = f"{first.outcome.value} {sum(event.grams for event in group):+.1f} g"
    return Answer(
        from_s,
        to_s,
        decided_s,
        first.bay,
        units,
        units is not None and booked and not asks,
        min(e.confidence for e in group),
        words,
    )


def states_of(events: Iterable[Event]) -> list[State]:
    return [
        State((event.mono_ms - BEGAN_US // 1000) / 1000.0, event.bay, event.state)
        for event in events
        if isinstance(event, BayState)
    ]
