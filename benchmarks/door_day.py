"""A simulated day of sixteen hours at a dock door, and the errors of which nobody is told.

    python -m benchmarks.door_day [--hours H] [SEED ...]

The day comes from simulators/doors, which shares no code and no constant with what decides here: about a hundred tags
parked around the door, two hundred loads of 1 to 100 tags. *Silent* is a booking (a movement of confidence 0.9 or
more) that is false or of the wrong direction, and a crossing of which nothing is said although its tag was read. *Told*
is what a person is asked about: undecided, or a movement of less confidence. A crossing taken for turning back is said,
and counted apart.
"""

import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from benchmarks.said import Said
from benchmarks.shares import percent, table
from edge.build import aggregator_of
from edge.config import EdgeConfig
from edge.reads import TagRead
from simulators.doors.day import LASTS_S, PASSAGES, day
from simulators.doors.inventory import Group
from simulators.doors.world import BEGAN, World
from wire.events import Event, TagMovement

SEEDS = (1, 2, 3)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGAN_US = int((BEGAN - EPOCH).total_seconds()) * 1_000_000
ADVANCE_US = 100_000  # how often the aggregator is told the time
AFTER_S = 20.0  # what is said of a load after it has gone is still said of it
NEAR_M = 3.5


@dataclass(frozen=True, slots=True)
class Expected:
    """One tag of one load, or a tag at rest: what should be said, between when and when."""

    epc: str
    direction: str | None
    # All of them, by itself and as its load did: one that came in and went out again is not there, and yet crossed.
    crossings: tuple[str, ...]
    carried: tuple[str, ...]
    from_s: float
    to_s: float
    cause: str


@dataclass(slots=True)
class Result:
    HEAD = (
        "what happened",
        "tags",
        "silently wrong",
        "silently missed",
        "told",
        "turned back",
        "right",
        "never read",
    )
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    sure: list[tuple[float, bool]] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)  # from a load's last read to what is said of each tag
    reads: int = 0
    seconds: float = 0.0

    def __iadd__(self, other: "Result") -> "Result":
        for cause, counts in other.counts.items():
            self.counts[cause] += counts
        self.sure += other.sure
        self.delays_s += other.delays_s
        self.reads += other.reads
        self.seconds += other.seconds
        return self

    def rows(self) -> Iterator[list[str]]:
        for cause, counts in sorted(self.counts.items(), key=lambda each: (each[0] not in CROSSES, each[0])):
            yield [
                cause,
                *(
                    str(counts[key])
                    for key in ("tags", "wrong", "missed", "told", "turned", "right", "unread")
                ),
            ]

    def total(self, key: str) -> int:
        return sum(counts[key] for counts in self.counts.values())

    def words(self) -> str:
        crossing = [counts for cause, counts in self.counts.items() if cause in CROSSES]
        crossings = sum(counts["tags"] - counts["unread"] for counts in crossing)
        right = sum(counts["right"] for counts in crossing)
        parked = self.counts["parked beside the door"]["wrong"]
        delays = np.percentile(self.delays_s, [50, 99]) if self.delays_s else (0.0, 0.0)
        return (
            f"{self.reads:,} reads. Booked right: {percent(right, crossings)} of {crossings} crossings that were read. "
            f"Silent: {self.total('wrong')} wrong bookings ({parked} of them of parked tags), "
            f"{self.total('missed')} crossings missed. Told: {self.total('told')}. "
            f"From a load's last read to what is said of it: median {delays[0]:.1f} s, 99 % within {delays[1]:.1f} s."
        )


CROSSES = ("crosses", "crosses, alone or nearly", "crosses, meets another", "crosses, stops in the door",
           "crosses, an antenna off")  # fmt: skip


def expected(world: World) -> list[Expected]:
    loads = [group for group in world.groups if group.kind in ("load", "passing")]
    found = []
    for group in world.groups:
        carried = tuple(way for _, way in group.way.crossings(0.0)) if group.kind != "stock" else ()
        for epc, ahead in zip(group.epcs, group.ahead.tolist(), strict=True):
            crossings = group.way.crossings(ahead) if group.kind != "stock" else []
            ways = tuple(way for _, way in crossings)
            direction = ways[-1] if len(ways) % 2 else None
            cause = _cause(world, group, loads, direction)
            found.append(Expected(epc, direction, ways, carried, group.from_s, group.to_s, cause))
    return found


def _cause(world: World, group: Group, loads: Sequence[Group], direction: str | None) -> str:
    if group.kind == "stock":
        return "parked beside the door"
    if direction is None:
        return "turns back" if group.kind == "load" else "goes by"
    begin, end = near(group)
    if end - begin > 45.0:
        return CROSSES[3]
    if any(
        begin < other[1] and other[0] < end for load in loads if load is not group for other in [near(load)]
    ):
        return CROSSES[2]
    if any(off_s < end and begin < on_s for offs in world.off.values() for _, off_s, on_s in offs):
        return CROSSES[4]
    return CROSSES[1] if len(group.epcs) <= 3 else CROSSES[0]


def near(group: Group) -> tuple[float, float]:
    """When a load was before the door, first and last."""
    t = group.way.t[np.hypot(group.way.x, group.way.y) < NEAR_M]
    return (float(t[0]), float(t[-1])) if len(t) else (0.0, 0.0)


