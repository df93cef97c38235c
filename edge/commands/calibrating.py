"""Calibrating a shelf of an agent that runs, by command: the same steps as at the site, each a command."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from edge.aggregator import orders as to
from edge.aggregator.orders import Order, OrderError
from edge.calibrate.measure import NonsenseError
from edge.calibrate.session import Ear, Session
from edge.clock import Clock, moment
from edge.commands.translate import shelf_named
from edge.config import EdgeConfig
from edge.reads import Scale, ShelfRead
from edge.shelf_config import ShelfConfig
from edge.weighing import Weighing
from wire.commands import Calibrate, Step

PATIENCE_S = 20.0  # a step waits so long for a rest
LOOK_S = 0.1
OPEN_MS = (
    1_800_000  # a calibration that nobody goes on with is over after half an hour, and so is its service mode
)


@dataclass(slots=True)
class _Open:
    session: Session
    until_ms: int
    asked: bool = False  # somebody was told what is odd about it


class Calibrator:
    """`hear` is to be told of all that the cells say; `sleep` and `clock` are the agent's."""

    def __init__(
        self,
        config: EdgeConfig,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._clock = clock
        self._sleep = sleep
        self._open: dict[str, _Open] = {}
        self._scales: dict[str, dict[tuple[int, ...] | None, Scale]] = {}
        self._known: dict[str, Weighing] = {
            shelf.name: shelf.calibration.values for shelf in config.shelves if shelf.calibration
        }

    def hear(self, reads: Sequence[ShelfRead]) -> None:
        for each in self._open.values():
            each.session.ear.hear(reads)
        for read in reads:
            if isinstance(read, Scale):
                self._scales.setdefault(read.shelf, {})[read.cells] = read

    async def step(self, order: Calibrate) -> tuple[Sequence[Order], str]:
        """What to order of the aggregator, and what was found, in words. Raises OrderError."""
        shelf = shelf_named(self._config, order.shelf)
        try:
            match order.step:
                case Step.KEEP:
                    return self._keep(shelf, self._session(order.shelf))
                case Step.CANCEL:
                    self._session(order.shelf)
                    return self._end(shelf), f"{order.shelf}: its calibration stays as it was"
                case _:
                    return await self._measure(order, shelf)
        except NonsenseError as error:
            raise OrderError(str(error)) from error

    async def _measure(self, order: Calibrate, shelf: ShelfConfig) -> tuple[Sequence[Order], str]:
        cell = order.cell
        if cell is None:
            raise OrderError(f"{order.step.value} is of one cell: say which")
        mass = order.mass_grams
        if mass is None and order.step in (Step.SPAN, Step.CHECK):
            raise OrderError(f"{order.step.value} needs to know how many grams lie on the plate")
        begun: Sequence[Order] = ()
        if order.step is Step.ZERO:
            begun = self._begin(shelf)
        session = self._session(shelf.name)
        if cell not in session.ear.cells:
            there = ", ".join(map(str, session.ear.cells))
            raise OrderError(f"shelf {shelf.name!r} has no cell {cell}; its cells: {there}")
        await self._rest(session.ear, cell)
        self._open[shelf.name].asked = False
        match order.step:
            case Step.ZERO:
                words = session.zero(cell)
            case Step.SPAN:
                words = session.span(cell, mass or 0.0)
            case Step.CHECK:
                words = session.check(cell, mass or 0.0)
            case _:
                words = session.crosstalk(cell)
        return begun, words

    def _begin(self, shelf: ShelfConfig) -> Sequence[Order]:
        """While it is calibrated nothing is booked."""
        until_ms = self._clock.now_ms() + OPEN_MS
        if (there := self._open.get(shelf.name)) and self._clock.now_ms() < there.until_ms:
            there.until_ms = until_ms
        else:
            ear = Ear(shelf.name, (cell for bay in shelf.bays for cell in bay.cells))
            ear.hear(list(self._scales.get(shelf.name, {}).values()))
            self._open[shelf.name] = _Open(Session(ear, self._known.get(shelf.name)), until_ms)
        return [to.Serve(shelf=shelf.name, bay=bay.name, until_ms=until_ms) for bay in shelf.bays]

    def _session(self, shelf: str) -> Session:
        there = self._open.get(shelf)
        if there is None or self._clock.now_ms() >= there.until_ms:
            self._open.pop(shelf, None)
            raise OrderError(f"no calibration of {shelf!r} is under way: begin with zero")
        return there.session

    async def _rest(self, ear: Ear, cell: int) -> None:
        ear.begin()
        until_ms = self._clock.now_ms() + round(PATIENCE_S * 1000)
        while ear.rest(cell) is None and self._clock.now_ms() < until_ms:
            await self._sleep(LOOK_S)

    def _keep(self, shelf: ShelfConfig, session: Session) -> tuple[Sequence[Order], str]:
        here = self._open[shelf.name]
        if (doubts := session.doubts()) and not here.asked:
            here.asked = True
            odd = "; ".join(doubts)
            raise OrderError(f"{odd}. Check it with another mass; or keep it once more, if it is right so")
        found = session.found(moment(self._clock.now_us()), "command")
        measured = session.measured
        orders: list[Order] = [
            to.Calibrate(
                shelf=shelf.name, cell=each.cell, factor=each.factor, offset_grams=each.offset_grams,
                serial=each.serial, calibration=each.calibration,
            )
            for each in found.cells
            if each.cell in measured
        ]  # fmt: skip
        matrix = {(share.from_, share.to): share.share for share in found.crosstalk}
        if matrix:
            orders.append(to.Crosstalk(shelf=shelf.name, matrix=matrix))
        self._known[shelf.name] = found
        return [*orders, *self._end(shelf)], f"{shelf.name}: {found.made.remark} are kept"

    def _end(self, shelf: ShelfConfig) -> Sequence[Order]:
        del self._open[shelf.name]
        return [to.Resume(shelf=shelf.name, bay=bay.name) for bay in shelf.bays]
