"""Two agents at one site whose doors hear each other: what both say of a tag is booked once."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cloud.ledger.database import Database
from cloud.ledger.tables import crossings, tags, tasks
from cloud.ledger.verify import verify
from cloud.masterdata.load import load
from tests.support.ledger import (
    CASE,
    CASE_TAG,
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
from wire.epc import decode
from wire.events import Direction, Event, TagMovement

IN, OUT = Direction.IN, Direction.OUT
ONE, OTHER = "store-042", "store-042-b"
TWO_AGENTS = SITES.replace('edges = ["store-042"]', f'edges = ["{ONE}", "{OTHER}"]').replace(
    "gates = [\n",
    f'gates = [\n  {{ edge = "{OTHER}", gate = "dock-3", outside = "yard", inside = "floor" }},\n',
    1,
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    contents = f"sscc,gtin,quantity\n{PALLET},{CASE},5\n"
    load(database, write_master(tmp_path / "master", sites=TWO_AGENTS, contents=contents), at(0))
    yield database
    with database.read() as connection:
        assert verify(connection) == []
    database.close()


@pytest.fixture
def cloud(database: Database) -> Cloud:
    return Cloud(database)


def here(
    seconds: float, confidence: float = 0.98, outcome: Direction = IN, epc: str = CASE_TAG
) -> TagMovement:
    return crossing(epc, outcome, seconds, confidence=confidence)


def there(
    seconds: float, confidence: float = 0.95, outcome: Direction = IN, epc: str = CASE_TAG
) -> TagMovement:
    return crossing(epc, outcome, seconds, confidence=confidence, gate="dock-3")


def _verdicts(cloud: Cloud) -> list[str]:
    with cloud.database.read() as connection:
        return list(connection.scalars(select(crossings.c.verdict).order_by(crossings.c.edge)))


def _open(cloud: Cloud) -> list[tuple[str, str]]:
    with cloud.database.read() as connection:
        rows = connection.execute(select(tasks).where(tasks.c.closed_at.is_(None)).order_by(tasks.c.id)).all()
    return [(row.kind, row.subject) for row in rows]


@pytest.mark.parametrize("surer_first", [True, False])
def test_what_two_agents_say_within_seconds_is_booked_once_where_it_is_surer(
    cloud: Cloud, surer_first: bool
) -> None:
    told = [(here(10.0), ONE), (there(12.0), OTHER)]
    for event, edge in told if surer_first else told[::-1]:
        cloud.book(event, edge=edge)

    assert cloud.stock(CASE) == {"supplier": -1, "backroom": 1}
    assert _verdicts(cloud) == ["received", "other_door"]
    assert _open(cloud) == [("other_door", f"{OTHER}/dock-3-12.0")]


def test_a_surer_one_takes_over_what_was_booked(cloud: Cloud) -> None:
    cloud.book(here(10.0, 0.92))
    assert cloud.stock(CASE) == {"supplier": -1, "backroom": 1}
    cloud.book(there(9.0, 0.99), edge=OTHER)
    assert cloud.stock(CASE) == {"supplier": -1, "floor": 1}
    assert _open(cloud) == [("other_door", f"{ONE}/dock-1-10.0")]


def test_equally_sure_the_first_in_time_wins(cloud: Cloud) -> None:
    cloud.book(there(12.0, 0.95), edge=OTHER)
    cloud.book(here(10.0, 0.95))
    assert cloud.stock(CASE) == {"supplier": -1, "backroom": 1}


def test_half_a_minute_apart_both_have_happened(cloud: Cloud) -> None:
    cloud.book(here(10.0))
    cloud.book(there(40.0, outcome=OUT), edge=OTHER)
    assert cloud.stock(CASE) == {"supplier": -1, "transit": 1}
    assert _verdicts(cloud) == ["received", "left"]


def test_one_agent_has_decided_between_its_own_doors(cloud: Cloud) -> None:
    cloud.book(here(10.0), crossing(CASE_TAG, OUT, 14.0, gate="dock-2"))
    assert cloud.stock(CASE) == {"supplier": -1, "transit": 1}


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_pallet_that_two_agents_saw_is_unpacked_once(cloud: Cloud, order: Sequence[int]) -> None:
    told: list[tuple[Event, str]] = [
        (here(10.0, epc=PALLET_TAG), ONE),
        (passage("dock-1-10.0", 15.0), ONE),
        (there(11.0, epc=PALLET_TAG), OTHER),
        (passage("dock-3-11.0", 15.0, gate="dock-3"), OTHER),
    ]
    for index in order:
        event, edge = told[index]
        cloud.book(event, edge=edge)

    assert cloud.stock(CASE) == {"supplier": -5, "backroom": 5}


steps = st.tuples(
    st.sampled_from([IN, OUT]),
    st.sampled_from([ONE, OTHER]),
    st.integers(0, 40),
    st.sampled_from([0.91, 0.95, 0.99]),
)
_serials = itertools.count(0x3000)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.timeout(120)
@given(st.lists(steps, min_size=1, max_size=5), st.data())
def test_any_order_of_arrival_gives_the_same_balances(
    database: Database, story: list[tuple[Direction, str, int, float]], data: st.DataObject
) -> None:
    cloud = Cloud(database)

    def told(epc: str, order: Sequence[int]) -> tuple[object, ...]:
        before, site = cloud.stock(CASE), decode(epc).identity
        for n in order:
            outcome, edge, seconds, confidence = story[n]
            event = crossing(
                epc, outcome, 100 + seconds, gate="dock-1" if edge == ONE else "dock-3", confidence=confidence,
                passage=f"{epc}-{n}",
            )  # fmt: skip
            cloud.book(event, edge=edge, run=f"{next(_serials):032x}")
        after = cloud.stock(CASE)
        gained = {place: after.get(place, 0) - before.get(place, 0) for place in before | after}
        with database.read() as connection:
            tag = connection.execute(select(tags).where(tags.c.epc == site)).one()
            verdicts = connection.execute(
                select(crossings.c.passage, crossings.c.verdict).where(crossings.c.epc == site)
            ).all()
        by_step = sorted((row.passage.removeprefix(f"{epc}-"), row.verdict) for row in verdicts)
        return {place: n for place, n in gained.items() if n}, tag.state, tag.location_id, by_step

    one, other = (f"3074257BF7194E4000{next(_serials):06X}" for _ in range(2))
    order = data.draw(st.permutations(range(len(story))))
    assert told(other, order) == told(one, range(len(story)))
