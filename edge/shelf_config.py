"""The shelves of the edge's configuration: bays, what stands on them, and how their cells weigh."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    ValidationInfo,
    field_validator,
    model_validator,
)

from edge import weighing
from edge.errors import ConfigError
from edge.problems import NAME
from edge.readers import ReaderConfig
from edge.readers.hx711_lines.config import Hx711LinesConfig
from edge.readers.modbus_scale.config import ModbusScaleConfig
from edge.readers.mqtt_scale.config import MqttScaleConfig
from edge.section import Section
from edge.weighing import Share, ShelfFile
from wire.epc import check_digit

Name = Annotated[str, Field(pattern=NAME)]


def _gtin14(gtin: str) -> str:
    """The 14-digit form of a GTIN-8, -12, -13 or -14, its check digit proven (GS1 General Specifications, 7.9)."""
    if not (gtin.isascii() and gtin.isdigit() and len(gtin) in (8, 12, 13, 14)):
        raise ValueError(f"a GTIN has 8, 12, 13 or 14 digits, not {gtin!r}")
    body = gtin.zfill(14)[:13]
    if (right := check_digit(body)) != gtin[-1]:
        raise ValueError(f"the check digit of {gtin} should be {right}")
    return body + gtin[-1]


Gtin = Annotated[str, AfterValidator(_gtin14)]


class ItemConfig(Section):
    gtin: Gtin
    unit_grams: float = Field(gt=0, le=1e6)
    # Spread of one unit's weight over its mean. The default is the median of 79 kinds of shop goods, 292 units weighed
    # (Ruiz et al., "AIM3S", BuildSys 2019: product_info.json of its data set).
    unit_cv: float = Field(0.013, ge=0, le=0.5)
    unit_tare_grams: float = Field(
        0.0, ge=0, le=1e6
    )  # of a tray or hanger that comes and goes with each unit
    # Of this item alone, where the bay holds several; left out, the bay's, of which each has an equal share.
    capacity: int | None = Field(None, ge=1, le=1_000_000)
    facings: int | None = Field(None, ge=1, le=10_000)
    low: int | None = Field(None, ge=0, le=1_000_000)


class BayConfig(Section):
    name: Name
    cells: tuple[Annotated[int, Field(ge=0, le=65_535)], ...]  # also written `cell = 0`
    capacity: int = Field(ge=1, le=1_000_000)  # units, of all items together
    tare_grams: float = Field(0.0, ge=0, le=1e6)  # of tray, pusher, hanger
    facings: int | None = Field(None, ge=1, le=10_000)  # units side by side in front, for planograms
    low: int | None = Field(
        None, ge=0, le=1_000_000
    )  # fewer units than this are few; a quarter of the capacity
    items: tuple[ItemConfig, ...]

    @model_validator(mode="before")
    @classmethod
    def _one_cell(cls, bay: Any) -> Any:
        if not isinstance(bay, dict):
            return bay
        if "cell" in bay and "cells" in bay:
            raise ValueError("has both cell and cells; write one of them")
        if "cell" in bay:
            bay = {key: value for key, value in bay.items() if key != "cell"} | {"cells": (bay["cell"],)}
        return bay

    @field_validator("low", "facings")
    @classmethod
    def _fits(cls, units: int | None, info: ValidationInfo) -> int | None:
        capacity = info.data.get("capacity")  # not there when it is wrong itself
        if units is not None and capacity is not None and units > capacity:
            raise ValueError(f"{units} is more than the capacity of {capacity}; write a number up to it")
        return units

    @field_validator("cells")
    @classmethod
    def _some_cell(cls, cells: tuple[int, ...]) -> tuple[int, ...]:
        if not cells:
            raise ValueError("is empty; name at least one cell of the scale")
        return cells

    @field_validator("items")
    @classmethod
    def _fit(cls, items: tuple[ItemConfig, ...], info: ValidationInfo) -> tuple[ItemConfig, ...]:
        room = info.data.get("capacity")  # not there when it is wrong itself
        together = sum(item.capacity or 0 for item in items)
        if room is not None and together > room:
            raise ValueError(
                f"have capacities of {together} together, more than the {room} that the bay has; "
                f"write capacity = {together} for the bay, or less for its items"
            )
        return items


def _calibrated(path: object, info: ValidationInfo) -> object:
    """The file that a shelf names, from the configuration's own folder."""
    if isinstance(path, ShelfFile) or path is None:
        return path
    if not isinstance(path, str) or not path:
        raise ValueError(
            f'name the file that `stockbeat shelves calibrate` wrote, "aisle-1.shelf.toml", not {path!r}'
        )
    context = info.context or {}
    folder: Path = context.get("folder", Path())
    if context.get("calibrating") == info.data.get("name", "") and not (folder / path).exists():
        return None  # it is about to be written
    if not (folder / path).exists():
        raise ValueError(
            f"{folder / path} is not there, so nothing would be weighed right; not calibrated yet: run `stockbeat "
            f"shelves calibrate --config edge.toml --shelf {info.data.get('name', 'NAME')}`, which writes it"
        )
    try:
        return weighing.load(folder / path)
    except ConfigError as error:
        raise ValueError(str(error)) from None


