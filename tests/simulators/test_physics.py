"""A cell rings when it is touched, and shows the true mass once it is at rest."""

from random import Random
from statistics import mean, pstdev

import pytest

from simulators.people import SETTLE_S
from simulators.physics import Cell, Hand, Step


def seen(cell: Cell, from_s: float, to_s: float) -> list[float]:
    return [cell.grams(from_s + 0.1 * n) for n in range(int((to_s - from_s) * 10))]


def test_at_rest_it_is_noisy_about_the_mass() -> None:
    values = seen(Cell(5000.0, Random(1)), 0.0, 20.0)
    assert mean(values) == pytest.approx(5000.0, abs=0.5)
    assert 0.02 < pstdev(values) < 0.2


def test_a_step_rings_and_settles_at_the_new_mass() -> None:
    cell = Cell(5000.0, Random(1), noise_grams=0.0)
    before = cell.grams(0.9)
    cell.put(Step(1.0, -330.0))
    swing = [cell.grams(1.0 + 0.02 * n) for n in range(30)]
    assert min(swing) < before - 330.0 - 0.5  # it overshoots
    after = seen(cell, 1.0 + SETTLE_S, 8.0)
    assert max(abs(value - (before - 330.0)) for value in after) < 0.5


def test_what_was_forgotten_still_weighs() -> None:
    cell = Cell(1000.0, Random(1), noise_grams=0.0)
    for number in range(10):
        cell.put(Step(10.0 * number, 100.0))
        cell.grams(10.0 * number + 9.0)
    assert cell.grams(200.0) == pytest.approx(2000.0, abs=0.5)


def test_a_hand_presses_and_leaves_no_trace() -> None:
    cell = Cell(1000.0, Random(1), noise_grams=0.0)
    cell.press(Hand(1.0, 2.0, 200.0))
    assert cell.grams(1.6) > 1100.0
    assert cell.grams(3.0) == pytest.approx(1000.0, abs=0.5)
