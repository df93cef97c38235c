"""What the demo holds the ledger against."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stockbeat.demo.judge import Booked, Pair, compare_balances, pair, percentiles
from stockbeat.demo.truth import Happened, Move, Places, balances, happened, opening, places

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CASE, CASE_EPC = "80614141123458", "3074257BF7194E4000001A85"
CAN = "09506000134352"
PALLET_EPC = "3174257BF4499602D2000000"
SITES = {
    "site": [
        {
            "gates": [{"edge": "store-042", "gate": "dock-1", "outside": "yard", "inside": "backroom"}],
            "bays": [{"shelf": "aisle-1", "bay": "A1", "backroom": "backroom", "capacity": {CAN: 24}}],
        }
    ]
}  # fmt: skip
WHERE = places(SITES, [CASE, CAN])


def crossed(direction: str, epc: str = CASE_EPC) -> dict[str, object]:
    return {"type": "crossed", "at": NOON.isoformat(), "gate": "dock-1", "epc": epc, "direction": direction}


def shelf(action: str, units: int) -> dict[str, object]:
    return {
        "type": "shelf",
        "at": NOON.isoformat(),
        "action": action,
        "bay": "A1",
        "gtin": CAN,
        "units": units,
    }


def test_places_are_read_from_the_master_data() -> None:
    assert Places({"dock-1": "backroom"}, {"A1": "backroom"}, frozenset({CASE, CAN})) == WHERE


@pytest.mark.parametrize(
    "line, subject, move",
    [
        (crossed("in"), CASE_EPC, Move(CASE, "supplier", "backroom", 1)),
        (crossed("out"), CASE_EPC, Move(CASE, "backroom", "transit", 1)),
        (shelf("pick", -2), "A1", Move(CAN, "A1", "basket", 2)),
        (shelf("put_back", 1), "A1", Move(CAN, "basket", "A1", 1)),
        (shelf("restock", 12), "A1", Move(CAN, "backroom", "A1", 12)),
    ],
)
def test_what_happened_calls_for_one_booking(line: dict[str, object], subject: str, move: Move) -> None:
    assert happened([line], WHERE) == [Happened(NOON, subject, move)]


@pytest.mark.parametrize(
    "line",
    [
        {"type": "start", "at": NOON.isoformat()},
        {"type": "stray", "at": NOON.isoformat(), "gate": "dock-1", "epc": CASE_EPC},
        {"type": "turned_back", "at": NOON.isoformat(), "gate": "dock-1", "epc": CASE_EPC},
        crossed("in", PALLET_EPC),
    ],
)
def test_strays_and_pallets_own_tags_call_for_nothing(line: dict[str, object]) -> None:
    assert happened([line], WHERE) == []


def test_balances_are_opening_and_moves() -> None:
    stock = opening(
        [{"gtin": CAN, "place": "A1", "quantity": "20"}, {"gtin": CASE, "place": "backroom", "quantity": "0"}]
    )
    assert balances([Move(CAN, "A1", "basket", 2), Move(CAN, "basket", "A1", 2)], stock) == {
        ("A1", CAN): 20,
        ("opening", CAN): -20,
    }


PICK = Happened(NOON, "A1", Move(CAN, "A1", "basket", 1))
BOOKED = Booked("A1", PICK.move, NOON + timedelta(seconds=1), NOON + timedelta(seconds=2), None)


def test_a_booking_is_paired_with_what_happened() -> None:
    assert pair([PICK], [BOOKED]) == ([Pair(PICK, BOOKED)], [])


def test_what_was_not_booked_is_said() -> None:
    again = replace(PICK, at=NOON + timedelta(seconds=9))
    assert pair([again, PICK], [BOOKED])[1] == [
        f"not booked: 1 × {CAN} A1 → basket (A1) at 2026-11-22T12:00:09+00:00"
    ]


def test_what_did_not_happen_is_said() -> None:
    assert pair([], [BOOKED])[1] == [
        f"did not happen: 1 × {CAN} A1 → basket (A1) at 2026-11-22T12:00:01+00:00"
    ]


def test_a_wrong_quantity_is_both() -> None:
    two = replace(BOOKED, move=PICK.move._replace(quantity=2))
    assert [said.split(":")[0] for said in pair([PICK], [two])[1]] == ["not booked", "did not happen"]


def test_balances_that_differ_are_named() -> None:
    assert compare_balances({("A1", CAN): 3}, {("A1", CAN): 4, ("basket", CAN): 1}) == [
        f"balance of {CAN} at A1: ledger 4, truth 3",
        f"balance of {CAN} at basket: ledger 1, truth 0",
    ]
    assert compare_balances({("A1", CAN): 3}, {("basket", CAN): 1}, places=frozenset({"backroom"})) == []


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles([float(n) for n in range(1, 101)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert percentiles([0.25]) == {"p50": 0.25, "p95": 0.25, "p99": 0.25}
    assert percentiles([]) is None


def test_what_is_put_and_taken_again_before_it_is_believed_is_no_movement() -> None:
    put, taken = Move(CAN, "basket", "A1", 1), Move(CAN, "A1", "basket", 1)
    soon, late = NOON + timedelta(seconds=9), NOON + timedelta(seconds=20)

    assert pair([Happened(NOON, "A1", put), Happened(soon, "A1", taken)], []) == ([], [])
    assert len(pair([Happened(NOON, "A1", put), Happened(late, "A1", taken)], [])[1]) == 2
    back = [Happened(NOON, "A1", taken), Happened(soon, "A1", put)]
    assert len(pair(back, [])[1]) == 2
    assert pair(back, [], watched=False) == ([], [])
    assert (
        len(pair([Happened(NOON, "A1", put), Happened(soon, "A1", taken._replace(quantity=2))], [])[1]) == 2
    )
