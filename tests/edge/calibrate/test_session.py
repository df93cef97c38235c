"""Calibrating step by step: what is found, and what is refused because it makes no sense."""

import re
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.calibrate import measure
from edge.calibrate.measure import NonsenseError, Rest, rest_of
from edge.calibrate.session import Ear, Session
from edge.reads import Scale, WeightFault, WeightSample
from edge.weighing import CellSection, Made, Share, Weighing
from tests.support.plates import Plates

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def session(cells: int = 2, known: Weighing | None = None) -> Session:
    return Session(Ear("aisle-1", range(cells)), known)


def test_a_scale_that_says_grams_is_zeroed_spanned_and_checked() -> None:
    plates, here = Plates(zero=37.5), session()
    plates.rest(here.ear)
    assert here.zero(0).startswith("cell 0: empty it says 37.")
    plates.grams[0] = 2000.0
    plates.rest(here.ear)
    assert re.match(r"cell 0: factor (1\.000|0\.999)", here.span(0, 2000.0))
    plates.grams[0] = 500.0
    plates.rest(here.ear)
    assert re.match(r"cell 0: 500 g come out as (500\.|499\.9)", here.check(0, 500.0))
    found = here.found(AT, "manager")
    [cell] = found.cells
    assert cell.factor == pytest.approx(1.0, abs=2e-4)
    assert cell.offset_grams == pytest.approx(-37.5, abs=0.2)
    assert (found.made.by, found.made.remark) == ("manager", "zero of cells 0, span of 0")


def test_counts_of_a_board_become_grams_also_of_a_cell_that_is_wired_backwards() -> None:
    for gain in (420.5, -420.5):
        plates, here = Plates(counts_per_gram=gain, zero=84_210.0), session()
        plates.rest(here.ear)
        here.zero(0)
        plates.grams[0] = 2000.0
        plates.rest(here.ear)
        assert "counts" in here.span(0, 2000.0)
        [cell] = here.found(AT, "").cells
        assert cell.factor * (gain * 1500.0 + 84_210.0) + cell.offset_grams == pytest.approx(1500.0, abs=1.0)


def test_what_neighbours_feel_is_found_from_the_spans() -> None:
    plates, here = Plates(cells=3, share=0.02), session(3)
    plates.rest(here.ear)
    for cell in range(3):
        here.zero(cell)
    for cell in range(3):
        plates.grams = [2000.0 if each == cell else 0.0 for each in range(3)]
        plates.rest(here.ear)
        here.span(cell, 2000.0)
    assert len(here.crosstalk_of_spans()) == 3
    found = {(share.from_, share.to): share.share for share in here.found(AT, "").crosstalk}
    assert found.keys() == {(a, b) for a in range(3) for b in range(3) if a != b}
    assert all(share == pytest.approx(0.02, abs=5e-4) for share in found.values())


def test_what_is_not_measured_anew_stays_and_the_device_is_noted() -> None:
    known = Weighing(
        version=1, shelf="aisle-1", made=Made(at=AT), cells=(CellSection(cell=1, factor=2.0, offset_grams=3.0),),
        crosstalk=(Share.model_validate({"from": 0, "to": 1, "share": 0.03}),),
    )  # fmt: skip
    plates, here = Plates(), session(known=known)
    here.ear.hear([Scale(at_us=1, shelf="aisle-1", serial="B021", calibration="17")])
    plates.rest(here.ear)
    here.zero(0)
    found = here.found(AT, "")
    assert [(cell.cell, cell.factor, cell.serial) for cell in found.cells] == [(0, 1.0, "B021"), (1, 2.0, "")]
    assert found.crosstalk == known.crosstalk


@pytest.mark.parametrize(
    "mass, on_it, says",
    [
        (2000.0, 0.0, "is the mass on the plate of cell 0"),
        (20.0, 20.0, "too little for a cell that swings by"),
        (2.0, 2000.0, r"was the mass given in kilograms\? Give it in grams"),
        (2000.0, 2.0 * 100, None),
        (2000.0, -2000.0, "upside down"),
    ],
)
def test_a_span_that_makes_no_sense_is_refused(mass: float, on_it: float, says: str | None) -> None:
    plates, here = Plates(), session()
    plates.rest(here.ear)
    here.zero(0)
    plates.grams[0] = on_it
    plates.rest(here.ear)
    if says is None:
        assert "check the mass" in here.span(0, mass)  # a factor of 10 may be a board; a person is told
        return
    with pytest.raises(NonsenseError, match=says):
        here.span(0, mass)


@pytest.mark.parametrize("grams, unit", [(1000.0, "kilograms"), (453.592, "pounds"), (28.3495, "ounces")])
def test_a_scale_that_speaks_of_another_unit_is_told(grams: float, unit: str) -> None:
    plates, here = Plates(counts_per_gram=1 / grams, noise=0.01), session()
    plates.rest(here.ear)
    here.zero(0)
    plates.grams[0] = 2000.0
    plates.rest(here.ear)
    with pytest.raises(NonsenseError, match=f"it seems to speak of {unit}"):
        here.span(0, 2000.0)


def test_a_second_mass_that_is_not_what_it_is_said_to_be_is_refused() -> None:
    plates, here = Plates(), session()
    plates.rest(here.ear)
    here.zero(0)
    plates.grams[0] = 2000.0
    plates.rest(here.ear)
    here.span(0, 2000.0)
    plates.grams[0] = 1012.0
    plates.rest(here.ear)
    with pytest.raises(NonsenseError, match=r"1000 g come out as 101\d\.\d g, more than 5\.0 g off"):
        here.check(0, 1000.0)


