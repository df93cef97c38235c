"""Doors, what moves before them, and a recording of it with its truth. Seconds count from the world's beginning."""

import heapq
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain

import numpy as np

from simulators.doors import radio
from simulators.doors.eyes import Change
from simulators.doors.inventory import Group, Hearing, Reader
from simulators.doors.site import EDGE, Door, configuration

BEGAN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
COMES_NEAR_M = 3.5  # from the sill: a load that came no nearer passed by
Row = tuple[float, str, int, str, float]  # second, gate, antenna, EPC, dBm
Truth = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    doors: tuple[Door, ...]
    groups: tuple[Group, ...]
    from_s: float
    to_s: float
    seed: int
    reads_per_s: float = 60.0
    silent_s: tuple[float, float] = (0.0, 0.0)
    turn_s: float = 0.06
    eyes: tuple[Change, ...] = ()
    off: dict[str, tuple[tuple[int, float, float], ...]] = field(default_factory=dict)  # by door

    @property
    def aerials(self) -> tuple[radio.Aerial, ...]:
        return tuple(chain.from_iterable(door.aerials for door in self.doors))

    @property
    def configuration(self) -> str:
        return configuration(self.doors)

    def rows(self) -> Iterator[Row]:
        """Every read, in order of time."""
        room = radio.place(self.aerials, np.random.default_rng([self.seed, 1]))
        return heapq.merge(*(self._heard(place, room) for place in range(len(self.doors))))

    def _heard(self, place: int, room: radio.Place) -> Iterator[Row]:
        door = self.doors[place]
        first = sum(len(other.aerials) for other in self.doors[:place])
        off = self.off.get(door.name, ())
        reader = Reader(door.name, door.aerials, self.reads_per_s, self.turn_s, self.silent_s, off)
        hearing = Hearing(reader, first, room, self.groups, np.random.default_rng([self.seed, 2, place]))
        epcs = hearing.epcs
        for reads in hearing.chunks(self.from_s, self.to_s):
            for at_s, antenna, tag, rssi in zip(*(column.tolist() for column in reads), strict=True):
                yield at_s, door.name, antenna, epcs[tag], rssi

    def truth(self) -> list[Truth]:
        """What happened, in order of time: `crossed`, `turned_back`, `passed`, and `stray` once a tag at rest."""
        found: list[tuple[float, Truth]] = []
        for group in self.groups:
            for epc, ahead in zip(group.epcs, group.ahead.tolist(), strict=True):
                found.append(self._happened(group, epc, ahead))
        return [{"at": stamp(at_s), **said} for at_s, said in sorted(found, key=lambda each: each[0])]

    def _happened(self, group: Group, epc: str, ahead: float) -> tuple[float, Truth]:
        door = self._door(group)
        said = {"gate": door.name, "epc": epc, "load": group.name}
        if group.kind == "stock":
            return group.from_s, {"type": "stray", **said}
        crossings = group.way.crossings(ahead)
        if len(crossings) % 2:
            at_s, direction = crossings[-1]
            return at_s, {"type": "crossed", **said, "direction": direction}
        nearest = int(np.argmin(np.abs(group.way.y)))
        kind = "turned_back" if group.kind == "load" else "passed"
        return float(group.way.t[nearest]), {"type": kind, **said}

    def _door(self, group: Group) -> Door:
        x = group.way.x[np.argmin(np.abs(group.way.y))]
        return min(self.doors, key=lambda door: abs(door.x - float(x)))

    def lines(self) -> Iterator[bytes]:
        """The world as a recording."""
        yield heading()
        yield from in_order(self.rows(), self.eyes)


def stamp(at_s: float) -> str:
    at = BEGAN + timedelta(microseconds=round(at_s * 1e6))
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def heading() -> bytes:
    return _line({"type": "recording", "version": 1, "edge": EDGE})


def in_order(rows: Iterable[Row], eyes: Sequence[Change]) -> Iterator[bytes]:
    said = heapq.merge(
        ((row[0], tag_line(row)) for row in rows), ((each.at_s, trigger_line(each)) for each in eyes)
    )
    return (line for _, line in said)


def tag_line(row: Row) -> bytes:
    at_s, gate, antenna, epc, rssi = row  # two million a day: written out, as json.dumps would
    return (
        f'{{"type":"tag","at":"{stamp(at_s)}","gate":"{gate}","antenna":{antenna},"epc":"{epc}","rssi_dbm":{rssi}}}\n'
    ).encode()


def trigger_line(each: Change) -> bytes:
    return _line(
        {"type": "trigger", "at": stamp(each.at_s), "gate": each.gate, "input": each.input, "on": each.on}
    )


def _line(said: dict[str, object]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"
