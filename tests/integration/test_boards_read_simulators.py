"""Our driver of boards that send lines against simulated ones, which share no code with it, through every trouble of a
line: what came whole is read, once and in order, and nothing else is.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.readers.hx711_lines.config import Hx711LinesConfig
from edge.readers.hx711_lines.reader import Hx711Lines
from simulators.hx711_lines.board import Board, Cell, State, Style
from simulators.hx711_lines.serve import Served as ServedBoard
from tests.support.cells import ON, faults, grams, until_it_came_back, watched
from tests.support.serial_readers import Wire
from tests.support.supervised import now_us

pytestmark = pytest.mark.timeout(120)


def sent(wire: Wire) -> list[float]:
    """Another reading of what came over the line: whole lines behind the first end, that are one number."""
    _, *lines = bytes(wire.came).split(b"\n")
    found = [re.fullmatch(rb"\s*(-?\d+\.\d\d)\s*", line) for line in lines[:-1]]
    return [float(match[1]) for match in found if match]


def hold(got: Sequence[float], wires: Sequence[Wire]) -> None:
    """`got` is, connection by connection, what was sent from some line on; of the last, its end may not be read yet."""
    at = 0
    for wire in wires:
        lines = sent(wire)
        if at < len(got) and got[at] in lines:
            expected = lines[lines.index(got[at]) :]
            taken = list(got[at : at + len(expected)])
            assert taken == expected[: len(taken)], "lost, doubled, or invented"
            assert len(taken) == len(expected) or wire is wires[-1], (
                f"{len(expected) - len(taken)} lines lost"
            )
            at += len(taken)
    assert at == len(got), f"{got[at]} was read and never sent"


def lines(url: str, **settings: Any) -> Hx711Lines:
    config = Hx711LinesConfig.model_validate(
        {"driver": "hx711_lines", "url": url, "silence_s": 0.8, **settings}
    )
    return Hx711Lines(config, "aisle-1", now_us)


def numbered() -> tuple[Board, Callable[[], list[float]]]:
    """A board whose weights are 1.00, 2.00 ... g, as exactly as it sends them."""
    numbers = count(1)
    exact = [Cell(counts_per_gram=10_000.0 / 128, zero_counts=0.0)]

    class Exact(Random):
        def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
            return mu

    board = Board(exact, Style.GRAMS, Exact(1))
    return board, lambda: [float(next(numbers))]


@pytest.mark.parametrize("on", ON)
@pytest.mark.parametrize(
    "trouble", ["none", "drip", "slow", "garbage", "half-frame", "silence", "hang-up", "glue"]
)
async def test_every_line_that_came_is_read_and_no_other(trouble: str, on: str, tmp_path: Path) -> None:
    board, weigh = numbered()
    served, wires = ServedBoard(board, weigh, rate_hz=80.0), list[Wire]()
    after_s = 0.2 if trouble == "glue" else 0.6
    async with watched(
        lambda url: lines(url), served.session, tmp_path if on == "pty" else None, trouble, after_s, wires
    ) as site:
        if trouble in ("half-frame", "silence", "hang-up"):
            await until_it_came_back(site, trouble, on)
        else:
            await site.until(lambda: len(grams(site)) >= 60)
    hold(grams(site), wires)
    assert not faults(site)
    assert served.heard == b""
    if trouble in ("none", "drip", "slow", "glue"):
        assert site.reasons == []


async def test_a_line_that_comes_twice_is_two_weights_of_the_same(tmp_path: Path) -> None:
    board, weigh = numbered()
    served, wires = ServedBoard(board, weigh, rate_hz=80.0), list[Wire]()
    async with watched(lambda url: lines(url), served.session, None, "duplicate", 0.2, wires) as site:
        await site.until(lambda: len(grams(site)) >= 60)
    got = grams(site)
    assert got == sorted(got)
    assert set(got) <= set(sent(wires[0]))


async def test_a_board_that_is_reset_in_the_middle_of_a_line_leaves_no_weight(tmp_path: Path) -> None:
    board, weigh = numbered()
    served, wires = ServedBoard(board, weigh, rate_hz=10.0), list[Wire]()
    async with watched(
        lambda url: lines(url, silence_s=5.0), served.session, tmp_path, "none", 1.0, wires
    ) as site:
        for resets in (1, 2):
            before = len(grams(site))
            await site.until(lambda before=before: len(grams(site)) >= before + 5)  # type: ignore[misc]  # bound now
            served.reset()
            await asyncio.sleep(0.2 * resets)
        await site.until(lambda: len(grams(site)) >= 15)
    got = grams(site)
    assert all(after - before > 0.9 for before, after in pairwise(got)), got
    assert set(got) <= set(sent(wires[0]))
    assert site.reasons == []


async def test_counts_stay_absolute_where_a_board_tares_itself(tmp_path: Path) -> None:
    counted: dict[str, Any] = {"counts_per_gram": [420.0], "zero_counts": [84_000.0]}
    cases: list[tuple[Style, dict[str, Any], float]] = [
        (Style.GRAMS, {}, 0.0),  # 500 g lie on it, and it says none
        (Style.COUNTS, {"columns": ["counts"], **counted}, 500.0),
        (Style.OPENSCALE, {"columns": ["-", "-", "-", "offset_counts", "-"], **counted}, 500.0),
    ]
    for style, settings, right in cases:
        board = Board([Cell()], style, Random(1), tares=True)
        served = ServedBoard(board, lambda: [500.0], rate_hz=40.0)
        async with watched(partial(lines, **settings), served.session, tmp_path) as site:
            await site.until(lambda site=site: len(grams(site)) >= 10)  # type: ignore[misc]  # bound now
        assert grams(site)[-1] == pytest.approx(right, abs=1.0)


async def test_what_befalls_a_cell_of_several_is_said_of_that_cell(tmp_path: Path) -> None:
    board = Board([Cell(), Cell(), Cell(), Cell()], Style.COUNTS, Random(1))
    served = ServedBoard(board, lambda: [100.0, 200.0, 300.0, 400.0], rate_hz=40.0)
    counts = {
        "columns": ["counts"] * 4,
        "counts_per_gram": [420.0] * 4,
        "zero_counts": [84_000.0] * 4,
    }
    async with watched(lambda url: lines(url, **counts), served.session, tmp_path) as site:
        await site.until(lambda: len(grams(site, 3)) >= 3)
        for cell, state in ((1, State.OVER), (2, State.UNPLUGGED), (3, State.UNDER)):
            board.cells[cell].state = state
        await site.until(lambda: len(faults(site)) >= 3)
        before = len(grams(site, 0))
        await site.until(lambda: len(grams(site, 0)) >= before + 5)
        for each in board.cells:
            each.state = State.FINE
        before = len(grams(site, 2))
        await site.until(lambda: len(grams(site, 2)) >= before + 5)
    assert set(faults(site)) == {
        (1, "saturated"),
        (2, "device_error: the converter does not answer (-1)"),
        (3, "saturated"),
    }
    for cell in range(4):
        assert all(abs(each - 100.0 * (cell + 1)) < 1.0 for each in grams(site, cell))
