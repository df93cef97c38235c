"""Carries out what is ordered of a shelf. What does not fit is refused in words, before anything has changed."""

from collections.abc import Callable
from dataclasses import replace
from math import isfinite

from edge.aggregator.bay import BayWatch
from edge.aggregator.kept import Assigned
from edge.aggregator.orders import (
    Assign,
    Calibrate,
    Confirm,
    Crosstalk,
    Order,
    OrderError,
    Resume,
    Serve,
    Zero,
)
from edge.aggregator.place import Bay
from edge.aggregator.shelf import ShelfWatch

MOST_SHARE = 0.5  # of a load that shows on another cell


def carry_out(
    order: Order, shelf: ShelfWatch, resting: Callable[[BayWatch], float | None], now_ms: int
) -> bool:
    """`resting`: what a bay weighs, gross, where it is at rest. Returns whether its cells weigh otherwise now.

    Raises:
        OrderError: it does not fit.
    """
    match order:
        case Calibrate():
            _calibrate(order, shelf)
            return True
        case Crosstalk():
            _couple(order, shelf)
            return True
        case _:
            _of_bay(order, shelf, _bay(shelf, order.bay), resting, now_ms)
            return False


def _of_bay(
    order: Serve | Resume | Assign | Confirm | Zero,
    shelf: ShelfWatch,
    bay: BayWatch,
    resting: Callable[[BayWatch], float | None],
    now_ms: int,
) -> None:
    match order:
        case Serve():
            if order.until_ms <= now_ms:
                raise OrderError(
                    f"{_name(bay)}: service would end before it begins; say a time in the future"
                )
            bay.serve(order.until_ms)
        case Resume():
            if not bay.conditions.in_service:
                raise OrderError(f"{_name(bay)} is not in service")
            bay.resume()
        case Assign():
            _assign(order, shelf, bay)
        case Confirm():
            _confirm(order, shelf, bay, resting(bay))
        case Zero():
            gross = resting(bay)
            if gross is None:
                raise OrderError(
                    f"{_name(bay)} is not at rest; take your hands off, wait two seconds and try again"
                )
            shelf.believe(bay)
            shelf.assign(bay, Assigned.of(replace(bay.bay, tare_grams=gross)))
            bay.confirm({}, gross)


def _assign(order: Assign, shelf: ShelfWatch, bay: BayWatch) -> None:
    gtins = [item.gtin for item in order.items]
    if len(set(gtins)) < len(gtins):
        raise OrderError(f"{_name(bay)}: an item is named twice; name each once")
    for item in order.items:
        if not (isfinite(item.unit_grams) and item.unit_grams > 0):
            raise OrderError(f"{_name(bay)}: a unit of {item.gtin} weighs more than {item.unit_grams} g")
    if order.capacity is not None and order.capacity < 1:
        raise OrderError(f"{_name(bay)}: a capacity is at least 1, not {order.capacity}")
    tare = bay.bay.tare_grams if order.tare_grams is None else order.tare_grams
    planned = replace(
        bay.bay,
        items=order.items,
        capacity=order.capacity,
        facings=order.facings,
        low=order.low,
        tare_grams=tare,
        parts=order.parts,
    )
    stays = _weighs(planned) == _weighs(bay.bay)
    shelf.assign(bay, Assigned.of(planned))
    bay.assigned(stays)


def _weighs(bay: Bay) -> tuple[float, frozenset[tuple[str, float, float]]]:
    """By what its count was made."""
    return bay.tare_grams, frozenset((i.gtin, i.unit_grams, i.unit_tare_grams) for i in bay.items)


def _confirm(order: Confirm, shelf: ShelfWatch, bay: BayWatch, gross: float | None) -> None:
    known = [item.gtin for item in bay.bay.items]
    for gtin, units in order.counts.items():
        if gtin not in known:
            there = ", ".join(known) or "none"
            raise OrderError(f"{_name(bay)} does not hold {gtin}; its items: {there}. Assign it first")
        if units < 0:
            raise OrderError(f"{_name(bay)}: {units} of {gtin} cannot stand there")
    shelf.believe(bay)
    bay.confirm(order.counts, gross)


def _calibrate(order: Calibrate, shelf: ShelfWatch) -> None:
    if order.cell not in shelf.cells:
        there = ", ".join(map(str, sorted(shelf.cells)))
        raise OrderError(f"shelf {order.shelf!r} has no cell {order.cell}; its cells: {there}")
    if not (isfinite(order.factor) and order.factor != 0.0 and isfinite(order.offset_grams)):
        raise OrderError(
            f"factor {order.factor} and offset {order.offset_grams} g: numbers, and the factor not 0"
        )
    shelf.calibrated(order.cell, order.factor, order.offset_grams, (order.serial, order.calibration))


def _couple(order: Crosstalk, shelf: ShelfWatch) -> None:
    for (loaded, shown), share in order.matrix.items():
        if loaded == shown or not {loaded, shown} <= set(shelf.cells):
            there = ", ".join(map(str, sorted(shelf.cells)))
            raise OrderError(f"from cell {loaded} to cell {shown}: two different cells of {there}")
        if not (isfinite(share) and abs(share) <= MOST_SHARE):
            raise OrderError(
                f"from cell {loaded} to cell {shown}: a share of {share} is more than {MOST_SHARE:.0%}"
            )
    shelf.coupled(order.matrix)
    for bay in shelf.bays:
        bay.renew()


def _bay(shelf: ShelfWatch, name: str) -> BayWatch:
    for bay in shelf.bays:
        if bay.bay.name == name:
            return bay
    there = ", ".join(bay.bay.name for bay in shelf.bays)
    raise OrderError(f"shelf {shelf.shelf.name!r} has no bay {name!r}; its bays: {there}")


def _name(bay: BayWatch) -> str:
    return f"{bay.shelf}/{bay.bay.name}"