class ShelfConfig(Section):
    name: Name
    reader: ReaderConfig | None = None
    bays: tuple[BayConfig, ...]
    crosstalk: tuple[Share, ...] = ()  # what shows on a cell of a load on another; goes before the file's
    # How its cells weigh; written as the path of a file, relative to this one.
    calibration: Annotated[InstanceOf[ShelfFile] | None, BeforeValidator(_calibrated)] = None

    @field_validator("bays")
    @classmethod
    def _some_bay(cls, bays: tuple[BayConfig, ...]) -> tuple[BayConfig, ...]:
        if not bays:
            raise ValueError("is empty; a shelf has at least one bay")
        return bays

    @field_validator("bays")
    @classmethod
    def _weighed(cls, bays: tuple[BayConfig, ...], info: ValidationInfo) -> tuple[BayConfig, ...]:
        reader = info.data.get("reader")  # not there when it is wrong itself
        there = (
            reader.weighs
            if isinstance(reader, Hx711LinesConfig | ModbusScaleConfig | MqttScaleConfig)
            else None
        )
        for bay in bays:
            if there is not None and (unknown := [cell for cell in bay.cells if cell not in there]):
                raise ValueError(
                    f"{bay.name} is on cell {unknown[0]}, of which the reader says nothing; it tells of cells "
                    f"{', '.join(map(str, there))}"
                )
        return bays

    @field_validator("crosstalk")
    @classmethod
    def _between_its_cells(cls, shares: tuple[Share, ...], info: ValidationInfo) -> tuple[Share, ...]:
        cells = _cells_of(info)
        for share in shares:
            if share.from_ == share.to:
                raise ValueError(f"from and to are both cell {share.to}; it is between two cells")
            if cells is not None and (unknown := {share.from_, share.to} - cells):
                there = ", ".join(map(str, sorted(cells)))
                raise ValueError(f"cell {min(unknown)} is not among the shelf's: {there}")
        if len({(share.from_, share.to) for share in shares}) < len(shares):
            raise ValueError("says two shares from one cell to another; keep one")
        return shares

    @field_validator("calibration")
    @classmethod
    def _of_this_shelf(cls, found: ShelfFile | None, info: ValidationInfo) -> ShelfFile | None:
        cells = _cells_of(info)
        known = found is not None and cells is not None and "name" in info.data
        if found and cells and known and (misfit := found.misfit(info.data["name"], cells)):
            raise ValueError(misfit)
        return found

    @field_validator("reader")
    @classmethod
    def _reads_weights(cls, reader: ReaderConfig | None) -> ReaderConfig | None:
        if reader is not None and reader.yields != "weights":
            raise ValueError(f"driver {reader.driver!r} reads {reader.yields}; a shelf needs one that weighs")
        return reader


def _cells_of(info: ValidationInfo) -> frozenset[int] | None:
    """The shelf's cells; None where its bays are wrong themselves."""
    bays = info.data.get("bays")
    return None if bays is None else frozenset(cell for bay in bays for cell in bay.cells)
