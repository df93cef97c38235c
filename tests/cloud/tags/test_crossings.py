"""What gates say, booked by each tag's story, on SQLite."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cloud.ingest.retry import retry
from cloud.ledger.database import Database
from cloud.ledger.tables import crossings, incidents, movements, tags, tasks, unit_contents
from cloud.ledger.verify import verify
from cloud.masterdata.load import load
from tests.support.ledger import (
    CASE,
    CASE_TAG,
    ITEMS,
    PALLET,
    PALLET_TAG,
    SITES,
    Cloud,
    at,
    crossing,
    new_ledger,
    passage,
    write_master,
)
from wire.events import Direction, Event

IN, OUT = Direction.IN, Direction.OUT
RAW = "AD02000000000000000000FF"  # no scheme, and no item's prefix


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    load(database, write_master(tmp_path / "master"), at(0))
    yield database
    with database.read() as connection:
        assert verify(connection) == []
    database.close()


@pytest.fixture
def cloud(database: Database) -> Cloud:
    return Cloud(database)


def _open(cloud: Cloud, what: Any) -> list[tuple[str, str, list[str]]]:
    """Kind, subject and tags of what is open."""
    with cloud.database.read() as connection:
        rows = connection.execute(select(what).where(what.c.closed_at.is_(None)).order_by(what.c.id)).all()
    return [(row.kind, row.subject, [tag["epc"] for tag in row.details.get("tags", ())]) for row in rows]


def _tag(cloud: Cloud, epc: str = CASE_TAG) -> Any:
    with cloud.database.read() as connection:
        return connection.execute(select(tags).where(tags.c.epc == epc)).one()


def _verdicts(cloud: Cloud) -> list[str]:
    with cloud.database.read() as connection:
        return list(connection.scalars(select(crossings.c.verdict).order_by(crossings.c.at)))


def test_an_unknown_tag_coming_in_is_received_from_the_supplier(cloud: Cloud) -> None:
    cloud.book(crossing())
    assert cloud.stock(CASE) == {"supplier": -1, "backroom": 1}
    assert (_tag(cloud).state, _tag(cloud).judged_at) == ("inside", at(2.7))


def test_one_that_is_inside_and_comes_in_again_has_left_unseen(cloud: Cloud) -> None:
    cloud.book(crossing(seconds=1), crossing(seconds=100, passage="again"))
    assert cloud.stock(CASE) == {"supplier": -1, "backroom": 1}
    assert _open(cloud, tasks) == [("missed_exit", "store-042/again", [CASE_TAG])]


def test_the_exit_that_was_missed_may_still_come(cloud: Cloud) -> None:
    cloud.book(crossing(seconds=1), crossing(seconds=100, passage="again"))
    cloud.book(crossing(seconds=50, outcome=OUT))
    assert cloud.stock(CASE) == {"supplier": -1, "returns-hold": 1}
    assert _open(cloud, tasks) == [("returned", "store-042/again", [CASE_TAG])]
    assert _verdicts(cloud) == ["received", "left", "returned"]
    with cloud.database.read() as connection:
        late = connection.execute(select(movements).where(movements.c.kind == "late")).one()
    assert (late.event_at, late.quantity) == (at(50), 1)


def test_one_that_leaves_unexpectedly_is_in_transit_and_comes_back_on_hold(cloud: Cloud) -> None:
    cloud.book(crossing(seconds=1), crossing(seconds=2, outcome=OUT, passage="out"))
    assert cloud.stock(CASE) == {"supplier": -1, "transit": 1}
    assert _open(cloud, incidents) == [("left_unexpectedly", "store-042/out", [CASE_TAG])]
    cloud.book(crossing(seconds=3))
    assert cloud.stock(CASE) == {"supplier": -1, "returns-hold": 1}
    assert _tag(cloud).state == "returned"


def test_a_doorway_moves_between_our_own_places(cloud: Cloud) -> None:
    cloud.book(crossing(seconds=1), crossing(seconds=2, gate="door-1"))
    assert cloud.stock(CASE) == {"supplier": -1, "floor": 1}
    cloud.book(crossing(seconds=3, gate="door-1", outcome=OUT))
    assert cloud.stock(CASE) == {"supplier": -1, "backroom": 1}


def test_turned_back_undecided_and_unsure_book_nothing(cloud: Cloud) -> None:
    cloud.book(
        crossing(outcome=Direction.TURNED_BACK, passage="a"),
        crossing(outcome=Direction.UNDECIDED, passage="b"),
        crossing(confidence=0.89, passage="c"),
    )
    assert cloud.stock(CASE) == {}
    assert [task[1] for task in _open(cloud, tasks)] == ["store-042/b", "store-042/c"]


def test_the_same_passage_told_by_another_run_is_booked_once(cloud: Cloud) -> None:
    cloud.book(crossing(seconds=1, passage="p"))
    cloud.book(crossing(seconds=1, passage="p"), run="e" * 32)
    assert cloud.stock(CASE) == {"supplier": -1, "backroom": 1}


def test_another_tid_under_the_same_epc_is_held(cloud: Cloud) -> None:
    cloud.book(crossing(seconds=1, tid="E280"), crossing(seconds=2, outcome=OUT, tid="E281", passage="x"))
    assert cloud.stock(CASE) == {"supplier": -1, "backroom": 1}
    assert _open(cloud, incidents) == [("duplicate_encoding", "store-042/x", [CASE_TAG])]
    assert _tag(cloud).tid == "E280"


def test_assets_are_never_stock(cloud: Cloud) -> None:
    cloud.book(crossing("3314257BF40C0E400000162E"), crossing("3474257BF40000000000162E"))
    assert _verdicts(cloud) == ["ignored", "ignored"]
    assert _open(cloud, tasks) == []


def test_a_tag_that_no_item_claims_is_booked_at_its_own_time_once_identified(
    cloud: Cloud, tmp_path: Path
) -> None:
    cloud.book(crossing(RAW, seconds=1, passage="p"), crossing(RAW, seconds=5, outcome=OUT, passage="q"))
    assert _open(cloud, tasks) == [
        ("identify", "store-042/p", [RAW]),
        ("identify", "store-042/q", [RAW]),
    ]

    claimed = ITEMS + "09506000522135,Honey,each,490,C,AD AD02\n"
    load(cloud.database, write_master(tmp_path / "more", items=claimed), at(10))
    assert retry(cloud.database, at(20)).identified == 1

    assert cloud.stock("09506000522135") == {"supplier": -1, "transit": 1}
    assert _open(cloud, tasks) == []
    assert [incident[0] for incident in _open(cloud, incidents)] == ["left_unexpectedly"]
    with cloud.database.read() as connection:
        rows = connection.execute(select(movements).where(movements.c.kind.in_(("receipt", "exit")))).all()
    assert [(row.event_at, row.recorded_at) for row in rows] == [(at(1), at(20)), (at(5), at(20))]
    assert retry(cloud.database, at(30)).identified == 0


def test_a_crossing_may_identify_the_tags_past_with_itself(cloud: Cloud, tmp_path: Path) -> None:
    cloud.book(crossing(RAW, seconds=1))
    claimed = ITEMS + "09506000522135,Honey,each,490,C,AD02\n"
    load(cloud.database, write_master(tmp_path / "more", items=claimed), at(10))
    cloud.book(crossing(RAW, seconds=5, outcome=OUT))
    assert cloud.stock("09506000522135") == {"supplier": -1, "transit": 1}
    assert retry(cloud.database, at(30)).identified == 0


def test_the_longest_prefix_claims(cloud: Cloud, tmp_path: Path) -> None:
    claimed = ITEMS + "09506000522135,Honey,each,490,C,AD0202\n09506000522067,Tea,each,110,C,AD02\n"
    load(cloud.database, write_master(tmp_path / "more", items=claimed), at(10))
    cloud.book(crossing("AD0202000000000000000001"), crossing("AD0203000000000000000001"))
    assert cloud.stock("09506000522135")["backroom"] == cloud.stock("09506000522067")["backroom"] == 1


def test_passages_of_one_load_share_their_tasks(cloud: Cloud) -> None:
    unsure = {"outcome": Direction.UNDECIDED, "confidence": 0.5}
    cloud.book(crossing(CASE_TAG, passage="p1", **unsure), passage("p1"))  # type: ignore[arg-type]  # plain keywords
    cloud.book(crossing(CASE_TAG[:-2] + "86", passage="p2", **unsure), passage("p2", load="p1"))  # type: ignore[arg-type]  # as above
    assert _open(cloud, tasks) == [("undecided", "store-042/p1", [CASE_TAG, CASE_TAG[:-2] + "86"])]


def _child(n: int) -> str:
    return f"3074257BF7194E400000{n:04X}"


@pytest.fixture
def declared(cloud: Cloud, tmp_path: Path) -> Cloud:
    contents = f"sscc,gtin,quantity\n{PALLET},{CASE},5\n"
    load(cloud.database, write_master(tmp_path / "declared", contents=contents), at(0))
    return cloud


def _pallet(children: int = 3) -> list[Event]:
    own = [crossing(_child(n), seconds=n, passage="p") for n in range(1, children + 1)]
    return [*own, crossing(PALLET_TAG, seconds=9, passage="p"), passage("p", 10)]


def test_a_unit_books_what_it_declares_less_what_was_read_beside_it(declared: Cloud) -> None:
    declared.book(*_pallet(3))

    assert declared.stock(CASE) == {"supplier": -5, "backroom": 5}
    with declared.database.read() as connection:
        share = connection.execute(select(unit_contents)).one()
        unit = connection.execute(
            select(movements).where(movements.c.kind == "receipt").order_by(movements.c.position.desc())
        ).first()
    assert (share.declared, share.read, share.quantity) == (5, 3, 2)
    assert unit is not None
    assert (unit.quantity, unit.evidence["epc"]) == (2, PALLET_TAG)
    assert _tag(declared, _child(1)).parent == PALLET_TAG


def test_a_child_that_is_told_late_is_no_more_than_declared(declared: Cloud) -> None:
    children = _pallet(3)
    declared.book(*children[1:])
    assert declared.stock(CASE)["backroom"] == 5
    declared.book(children[0])
    assert declared.stock(CASE) == {"supplier": -5, "backroom": 5}
    assert _tag(declared, _child(1)).parent == PALLET_TAG


def test_the_order_of_a_loads_events_does_not_matter(declared: Cloud) -> None:
    declared.book(*reversed(_pallet(3)))
    assert declared.stock(CASE) == {"supplier": -5, "backroom": 5}


def test_what_was_not_read_leaves_with_its_unit(declared: Cloud) -> None:
    declared.book(*_pallet(3))
    declared.book(crossing(PALLET_TAG, OUT, 100, passage="q"), passage("q", 105))
    assert declared.stock(CASE) == {"supplier": -5, "backroom": 3, "transit": 2}
    assert [one[0] for one in _open(declared, incidents)] == ["left_unexpectedly"]


def test_a_unit_without_contents_moves_no_stock_until_they_are_declared(cloud: Cloud, tmp_path: Path) -> None:
    cloud.book(*_pallet(2))
    assert cloud.stock(CASE) == {"supplier": -2, "backroom": 2}
    contents = f"sscc,gtin,quantity\n{PALLET},{CASE},5\n"
    load(cloud.database, write_master(tmp_path / "declared", contents=contents), at(20))
    retry(cloud.database, at(21))
    assert cloud.stock(CASE) == {"supplier": -5, "backroom": 5}


@pytest.mark.parametrize("policy", ["read", "hold"])
def test_a_site_may_not_take_a_declarations_word(cloud: Cloud, tmp_path: Path, policy: str) -> None:
    sites = SITES.replace('edges = ["store-042"]', f'edges = ["store-042"]\nsscc_policy = "{policy}"')
    contents = f"sscc,gtin,quantity\n{PALLET},{CASE},5\n"
    load(cloud.database, write_master(tmp_path / "declared", contents=contents, sites=sites), at(0))
    cloud.book(*_pallet(3))
    assert cloud.stock(CASE) == {"supplier": -3, "backroom": 3}
    assert [(kind, subject) for kind, subject, _ in _open(cloud, tasks)] == [("not_read", PALLET)]


steps = st.tuples(st.sampled_from([IN, OUT]), st.sampled_from(["dock-1", "dock-2", "door-1"]), st.booleans())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.timeout(120)
@given(st.lists(steps, min_size=1, max_size=6), st.data())
def test_the_order_of_arrival_never_matters(
    database: Database, story: Sequence[tuple[Direction, str, bool]], data: st.DataObject
) -> None:
    """The same crossings of two tags, told in order to one and in any order and portions to the other."""
    serial = next(_serials)
    in_order, shuffled = _child(serial), _child(serial + 1)

    def told(epc: str) -> list[Event]:
        return [
            crossing(
                epc,
                outcome,
                10 + n // 2,
                gate=gate,
                tid="E281" if other_tid else "E280",
                passage=f"{epc}-{n}",
            )
            for n, (outcome, gate, other_tid) in enumerate(story)
        ]

    cloud = Cloud(database)
    cloud.book(*told(in_order), run=f"{serial:032x}")
    expected = _net(database, in_order)
    order = data.draw(st.permutations(told(shuffled)))
    cut = data.draw(st.integers(0, len(order)))
    cloud.book(*order[:cut], run=f"{serial + 1:032x}")
    cloud.book(*order[cut:], run=f"{serial + 1:032x}")

    assert _net(database, shuffled) == expected
    one, other = _tag(cloud, in_order), _tag(cloud, shuffled)
    assert (one.state, one.location_id, one.tid) == (other.state, other.location_id, other.tid)


_serials = itertools.count(0x2000, 2)


def _net(database: Database, epc: str) -> dict[int, int]:
    net: dict[int, int] = {}
    with database.read() as connection:
        for row in connection.execute(select(movements)):
            if row.evidence.get("epc") == epc:
                net[row.src_id] = net.get(row.src_id, 0) - row.quantity
                net[row.dst_id] = net.get(row.dst_id, 0) + row.quantity
    return {place: quantity for place, quantity in net.items() if quantity}


def test_a_tag_that_moves_to_another_site_leaves_the_first(cloud: Cloud) -> None:
    cloud.book(crossing(seconds=1))
    cloud.book(crossing(seconds=50), edge="store-007")
    assert cloud.stock(CASE) == {"supplier": -1, "transit": 1}
    assert cloud.stock(CASE, "store-007") == {"transit": -1, "backroom": 1}
