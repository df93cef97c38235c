"""Calibrating a shelf of an agent that runs, step by step, by command."""

import pytest

from edge.aggregator.orders import Calibrate as Calibrated
from edge.aggregator.orders import Crosstalk, OrderError, Resume, Serve
from edge.clock import PlayedClock
from edge.commands.calibrating import Calibrator
from edge.config import EdgeConfig
from edge.reads import Scale
from tests.support.plates import Plates
from wire.commands import Calibrate, Step

CAN = {"gtin": "09506000134352", "unit_grams": 330.0}
CONFIG = EdgeConfig.model_validate(
    {
        "edge": "store-042",
        "shelves": [
            {
                "name": "aisle-1",
                "bays": [{"name": f"A{n}", "cell": n, "capacity": 24, "items": [CAN]} for n in range(2)],
            }
        ],
    }
)


class Shelf:
    """Plates whose samples come while the calibrator sleeps."""

    def __init__(self, **plates: float) -> None:
        self.plates = Plates(**plates)  # type: ignore[arg-type]  # cells is not among them
        self.clock = PlayedClock(0)
        self.calibrator = Calibrator(CONFIG, self.clock, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        for _ in range(max(round(seconds * 10), 1)):
            self.calibrator.hear(self.plates.step())
            self.clock.set(round(self.plates.second * 1e6))

    async def step(
        self, step: Step, cell: int | None = None, mass: float | None = None
    ) -> tuple[list[object], str]:
        orders, words = await self.calibrator.step(
            Calibrate(shelf="aisle-1", step=step, cell=cell, mass_grams=mass)
        )
        return list(orders), words


async def test_step_by_step_and_kept() -> None:
    shelf = Shelf(counts_per_gram=420.5, zero=8000.0, share=0.02)
    shelf.calibrator.hear([Scale(at_us=1, shelf="aisle-1", serial="B021")])
    orders, words = await shelf.step(Step.ZERO, 0)
    assert [type(order) for order in orders] == [Serve, Serve]  # nothing is booked meanwhile
    assert words.startswith("cell 0: empty it says")
    await shelf.step(Step.ZERO, 1)
    for cell in (0, 1):
        shelf.plates.grams = [2000.0 if each == cell else 0.0 for each in (0, 1)]
        assert "factor 0.0023" in (await shelf.step(Step.SPAN, cell, 2000.0))[1]
    for cell in (0, 1):
        shelf.plates.grams = [2000.0 if each == cell else 0.0 for each in (0, 1)]
        await shelf.step(Step.CROSSTALK, cell)
    orders, words = await shelf.step(Step.KEEP)
    assert [type(order) for order in orders] == [Calibrated, Calibrated, Crosstalk, Resume, Resume]
    first, matrix = orders[0], orders[2]
    assert isinstance(first, Calibrated)
    assert isinstance(matrix, Crosstalk)
    assert (first.cell, first.serial) == (0, "B021")
    assert 1 / first.factor == pytest.approx(420.5, abs=0.5)
    assert matrix.matrix == {(0, 1): pytest.approx(0.02, abs=1e-3), (1, 0): pytest.approx(0.02, abs=1e-3)}
    assert words == "aisle-1: zero of cells 0, 1, span of 0, 1 are kept"
    with pytest.raises(OrderError, match="no calibration of 'aisle-1' is under way: begin with zero"):
        await shelf.step(Step.KEEP)


async def test_it_can_be_cancelled_and_is_over_after_half_an_hour() -> None:
    shelf = Shelf()
    await shelf.step(Step.ZERO, 0)
    orders, words = await shelf.step(Step.CANCEL)
    assert [type(order) for order in orders] == [Resume, Resume]
    assert words == "aisle-1: its calibration stays as it was"
    await shelf.step(Step.ZERO, 0)
    shelf.clock.set(round(shelf.plates.second * 1e6) + 1_800_000_000)
    with pytest.raises(OrderError, match="begin with zero"):
        await shelf.step(Step.SPAN, 0, 2000.0)


async def test_what_does_not_fit_or_makes_no_sense_is_refused() -> None:
    shelf = Shelf()
    for step, cell, mass, says in [
        (Step.SPAN, 0, 2000.0, "begin with zero"),
        (Step.ZERO, None, None, "zero is of one cell: say which"),
        (Step.SPAN, 0, None, "span needs to know how many grams lie on the plate"),
        (Step.ZERO, 9, None, "has no cell 9; its cells: 0, 1"),
    ]:
        with pytest.raises(OrderError, match=says):
            await shelf.step(step, cell, mass)
    await shelf.step(Step.ZERO, 0)
    with pytest.raises(OrderError, match="is the mass on the plate of cell 0"):
        await shelf.step(Step.SPAN, 0, 2000.0)
    shelf.plates.drift_per_s = 30.0
    with pytest.raises(OrderError, match="does not come to rest"):
        await shelf.step(Step.ZERO, 1)


async def test_what_is_far_from_before_is_kept_only_when_it_is_said_twice() -> None:
    shelf = Shelf()
    for entered in (2000.0, 2400.0):
        shelf.plates.grams = [0.0, 0.0]
        await shelf.step(Step.ZERO, 0)
        shelf.plates.grams = [2000.0, 0.0]
        await shelf.step(Step.SPAN, 0, entered)
        if entered == 2000.0:
            await shelf.step(Step.KEEP)
    with pytest.raises(OrderError, match=r"all weighs 1\.2 times what it did.*or keep it once more"):
        await shelf.step(Step.KEEP)
    await shelf.step(Step.SPAN, 0, 2400.0)  # measured anew, it is asked anew
    with pytest.raises(OrderError, match="the mass was 2000 g, and not 2400 g"):
        await shelf.step(Step.KEEP)
    orders, words = await shelf.step(Step.KEEP)
    assert isinstance(orders[0], Calibrated)
    assert orders[0].factor == pytest.approx(1.2, abs=1e-3)
    assert words.endswith("are kept")
