"""A gate whose antennas are watched: reference tags read at a rate, loads that go by, and what is said of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from random import Random

from edge.aggregator.antennas import AntennaWatch
from edge.aggregator.moments import Stamp, moment
from edge.reads import TagRead
from tests.support.doors import START_US, epc, merged
from wire.events import Blind, Clock, Event, Passage

STAMP = Stamp(Clock.SYNCED, "b")
START_MS = START_US // 1000
REFERENCES = {antenna: f"AAAA00000000000000000{antenna:03d}" for antenna in (1, 2, 3, 4)}
SIDES = {1: "outside", 2: "outside", 3: "inside", 4: "inside"}
MINUTE = 60.0
HOUR = 3600.0


class Door:
    """A gate whose references are read at a rate; what is said of its antennas. Seconds from the start."""

    def __init__(self, *, hz: float = 2.0, references: Mapping[int, Sequence[str]] | None = None) -> None:
        tags = {a: [tag] for a, tag in REFERENCES.items()} if references is None else references
        self.watch = AntennaWatch("dock-1", SIDES, tags)
        self.watch.up(START_MS)
        self.hz = hz
        self.dbm = dict.fromkeys(REFERENCES, -55.0)
        self.now_s = 0.0
        self.said: list[Event] = []
        self.rng = Random(1)

    def reads(self, antenna: int, tag: str, until_s: float, hz: float) -> Iterator[TagRead]:
        at_s = self.now_s + self.rng.expovariate(hz)
        while at_s < until_s:
            yield read(at_s, antenna, tag, self.dbm[antenna] + self.rng.gauss(0.0, 1.5))
            at_s += self.rng.expovariate(hz)

    def goes_on(
        self, for_s: float, *, without: Sequence[int] = (), others: Mapping[int, float] | None = None
    ) -> None:
        """References are read, but not by the antennas `without`; `others`: by antenna, the rate of another tag."""
        until_s = self.now_s + for_s
        streams = [
            *(self.reads(a, REFERENCES[a], until_s, self.hz) for a in REFERENCES if a not in without),
            *(self.reads(a, epc(a), until_s, hz) for a, hz in (others or {}).items()),
        ]
        self.take(merged(*streams), until_s)

    def take(self, reads: Sequence[TagRead], until_s: float) -> None:
        looked_s = self.now_s
        for each in reads:
            at_s = (each.at_us - START_US) / 1e6
            while looked_s < at_s:
                looked_s += 1.0
                self.look(looked_s)
            self.said += self.watch.observe(each, each.at_us // 1000, STAMP) or ()
        while looked_s < until_s + 0.5:
            looked_s += 1.0
            self.look(looked_s)
        self.now_s = until_s

    def look(self, at_s: float) -> None:
        self.said += self.watch.advance(START_MS + round(at_s * 1000), STAMP)

    def load(self, *, read_by: Sequence[int]) -> bool:
        """A load goes by in the next eight seconds; returns whether its passage was seen by healthy antennas."""
        began_s, self.now_s = self.now_s, self.now_s + 8.0
        reads = [read(began_s + 1.0 + n / 10, antenna, epc(9)) for n, antenna in enumerate(read_by)]
        self.take(reads, self.now_s)
        return self.watch.passed(passage(began_s, self.now_s))

    def healthy(self) -> bool:
        return self.watch.healthy(START_MS + round(self.now_s * 1000))

    def blinds(self) -> list[tuple[float, float, str]]:
        return [
            (since(event.from_at.timestamp()), since(event.to_at.timestamp()), event.reason)
            for event in self.said
            if isinstance(event, Blind)
        ]


def since(at: float) -> float:
    return at - START_US / 1e6


def read(at_s: float, antenna: int, tag: str, dbm: float = -55.0) -> TagRead:
    return TagRead(at_us=START_US + round(at_s * 1e6), gate="dock-1", antenna=antenna, epc=tag, rssi_dbm=dbm)


def passage(began_s: float, ended_s: float) -> Passage:
    ended = moment(START_US + round(ended_s * 1e6))
    return Passage(
        at=ended, clock=Clock.SYNCED, boot="b", mono_ms=START_MS + round(ended_s * 1000), gate="dock-1",
        passage="p", load="p", began_at=ended - timedelta(seconds=ended_s - began_s), ended_at=ended,
        ins=1, outs=0, turned_back=0, undecided=0, strays=0, healthy=True,
    )  # fmt: skip


def learnt(hz: float = 2.0) -> Door:
    door = Door(hz=hz)
    door.goes_on(20 * MINUTE)
    assert door.said == []
    assert door.watch.troubles() == []
    assert door.healthy()
    return door
