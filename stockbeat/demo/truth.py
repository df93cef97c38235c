"""What really happened, as the simulators wrote it down, and what the ledger should therefore say. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from wire.epc import decode

SUPPLIER, TRANSIT, BASKET, OPENING = "supplier", "transit", "basket", "opening"


class Move(NamedTuple):
    """One booking: `quantity` units of `gtin` from one place to another."""

    gtin: str
    src: str
    dst: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that really happened, and the booking it calls for. `subject` is an EPC or a bay."""

    at: datetime
    subject: str
    move: Move


@dataclass(frozen=True, slots=True)
class Places:
    """Where the site's master data puts things."""

    inside: Mapping[str, str]  # gate -> the place behind it
    backroom: Mapping[str, str]  # bay -> where its refills come from
    gtins: frozenset[str]  # the items there are


def places(sites: Mapping[str, Any], gtins: Iterable[str]) -> Places:
    """Read what sites.toml says of gates and bays."""
    site = sites["site"][0]
    return Places(
        inside={gate["gate"]: gate["inside"] for gate in site["gates"]},
        backroom={bay["bay"]: bay["backroom"] for bay in site["bays"]},
        gtins=frozenset(gtins),
    )


def happened(lines: Iterable[Mapping[str, Any]], where: Places) -> list[Happened]:
    """The bookings that the truth calls for, in its order. Strays and what turned back call for none."""
    out: list[Happened] = []
    for line in lines:
        move = None
        if line["type"] == "crossed":
            subject = line["epc"]
            move = _crossed(line, where)
        elif line["type"] == "shelf":
            subject = line["bay"]
            move = _shelf(line, where)
        if move is not None:
            out.append(Happened(datetime.fromisoformat(line["at"]), subject, move))
    return out


def _crossed(line: Mapping[str, Any], where: Places) -> Move | None:
    gtin = decode(line["epc"]).gtin
    if gtin not in where.gtins:
        return None  # a pallet's own SSCC moves no stock
    inside = where.inside[line["gate"]]
    if line["direction"] == "in":
        return Move(gtin, SUPPLIER, inside, 1)
    return Move(gtin, inside, TRANSIT, 1)  # left with nothing expecting it: held outside until a person looks


def _shelf(line: Mapping[str, Any], where: Places) -> Move:
    bay, gtin, units = line["bay"], line["gtin"], line["units"]
    match line["action"]:
        case "pick":
            return Move(gtin, bay, BASKET, -units)
        case "put_back":
            return Move(gtin, BASKET, bay, units)
        case "restock":
            return Move(gtin, where.backroom[bay], bay, units)
        case action:
            raise ValueError(f"truth names an action {action!r}, expected pick, put_back or restock")


def balances(moves: Iterable[Move], opening: Iterable[Move]) -> dict[tuple[str, str], int]:
    """Units by (place, gtin) after these moves; places where nothing is left are absent."""
    total: Counter[tuple[str, str]] = Counter()
    for move in (*opening, *moves):
        total[move.src, move.gtin] -= move.quantity
        total[move.dst, move.gtin] += move.quantity
    return {place: quantity for place, quantity in total.items() if quantity}


def opening(rows: Iterable[Mapping[str, str]]) -> list[Move]:
    """What opening.csv books."""
    return [
        Move(row["gtin"], OPENING, row["place"], int(row["quantity"])) for row in rows if int(row["quantity"])
    ]