def observe(world: World) -> tuple[list[Event], dict[str, list[float]]]:
    """Everything that the aggregator says of a world, and when each tag was read."""
    config = EdgeConfig.model_validate(_plain(world))
    aggregator = aggregator_of(config, boot="bench")
    for door in world.doors:
        aggregator.device_up(door.name, BEGAN_US // 1000, BEGAN_US)
    said: list[Event] = []
    read: dict[str, list[float]] = defaultdict(list)
    told_us = BEGAN_US
    for at_s, gate, antenna, epc, rssi in world.rows():
        at_us = BEGAN_US + int(at_s * 1e6)
        if at_us > told_us + ADVANCE_US:
            told_us = at_us
            said += aggregator.advance(at_us // 1000, at_us)
        one = TagRead(at_us=at_us, gate=gate, antenna=antenna, epc=epc, rssi_dbm=rssi)
        said += aggregator.observe(one, at_us // 1000)
        read[epc].append(at_s)
    said += aggregator.advance(told_us // 1000 + 600_000, told_us + 600_000_000)
    return said, read


def _plain(world: World) -> dict[str, object]:
    gates = [
        {"name": door.name, "antennas": {aerial.number: aerial.side for aerial in door.aerials}}
        for door in world.doors
    ]
    return {"edge": "doors", "gates": gates}


def score(world: World, said: Iterable[Event], read: dict[str, list[float]]) -> Result:
    result = Result(reads=sum(map(len, read.values())))
    by_tag: dict[str, list[tuple[float, float, Said]]] = defaultdict(list)
    for event in said:
        if isinstance(event, TagMovement):
            at_s, decided_s = _seconds(event.at), _seconds(event.decided_at)
            one = Said(round(at_s * 1e6), event.epc, event.outcome.value, event.confidence)
            by_tag[event.epc].append((at_s, decided_s, one))
    wanted: dict[str, list[Expected]] = defaultdict(list)
    for each in expected(world):
        wanted[each.epc].append(each)
    left_s: dict[tuple[float, float], float] = {}  # when a load was last read
    for epc, spans in wanted.items():
        spans.sort(key=lambda each: each.from_s)
        for span in spans:
            last_s = max(
                (at_s for at_s in read.get(epc, []) if span.from_s <= at_s <= span.to_s), default=0.0
            )
            left_s[span.from_s, span.to_s] = max(last_s, left_s.get((span.from_s, span.to_s), 0.0))
    for epc, spans in wanted.items():
        answers: list[list[tuple[float, float, Said]]] = [[] for _ in spans]
        for answer in by_tag.get(epc, []):
            answers[_whose(spans, answer[0])].append(answer)
        for span, here in zip(spans, answers, strict=True):
            when = [at_s for at_s in read.get(epc, []) if span.from_s <= at_s <= span.to_s]
            _count(result, span, [one for _, _, one in here], bool(when))
            if when and here and span.cause == CROSSES[0]:
                result.delays_s.append(here[-1][1] - left_s[span.from_s, span.to_s])
    return result


def _whose(spans: Sequence[Expected], at_s: float) -> int:
    """The load that something said of a tag is about: a crossing before anything else that was about then."""
    here = [i for i, span in enumerate(spans) if span.from_s - 5.0 <= at_s <= span.to_s + AFTER_S]
    crossing = [i for i in here if spans[i].direction is not None]
    away = [max(span.from_s - at_s, at_s - span.to_s) for span in spans]
    return (crossing or here or [away.index(min(away))])[0]


def _count(result: Result, span: Expected, answers: Sequence[Said], was_read: bool) -> None:
    counts = result.counts[span.cause]
    booked = tuple(said.outcome for said in sorted(answers, key=lambda said: said.at_us) if said.books)
    asked = any(said.outcome == "undecided" or (said.moves and not said.books) for said in answers)
    result.sure += [
        (said.confidence, said.outcome in (span.crossings or span.carried)) for said in answers if said.moves
    ]
    counts["tags"] += 1
    if booked and booked in (span.crossings, span.carried, (span.direction,)):
        counts["right"] += 1
    elif booked:
        counts["wrong"] += 1
    elif asked:
        counts["told"] += 1
    elif span.direction is None:
        counts["right"] += 1
    elif answers:
        counts["turned"] += 1
    else:
        counts["missed" if was_read else "unread"] += 1


def _seconds(at: datetime) -> float:
    return (at - BEGAN).total_seconds()


def run(seed: int, hours: float = LASTS_S / 3600) -> Result:
    """One day, or its first hours with as many passages an hour."""
    began = time.perf_counter()
    world = day(seed, lasts_s=3600 * hours, passages=max(1, round(PASSAGES * hours * 3600 / LASTS_S)))
    result = score(world, *observe(world))
    result.seconds = time.perf_counter() - began
    return result


def main() -> None:
    words = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    words.add_argument("seeds", metavar="SEED", type=int, nargs="*", default=list(SEEDS))
    words.add_argument("--hours", type=float, default=LASTS_S / 3600)
    given = words.parse_args()
    whole = Result()
    for seed in given.seeds:
        one = run(seed, given.hours)
        whole += one
        print(f"seed {seed}, {one.seconds:.0f} s: {one.words()}", flush=True)
    print(f"\n{table(Result.HEAD, list(whole.rows()))}")


if __name__ == "__main__":
    main()
