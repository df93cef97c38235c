"""Weight transmitters on one Modbus as the supervisor sees them. Nothing is ever written to a device."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.faults import Faults
from edge.readers.modbus_scale.budget import Line
from edge.readers.modbus_scale.bus import Bus, Silent
from edge.readers.modbus_scale.config import ModbusScaleConfig
from edge.readers.modbus_scale.pace import Pace
from edge.readers.modbus_scale.protocol import Refusal, Weight, told, weigh
from edge.readers.modbus_scale.registers import Query, queries
from edge.readers.streams import connect
from edge.readers.urls import DeviceUrl, SerialUrl
from edge.readers.urls import parse as parse_url
from edge.reads import Read, Scale, WeightSample

log = logging.getLogger(__name__)

# A unit that has failed so often in a row is away. Where a long cable spoils one answer in ten, three in a row come
# once in a thousand rounds, and two would be a hole every ten seconds.
AWAY_AFTER = 3
# One that is away is asked again after so long, then after twice as long, and so on.
FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 15.0
# Waiting for units that are away takes at most this share of the bus from those that answer.
AWAY_SHARE = 0.1
# Who the device is, its decimals and its unit where they are not beside its weight, are asked for again so often.
ABOUT_S = 30.0
SILENT = "does not answer"
# These answers mean that the device has other registers than its map says, and not that it is away.
_OTHER_REGISTERS = (1, 2, 3)
_GATEWAY = (10, 11)  # and these are a gateway's, of a device behind it that is


@dataclass
class _Unit:
    """One device on the bus.

    Attributes:
        first_cell: the cell of its first channel.
        about: what it said of itself, by address.
        said: the identity that was last told.
        failures: in a row.
        met: whether it has ever answered on this connection. One that has not is away at its first failure: a bus
            with ten addresses that nobody has would otherwise begin with thirty waits.
    """

    address: int
    first_cell: int
    cells: tuple[int, ...]
    about: dict[int, int] = field(default_factory=dict)
    about_due_s: float = 0.0
    said: tuple[str, str] | None = None
    failures: int = 0
    met: bool = False
    why: str = ""
    refused: bool = False
    next_s: float = 0.0

    @property
    def away(self) -> bool:
        return self.failures >= (AWAY_AFTER if self.met else 1)


class ModbusScale:
    held = True  # whatever was put on or taken off meanwhile shows in the next weight

    def __init__(self, config: ModbusScaleConfig, name: str, now_us: Callable[[], int]) -> None:
        self.name = name
        self.detail = ""
        self._config = config
        self._map = config.registers
        self._now_us = now_us

    @property
    def clock_offset_ms(self) -> float | None:
        return None  # a transmitter has no clock

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[Sequence[Read]]]:
        url = parse_url(self._config.url, port=502)
        async with connect(url) as stream:
            bus = Bus(stream, rtu=self._rtu(url), line=_line(url), timeout_s=self._config.timeout_s)
            rounds = _Rounds(bus, self._config, self.name, self._now_us)
            # Up is a bus on which something weighs, not an adapter that opens.
            first = [reads async for reads in rounds.once()]
            rounds.must_have_answered()
            self.detail = rounds.detail()
            yield self._samples(rounds, first)

    async def _samples(self, rounds: "_Rounds", first: list[Sequence[Read]]) -> AsyncIterator[Sequence[Read]]:
        for reads in first:
            yield reads
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        pace = Pace(self.name, self._config.round_s)
        while True:
            due_s = max(
                due_s + self._config.round_s, loop.time()
            )  # a round that took longer is not caught up with
            await asyncio.sleep(due_s - loop.time())
            async for reads in rounds.once():
                yield reads
            pace.took(rounds.took_s)
            rounds.must_answer()

    def _rtu(self, url: DeviceUrl) -> bool:
        return (self._config.framing or ("rtu" if isinstance(url, SerialUrl) else "tcp")) == "rtu"


def _line(url: DeviceUrl) -> Line | None:
    return Line(url.baud, url.bits, url.parity != "N", url.stop) if isinstance(url, SerialUrl) else None


class _Rounds:
    """Asks every unit in turn, those that are away less often."""

    def __init__(self, bus: Bus, config: ModbusScaleConfig, name: str, now_us: Callable[[], int]) -> None:
        self._bus = bus
        self._config = config
        self._name = name
        self._now_us = now_us
        self._map = config.registers
        self._channels = [self._map.channel(number) for number in range(self._map.channels)]
        self._queries = queries(self._map)
        self._faults = Faults(name)
        self._loop = asyncio.get_running_loop()
        self._answered_s = self._loop.time()  # when any unit last did
        self._next_away_s = 0.0  # when one that is away may be asked
        self.took_s = 0.0  # of the last round, to ask the units that are not away
        per_unit = self._map.channels
        self._units = [
            _Unit(address, i * per_unit, tuple(range(i * per_unit, (i + 1) * per_unit)))
            for i, address in enumerate(config.units)
        ]

    async def once(self) -> AsyncIterator[Sequence[Read]]:
        """One round: a unit's reads at once. Raises ReaderLost and ProtocolError as the bus does."""
        took_s = 0.0
        for unit in self._units:
            began_s = self._loop.time()
            if began_s < unit.next_s or (unit.away and began_s < self._next_away_s):
                continue
            was_away = unit.away
            reads = await self._ask(unit)
            now_s = self._loop.time()
            if not unit.failures:
                took_s += now_s - began_s
            if unit.away and was_away:
                self._next_away_s = now_s + (now_s - began_s) / AWAY_SHARE
            if reads:
                yield reads
        self.took_s = took_s

    def must_have_answered(self) -> None:
        """At the first round. Raises ReaderRefused and ReaderLost."""
        if any(not unit.failures for unit in self._units):
            return
        if refusing := next((unit for unit in self._units if unit.refused), None):
            raise ReaderRefused(
                f"unit {refusing.address} answers {refusing.why!r}: is profile {self._config.profile!r} "
                "that of this device?"
            )
        asked = ", ".join(str(unit.address) for unit in self._units)
        if told := next((unit for unit in self._units if unit.why != SILENT), None):
            raise ReaderLost(f"no unit weighs: unit {told.address} answers {told.why!r}")
        raise ReaderLost(
            f"silent: no answer to us from unit {asked}; are speed, parity and addresses those set on the devices, "
            "and A and B not crossed?"
        )

    def must_answer(self) -> None:
        """Raises ReaderLost when no unit has answered for `silence_s`."""
        if self._loop.time() - self._answered_s > self._config.silence_s:
            raise ReaderLost(f"silent: no unit has answered for {self._config.silence_s:g} s")

    def detail(self) -> str:
        here = [str(unit.address) for unit in self._units if not unit.failures]
        away = [f"{unit.address} ({unit.why})" for unit in self._units if unit.failures]
        said = f"{self._config.profile}: unit {', '.join(here)}"
        return f"{said}; away: {', '.join(away)}" if away else said

    async def _ask(self, unit: _Unit) -> list[Read]:
        """Everything that one unit says now; its faults where it says nothing."""
        reads: list[Read] = []
        try:
            if self._loop.time() >= unit.about_due_s:
                reads += await self._about(unit)
            for query in self._queries.weights:
                reads += self._weights(unit, query, await self._values(unit, query))
        except Silent:
            return reads + self._failed(unit, SILENT, refused=False)
        except _Refused as error:
            if error.refusal.code not in _GATEWAY:
                self._answered_s = self._loop.time()
            return reads + self._failed(
                unit, str(error.refusal), refused=error.refusal.code in _OTHER_REGISTERS
            )
        self._answered_s = self._loop.time()
        if unit.away:
            log.info("%s: unit %d answers again", self._name, unit.address)
        unit.failures, unit.met = 0, True
        return reads

    async def _values(self, unit: _Unit, query: Query) -> Mapping[int, int]:
        answer = await self._bus.ask(unit.address, self._map.function, query)
        if isinstance(answer, Refusal):
            raise _Refused(answer)
        return answer.values

    async def _about(self, unit: _Unit) -> list[Read]:
        """Who it is, where its map can tell; said when it was never said before, or is another now."""
        about: dict[int, int] = {}
        for query in self._queries.about:
            about.update(await self._values(unit, query))
        unit.about, unit.about_due_s = about, self._loop.time() + ABOUT_S
        who = told(self._map.serial, about), told(self._map.calibration, about)
        if who == unit.said or not any(who):
            return []
        unit.said = who
        return [
            Scale(at_us=self._now_us(), shelf=self._name, cells=unit.cells, serial=who[0], calibration=who[1])
        ]

    def _weights(self, unit: _Unit, query: Query, values: Mapping[int, int]) -> Iterator[Read]:
        at_us, known = self._now_us(), {**unit.about, **values}
        for channel in query.channels:
            cell = unit.first_cell + channel
            found = weigh(self._channels[channel], known)
            if isinstance(found, Weight):
                self._faults.over(cell)
                yield WeightSample(
                    at_us=at_us, shelf=self._name, cell=cell, grams=found.grams, stable=found.stable
                )
            elif fault := self._faults.of(cell, found.fault, at_us):
                yield fault

    def _failed(self, unit: _Unit, why: str, *, refused: bool) -> list[Read]:
        was_away = unit.away
        unit.failures += 1
        unit.why, unit.refused = why, refused
        unit.about_due_s = 0.0  # it may be another device when it comes back
        if not unit.away:
            return []
        if not was_away:
            log.warning("%s: unit %d %s", self._name, unit.address, why)
        waits_s = FIRST_RETRY_S * 2.0 ** min(max(unit.failures - AWAY_AFTER, 0), 10)
        unit.next_s = self._loop.time() + min(LONGEST_RETRY_S, waits_s)
        at_us = self._now_us()
        said = (self._faults.of(cell, f"device_error: {why}", at_us) for cell in unit.cells)
        return [fault for fault in said if fault]


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
