"""Shelves in edge.toml, and the file that says how their cells weigh."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import weighing
from edge.build import shelf_of
from edge.config import load
from edge.errors import ConfigError
from edge.weighing import CellSection, Made, Share, Weighing, written

EDGE = """
edge = "store-042"
[[shelves]]
name = "aisle-1"
{more}
[[shelves.bays]]
name = "A1"
cell = 0
capacity = 24
tare_grams = 150.0
facings = 4
low = 3
items = [ {{ gtin = "09506000134352", unit_grams = 330.0, unit_tare_grams = 12.0 }} ]
[[shelves.bays]]
name = "A2"
cells = [1, 2]
capacity = 12
items = [ {{ gtin = "09506000211008", unit_grams = 505.0 }} ]
"""
FILE = Weighing(
    version=1,
    shelf="aisle-1",
    made=Made(at=datetime(2026, 11, 22, 9, tzinfo=UTC), by='the "manager"', remark="5 kg\nM1"),
    cells=(CellSection(cell=0, factor=1.02, offset_grams=-3.5, serial="1127", calibration="7"),),
    crosstalk=(Share.model_validate({"from": 0, "to": 1, "share": 0.02}),),
)


def configured(folder: Path, more: str = "") -> Path:
    path = folder / "edge.toml"
    path.write_text(EDGE.format(more=more))
    return path


@pytest.mark.parametrize("key, before", [("low", "low = 3"), ("facings", "facings = 4")])
def test_no_more_can_be_few_or_stand_in_front_than_fit(tmp_path: Path, key: str, before: str) -> None:
    path = configured(tmp_path)
    text = path.read_text()
    path.write_text(text.replace(before, f"{key} = 24"))
    load(path)

    path.write_text(text.replace(before, f"{key} = 40"))

    with pytest.raises(
        ConfigError, match=rf"{key}.*40 is more than the capacity of 24; write a number up to"
    ):
        load(path)


def test_what_is_written_reaches_the_aggregator(tmp_path: Path) -> None:
    (tmp_path / "aisle-1.shelf.toml").write_text(written(FILE))
    more = 'calibration = "aisle-1.shelf.toml"\ncrosstalk = [ { from = 1, to = 0, share = 0.01 } ]'

    shelf = shelf_of(load(configured(tmp_path, more)).shelves[0])

    assert shelf.factors == {0: (1.02, -3.5)}
    assert shelf.scales == {0: ("1127", "7")}
    assert shelf.crosstalk == {(0, 1): 0.02, (1, 0): 0.01}
    first, second = shelf.bays
    assert (first.facings, first.low, first.tare_grams, first.items[0].gross_grams) == (4, 3, 150.0, 342.0)
    assert (second.cells, second.facings, second.low) == ((1, 2), None, None)


@pytest.mark.parametrize(
    "more, says",
    [
        ("crosstalk = [ { from = 0, to = 0, share = 0.02 } ]", "from and to are both cell 0"),
        ("crosstalk = [ { from = 0, to = 7, share = 0.02 } ]", "cell 7 is not among the shelf's: 0, 1, 2"),
        ("crosstalk = [ { from = 0, to = 1, share = 2.0 } ]", "must be at most 0.5"),
        (
            "crosstalk = [ { from = 0, to = 1, share = 0.1 }, { from = 0, to = 1, share = 0.2 } ]",
            "two shares from one cell to another",
        ),
        (
            'calibration = "nowhere.toml"',
            "nowhere.toml is not there.*not calibrated yet: run .*--shelf aisle-1`",
        ),
        ("calibration = 7", "name the file that `stockbeat shelves calibrate` wrote"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, more: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(configured(tmp_path, more))


def test_a_file_of_another_shelf_or_cell_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.shelf.toml"
    for file, says in (
        (FILE.model_copy(update={"shelf": "aisle-2"}), "made for shelf 'aisle-2', not 'aisle-1'"),
        (FILE.model_copy(update={"cells": (CellSection(cell=9),)}), "knows cell 9, which is not among"),
    ):
        other.write_text(written(file))
        with pytest.raises(ConfigError, match=says):
            load(configured(tmp_path, 'calibration = "other.shelf.toml"'))


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.floats(-1e6, 1e6), st.floats(-1e8, 1e8)
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, by: str, factor: float, offset: float
) -> None:
    file = FILE.model_copy(
        update={
            "made": Made(at=FILE.made.at, by=by),
            "cells": (CellSection(cell=3, factor=factor, offset_grams=offset, serial=by),),
        }
    )
    path = tmp_path_factory.getbasetemp() / "back.shelf.toml"
    path.write_text(written(file), "utf-8", newline="\n")

    assert weighing.load(path).values == file


def test_a_file_with_nonsense_is_refused_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "x.shelf.toml"
    path.write_text(
        'version = 2\nshelf = "aisle 1"\nmade = { at = 2026-11-22T09:00:00Z }\n[[cells]]\nfactor = 1.0\n'
    )

    with pytest.raises(ConfigError) as caught:
        weighing.load(path)

    assert [word in str(caught.value) for word in ("version", "shelf", "cells[1].cell: is needed")] == [
        True
    ] * 3