def test_plates_that_touch_are_refused() -> None:
    plates, here = Plates(share=0.4), session()
    plates.rest(here.ear)
    here.zero(0)
    here.zero(1)
    plates.grams[0] = 2000.0
    plates.rest(here.ear)
    with pytest.raises(NonsenseError, match="the plates touch"):
        here.crosstalk(0)


def test_without_a_zero_or_a_rest_nothing_is_taken() -> None:
    plates, here = Plates(), session()
    with pytest.raises(NonsenseError, match="cell 0 says nothing"):
        here.zero(0)
    plates.drift_per_s = 20.0
    plates.rest(here.ear)
    with pytest.raises(NonsenseError, match="does not come to rest"):
        here.zero(0)
    plates.drift_per_s = 0.0
    plates.rest(here.ear)
    with pytest.raises(NonsenseError, match="cell 0 has no zero yet"):
        here.span(0, 2000.0)
    with pytest.raises(NonsenseError, match="has no cell 7; its cells: 0, 1"):
        here.zero(7)
    with pytest.raises(NonsenseError, match="nothing was measured yet"):
        here.found(AT, "")
    here.ear.hear([WeightFault(at_us=1, shelf="aisle-1", cell=0, fault="overload")])
    with pytest.raises(NonsenseError, match="cell 0 cannot weigh: overload"):
        here.zero(0)


def test_a_slow_scale_comes_to_rest_too() -> None:
    ear = Ear("aisle-1", [0])
    for second in range(8):
        ear.hear([WeightSample(at_us=second * 1_000_000, shelf="aisle-1", cell=0, grams=330.0)])
    assert ear.rest(0) == Rest(330.0, 0.0)


def test_other_shelves_are_not_heard() -> None:
    ear = Ear("aisle-1", [0])
    ear.hear([WeightSample(at_us=n * 100_000, shelf="aisle-2", cell=0, grams=1.0) for n in range(30)])
    assert ear.rest(0) is None


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 100.0), st.integers(0, 1000))
def test_noise_is_a_rest_and_a_step_in_it_is_none(mean: float, noise: float, seed: int) -> None:
    rng = Random(seed)
    quiet = [mean + rng.gauss(0.0, noise) for _ in range(25)]
    moved = quiet[:12] + [each + 50 * noise for each in quiet[12:]]
    assert rest_of(moved) is None
    found = rest_of(quiet)
    if found is not None:  # one in some hundred looks as if it crept
        assert abs(found.mean - mean) < 3 * noise


def test_nearly_all_rests_are_found() -> None:
    rng = Random(3)
    found = [rest_of([rng.gauss(500.0, 0.3) for _ in range(20)]) for _ in range(1000)]
    assert sum(each is not None for each in found) > 950


def test_masses_to_take_exist() -> None:
    assert [measure._round_up(grams) for grams in (0.3, 3, 60, 110, 2100)] == [1, 5, 100, 200, 5000]


def spanned(here: Session, plates: Plates, cell: int, grams: float, entered: float) -> None:
    plates.grams = [0.0, 0.0]
    plates.rest(here.ear)
    here.zero(cell)
    plates.grams[cell] = grams
    plates.rest(here.ear)
    here.span(cell, entered)


def kept(factor: float, offset: float = 0.0, serial: str = "") -> Weighing:
    cell = CellSection(cell=0, factor=factor, offset_grams=offset, serial=serial)
    return Weighing(version=1, shelf="aisle-1", made=Made(at=AT), cells=(cell,))


def test_a_factor_far_from_the_one_before_is_asked_about_with_the_mass_that_would_be_right() -> None:
    plates, here = Plates(counts_per_gram=420.5), session(known=kept(1 / 420.5))
    spanned(here, plates, 0, 1000.0, 2000.0)
    [doubt] = here.doubts()
    assert "cell 0: by this, all weighs 2 times what it did" in doubt
    assert "the mass was 1000 g, and not 2000 g" in doubt
    spanned(here, plates, 0, 2000.0, 2000.0)
    assert here.doubts() == []


def test_a_second_mass_or_another_serial_number_answers_the_question() -> None:
    plates, here = Plates(counts_per_gram=420.5), session(known=kept(1 / 210.25))
    spanned(here, plates, 0, 2000.0, 2000.0)
    assert len(here.doubts()) == 1
    here.check(0, 2000.0)  # the same mass again proves nothing
    assert len(here.doubts()) == 1
    plates.grams[0] = 500.0
    plates.rest(here.ear)
    here.check(0, 500.0)
    assert here.doubts() == []
    other = session(known=kept(1 / 210.25, serial="B020"))
    other.ear.hear([Scale(at_us=1, shelf="aisle-1", serial="B021")])
    spanned(other, plates, 0, 2000.0, 2000.0)
    assert other.doubts() == []


def test_a_cell_far_from_the_others_is_asked_about() -> None:
    plates, here = Plates(counts_per_gram=420.5), session()
    spanned(here, plates, 0, 2000.0, 2000.0)
    assert here.doubts() == []
    spanned(here, plates, 1, 2000.0, 4410.0)
    assert [words for words in here.doubts() if "cell 1: its factor is 2.2" in words]


def test_a_carton_left_on_the_plate_at_zero_is_asked_about() -> None:
    plates, here = Plates(), session(known=kept(1.0))
    plates.rest(here.ear)
    here.zero(0)
    assert here.doubts() == []
    plates.grams[0] = 640.0
    plates.rest(here.ear)
    here.zero(0)
    assert "empty, it weighs +640 g beside the zero" in here.doubts()[0]
