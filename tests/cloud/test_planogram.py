"""The planogram: read from files and said back, kept with its history, and told to the edges that it concerns."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from cloud.errors import MasterDataError
from cloud.ledger.tables import (
    bay_items,
    commands,
    edges,
    locations,
    planogram_changes,
    planogram_told,
    tasks,
)
from cloud.masterdata.load import load
from cloud.planner import Planner
from cloud.planogram import store
from cloud.planogram.files import BayName, Written, draft, read, to_csv, to_toml
from cloud.planogram.plan import Plan, PlanogramError, Stand, read_stands
from tests.support.ledger import CAN, Cloud, at, change, new_ledger, write_master
from wire.codec import decode_command
from wire.commands import Assign, AssignedItem

TEA, JAM = "09506000211008", "09506000312071"
AUTHOR = store.Author(by="manager", source="test", at=at(100))


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Cloud(database, write_master(tmp_path / "master"))
    database.close()


def bays(cloud: Cloud) -> dict[str, store.Known]:
    with cloud.database.read() as connection:
        return {bay.name.bay: bay for bay in store.known(connection)}


def plan(cloud: Cloud, bay: str) -> Plan:
    return bays(cloud)[bay].plan


def make(cloud: Cloud, bay: str, *stands: Stand, author: store.Author = AUTHOR) -> list[int]:
    with cloud.database.write() as connection:
        return store.change(connection, {bays(cloud)[bay].location_id: tuple(stands)}, author)


def parse(text: str, name: str) -> list[Written]:
    """Of a file of which nothing is wrong by itself."""
    found = draft(text, name)
    found.refuse()
    return list(found.bays)


def resolved(cloud: Cloud, text: str, name: str = "p.csv") -> dict[int, Plan]:
    with cloud.database.read() as connection:
        return store.resolve(connection, draft(text, name))


CSV = f"""site,edge,shelf,bay,gtin,capacity,facings,low,unit_grams,unit_tare_grams,unit_cv
store-042,store-042,aisle-1,A1,{CAN},24,3,6,331.5,,0.02
,,aisle-1,A2,{TEA},12,,,,,
,,aisle-1,A2,{JAM},10,2,0,,18,
"""
TOML = f"""
[[bay]]
shelf = "aisle-1"
bay = "A1"
items = [ {{ gtin = "{CAN}", capacity = 24, facings = 3, low = 6, unit_grams = 331.5, unit_cv = 0.02 }} ]

[[bay]]
site = "store-042"
edge = "store-042"
shelf = "aisle-1"
bay = "A2"
items = []
"""
A1_PLAN = (Stand(gtin=CAN, capacity=24, facings=3, low=6, unit_grams=331.5, unit_cv=0.02),)


def test_csv_and_toml_say_the_same(cloud: Cloud) -> None:
    there = bays(cloud)
    from_csv = resolved(cloud, CSV)
    assert from_csv[there["A1"].location_id] == A1_PLAN
    assert from_csv[there["A2"].location_id] == (
        Stand(gtin=TEA, capacity=12), Stand(gtin=JAM, capacity=10, facings=2, low=0, unit_tare_grams=18.0),
    )  # fmt: skip
    from_toml = resolved(cloud, TOML, "p.toml")
    assert from_toml == {there["A1"].location_id: A1_PLAN, there["A2"].location_id: ()}


STANDS = st.builds(
    Stand,
    gtin=st.sampled_from([CAN, TEA, JAM]),
    capacity=st.integers(20, 1_000_000),
    facings=st.none() | st.integers(1, 20),
    low=st.none() | st.integers(0, 20),
    unit_grams=st.none() | st.floats(0.001, 1e6),
    unit_tare_grams=st.none() | st.floats(0.0, 1e6),
    unit_cv=st.none() | st.floats(0.0, 0.5),
)
PLANS = st.lists(STANDS, max_size=3, unique_by=lambda stand: stand.gtin).map(
    lambda some: tuple(sorted(some, key=lambda stand: stand.gtin))
)


@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,10}", fullmatch=True), PLANS, max_size=5))
def test_what_is_exported_is_imported_as_it_was(plans: dict[str, Plan]) -> None:
    named = [(BayName("s", "e", "aisle-1", bay), plan) for bay, plan in plans.items()]
    for text, name in ((to_csv(named), "p.csv"), (to_toml(named), "p.toml")):
        if not named and name == "p.toml":
            continue
        assert [(each.bay, each.plan) for each in parse(text, name)] == named


@given(st.text(max_size=200), st.sampled_from(["p.csv", "p.toml", "p.xls"]))
def test_whatever_a_file_holds_it_is_a_plan_or_our_own_error(text: str, name: str) -> None:
    with suppress(PlanogramError):
        parse(text, name)


@pytest.mark.parametrize(
    "line, words",
    [
        (
            "aisle-1,A1,123,24,,",
            "p.csv line 2, column gtin: write a GTIN of 8, 12, 13 or 14 digits, not '123'",
        ),
        ("aisle-1,A1,09506000134353,24,,", "the check digit of 09506000134353 would be 2"),
        (f"aisle-1,A1,{CAN},0,,", "column capacity: input should be greater than or equal to 1, not '0'"),
        (f"aisle-1,A1,{CAN},,,", "column capacity: is needed"),
        (f"aisle-1,A1,{CAN},many,,", "column capacity: input should be a valid integer"),
        (
            f"aisle-1,A1,{CAN},24,,30",
            "column low: 30 is more than the 24 that fit; write a number up to the capacity",
        ),
        (f"aisle-1,A1,{CAN},24,25,", "column facings: 25 is more than the 24 that fit"),
        (f",A1,{CAN},24,,", "column shelf: is needed"),
        (f"aisle 1,A1,{CAN},24,,", "column shelf:"),
        (f"aisle-1,A1,{CAN},24,", "has 5 columns, the first line has 6"),
        (
            f"aisle-1,A1,{CAN},24,,\naisle-1,A1,{CAN},12,,",
            f"bay A1: {CAN} stands there 2 times; name each item once",
        ),
    ],
)
def test_a_line_that_is_wrong_is_named_with_what_would_be_right(line: str, words: str) -> None:
    with pytest.raises(PlanogramError) as error:
        parse(f"shelf,bay,gtin,capacity,facings,low\n{line}\n", "p.csv")
    assert words in str(error.value)


def test_every_wrong_line_is_named_at_once() -> None:
    with pytest.raises(PlanogramError) as error:
        parse(f"shelf,bay,gtin,capacity\na,A1,1,24\na,A2,{CAN},0\na,A3,{CAN},24\n", "p.csv")
    assert [line.split(",")[0] for line in str(error.value).splitlines()] == ["p.csv line 2", "p.csv line 3"]


@pytest.mark.parametrize(
    "text, words",
    [
        (
            "shelf,bay,gtin,colour\n",
            "'colour' is no column here; the columns are site, edge, shelf, bay, gtin",
        ),
        ("shelf,bay\n", "column 'gtin' is needed"),
        ("shelf,bay,gtin,gtin\n", "column 'gtin' comes twice"),
        ('shelf,bay,gtin\n"a', "p.csv line 2"),
        ("", "p.csv: is empty; its first line names columns (site, edge, shelf, bay, gtin"),
        ("\n \n", "p.csv: is empty; its first line names columns"),
        ("a file of words\n", "column 'shelf' is needed; the columns are site"),
    ],
)
def test_a_file_that_is_none(text: str, words: str) -> None:
    with pytest.raises(PlanogramError) as error:
        parse(text, "p.csv")
    assert words in str(error.value)


def problems(cloud: Cloud, text: str, name: str = "p.csv") -> list[str]:
    with pytest.raises(PlanogramError) as error:
        resolved(cloud, text, name)
    return str(error.value).splitlines()


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file(cloud: Cloud) -> None:
    """What the file says wrongly, and what the ledger does not have."""
    lines = [
        "shelf,bay,gtin,capacity,low", f"aisle-1,Z1,{CAN},24,", f"aisle-1,A1,{CAN},many,", "aisle-1,A1", "",
        "aisle-1,Z2,1,0,", f"aisle-1,A2,{TEA},12,", "aisle-1,A2,09506000134369,24,", f"aisle 1,A2,{JAM},24,25",
    ]  # fmt: skip
    assert [line.partition(":")[0] for line in problems(cloud, "\n".join(lines))] == [
        "p.csv line 2", "p.csv line 3, column capacity", "p.csv line 4", "p.csv line 6, column gtin",
        "p.csv line 6, column capacity", "p.csv line 6", "p.csv line 8", "p.csv line 9, column shelf",
        "p.csv line 9, column low",
    ]  # fmt: skip
    tables = [
        f'shelf = "aisle-1"\nbay = "Z1"\nitems = [ {{ gtin = "{CAN}", capacity = 24 }} ]',
        'shelf = "aisle-1"\nbay = "A1"\nitems = [ { gtin = "1", capacity = 24 } ]',
        'shelf = "aisle 1"\nbay = "A1"\nitems = []',
        f'shelf = "aisle-1"\nbay = "A2"\nitems = [ {{ gtin = "{TEA}" }}, {{ gtin = "{CAN[:-1]}", capacity = 1 }} ]',
        'shelf = "aisle-1"\nbay = "Z9"\nitems = 3',
    ]
    toml = "".join(f"[[bay]]\n{table}\n" for table in tables)
    assert [re.split(r": (?!bay\[)", line)[0] for line in problems(cloud, toml, "p.toml")] == [
        "p.toml: bay[1]", "p.toml: bay[2].items[1].gtin", "p.toml: bay[3].shelf", "p.toml: bay[4].items[1].capacity",
        "p.toml: bay[4].items[2].gtin", "p.toml: bay[5].items", "p.toml: bay[5]",
    ]  # fmt: skip


@pytest.mark.parametrize(("separator", "first"), [(";", ""), ("\t", ""), (";", "sep=;\r\n"), (";", "\ufeff")])
def test_what_spreadsheets_save_is_taken(cloud: Cloud, tmp_path: Path, separator: str, first: str) -> None:
    text = CSV.replace(",", separator).replace("331.5", "331,5").replace("0.02", "0,02").replace("\n", "\r\n")
    file = tmp_path / "p.csv"
    file.write_bytes((first + text).encode())
    with cloud.database.read() as connection:
        assert store.resolve(connection, read(file)) == resolved(cloud, CSV)


def test_a_decimal_comma_is_none_where_commas_separate(cloud: Cloud) -> None:
    (wrong,) = problems(cloud, f'shelf,bay,gtin,capacity,unit_grams\naisle-1,A1,{CAN},24,"331,5"\n')
    assert wrong.startswith("p.csv line 2, column unit_grams: input should be a valid number")
    (wrong,) = problems(cloud, f"shelf;bay;gtin;capacity;unit_grams\naisle-1;A1;{CAN};24;1.331,5\n")
    assert wrong.endswith("not '1.331,5'")


@pytest.mark.parametrize("number", ["9.50600E+12", "9,50600E+12", "9.5e12"])
def test_a_gtin_that_a_spreadsheet_has_made_a_number_of(cloud: Cloud, number: str) -> None:
    (wrong,) = problems(cloud, f"shelf;bay;gtin;capacity\naisle-1;A1;{number};24\n")
    assert wrong.startswith("p.csv line 2, column gtin: a spreadsheet has made a number of it")
    assert "give the column the format 'Text' and write the GTIN in again" in wrong


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00", "is a workbook (.xlsx or .ods) or another archive, not CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a workbook of an old Excel (.xls), not CSV"),
        ("shelf\tbay".encode("utf-16"), "is text in UTF-16, not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is no text"),
        (b"shelf,bay,gtin\naisle-1,\xc4,\n", "line 2: holds a character that is not UTF-8"),
        (b"", "is empty"),
    ],
)
def test_a_file_that_is_no_text_is_told_for_what_it_is(tmp_path: Path, data: bytes, words: str) -> None:
    for name in ("plan.csv", "plan.xlsx", "plan.toml"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(PlanogramError) as error:
            read(tmp_path / name)
        assert str(error.value).startswith(name)
        assert words in str(error.value)


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "shelf".encode("utf-16")]
)
def test_a_workbook_that_a_browser_has_read_as_text_is_known_too(data: bytes) -> None:
    with pytest.raises(PlanogramError, match="save it as 'CSV UTF-8'"):
        draft(data.decode("utf-8", "replace"), "plan.xlsx", "csv")


def test_what_the_ledger_does_not_have(cloud: Cloud) -> None:
    text = (
        f"shelf,bay,gtin,capacity\naisle-1,Z1,{CAN},24\naisle-9,A1,{CAN},24\naisle-1,A1,09506000134369,24\n"
    )
    with pytest.raises(PlanogramError) as error:
        resolved(cloud, text)
    assert str(error.value).splitlines() == [
        "p.csv line 2: the ledger has no bay Z1 of shelf aisle-1; the shelf has A1, A2. Bays are added in sites.toml",
        "p.csv line 3: the ledger has no shelf aisle-9; bays are added in sites.toml",
        "p.csv line 4: no item has the GTIN 09506000134369; add it to items.csv and load it",
    ]
    twice = f"site,shelf,bay,gtin,capacity\n,aisle-1,A1,{CAN},24\nstore-042,aisle-1,A1,{CAN},12\n"
    with pytest.raises(
        PlanogramError, match=r"p.csv line 3: bay A1 of shelf aisle-1 is told by p.csv line 2 already"
    ):
        resolved(cloud, twice)


def test_a_change_is_kept_with_who_made_it_and_what_was_before(cloud: Cloud) -> None:
    before = plan(cloud, "A1")
    assert len(make(cloud, "A1", *A1_PLAN)) == 1
    assert plan(cloud, "A1") == A1_PLAN
    assert make(cloud, "A1", *A1_PLAN) == [], "the same again is no change"
    make(cloud, "A1", author=store.Author(by="clerk", source="console", at=at(200)))
    with cloud.database.read() as connection:
        rows = connection.execute(select(planogram_changes).order_by(planogram_changes.c.version)).all()
    assert [(row.version, row.changed_by, row.source, row.at) for row in rows] == [
        (1, "manager", "test", at(100)), (2, "clerk", "console", at(200)),
    ]  # fmt: skip
    assert rows[0].before == [{"gtin": stand.gtin, "capacity": stand.capacity} for stand in before]
    assert rows[1].before == rows[0].after == [
        {"gtin": CAN, "capacity": 24, "facings": 3, "low": 6, "unit_grams": 331.5, "unit_cv": 0.02}
    ]  # fmt: skip
    assert rows[1].after == []


def test_what_is_left_of_other_items_asks_for_a_count(cloud: Cloud) -> None:
    make(cloud, "A1", Stand(gtin=TEA, capacity=12))  # the ledger has 4 cans there
    with cloud.database.read() as connection:
        (task,) = connection.execute(select(tasks.c.kind, tasks.c.subject, tasks.c.details)).all()
    assert (task.kind, task.subject) == ("recount", "A1")
    assert task.details["items"] == [{"gtin": CAN, "name": task.details["items"][0]["name"], "quantity": 4}]


def test_bookings_and_rules_follow_the_plan_at_once(cloud: Cloud) -> None:
    cloud.book(change(-1, 1))
    make(cloud, "A1", Stand(gtin=CAN, capacity=12), Stand(gtin=TEA, capacity=12))
    cloud.book(change(-1, 2))
    with cloud.database.read() as connection:
        units = connection.execute(select(bay_items.c.capacity)).scalars().all()
    assert 12 in units
    assert cloud.stock(CAN)["A1"] == 2


def test_a_folder_seeds_and_what_was_planned_since_stays(cloud: Cloud, tmp_path: Path) -> None:
    make(cloud, "A1", *A1_PLAN)
    load(cloud.database, tmp_path / "master", at(300))
    assert plan(cloud, "A1") == A1_PLAN
    assert [stand.capacity for stand in plan(cloud, "A2")] == [12, 12]


def test_a_folder_may_hold_a_planogram(cloud: Cloud, tmp_path: Path) -> None:
    folder = tmp_path / "master"
    (folder / "planogram.csv").write_text(CSV, "utf-8")
    assert load(cloud.database, folder, at(300)).planned == 2
    assert plan(cloud, "A1") == A1_PLAN
    assert load(cloud.database, folder, at(400)).planned == 0
    (folder / "planogram.csv").write_text(CSV.replace("A2", "A9"), "utf-8")
    with pytest.raises(
        MasterDataError,
        match=re.escape("nothing was loaded:\n  planogram.csv line 3: the ledger has no bay A9"),
    ):
        load(cloud.database, folder, at(500))
    (folder / "planogram.toml").write_text(TOML, "utf-8")
    with pytest.raises(MasterDataError, match=r"planogram.csv and planogram.toml: keep one of them"):
        load(cloud.database, folder, at(500))


def test_stands_as_a_form_gives_them() -> None:
    assert read_stands(
        [{"gtin": CAN, "capacity": "24", "facings": "", "low": " ", "unit_grams": "331.5"}]
    ) == (Stand(gtin=CAN, capacity=24, unit_grams=331.5),)
    with pytest.raises(PlanogramError) as error:
        read_stands([{"gtin": CAN, "capacity": 4, "low": 5}, {"gtin": "x"}])
    assert str(error.value).splitlines() == [
        "item 1, low: 5 is more than the 4 that fit; write a number up to the capacity",
        "item 2, gtin: write a GTIN of 8, 12, 13 or 14 digits, not 'x'",
        "item 2, capacity: is needed",
    ]


class Edge:
    """What the planner asks of an edge, and what is answered to it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.told = 0
        self.planner = Planner(cloud.database, now=lambda: cloud.now, changed=self._changed)

    def _changed(self) -> None:
        self.told += 1

    def presence(self, state: str) -> None:
        with self.cloud.database.write() as connection:
            connection.execute(edges.update().where(edges.c.edge == "store-042").values(presence=state))

    def orders(self) -> list[Assign]:
        self.planner.step()
        with self.cloud.database.read() as connection:
            lines = connection.scalars(
                select(commands.c.line).order_by(commands.c.asked_at, commands.c.id)
            ).all()
        found = [decode_command(line).order for line in lines]
        assert all(isinstance(order, Assign) for order in found)
        return [order for order in found if isinstance(order, Assign)]

    def answer(self, state: str, words: str = "") -> None:
        with self.cloud.database.write() as connection:
            open_ = commands.update().where(commands.c.state == "asked")
            connection.execute(open_.values(state=state, words=words))
        self.planner.step()

    def kept(self) -> list[str]:
        with self.cloud.database.read() as connection:
            return list(connection.scalars(select(planogram_told.c.state)))

    def tasks(self) -> list[Any]:
        query = select(tasks.c.details).where(tasks.c.kind == "planogram", tasks.c.closed_at.is_(None))
        with self.cloud.database.read() as connection:
            return list(connection.scalars(query))


@pytest.fixture
def edge(cloud: Cloud) -> Edge:
    found = Edge(cloud)
    found.presence("online")
    return found


def test_an_edge_is_told_what_was_changed_once_and_nothing_else(cloud: Cloud, edge: Edge) -> None:
    assert edge.orders() == []
    make(cloud, "A1", *A1_PLAN)
    assert edge.orders() == [
        Assign(
            shelf="aisle-1",
            bay="A1",
            items=(AssignedItem(gtin=CAN, unit_grams=331.5, unit_cv=0.02),),
            capacity=24,
            facings=3,
            low=6,
        )
    ]
    assert len(edge.orders()) == 1
    edge.answer("done")
    assert (edge.kept(), len(edge.orders())) == (["done"], 1)


def test_of_several_kinds_an_edge_is_told_the_figures_of_each(cloud: Cloud, edge: Edge) -> None:
    make(
        cloud,
        "A2",
        Stand(gtin=TEA, capacity=12, facings=2, low=4),
        Stand(gtin=JAM, capacity=10, unit_cv=0.03),
    )
    (order,) = edge.orders()
    assert [(each.gtin, each.capacity, each.facings, each.low, each.unit_cv) for each in order.items] == [
        (TEA, 12, 2, 4, None),
        (JAM, 10, None, None, 0.03),
    ]
    assert (order.capacity, order.facings, order.low) == (22, None, None)


def test_a_spread_alone_is_told_anew(cloud: Cloud, edge: Edge) -> None:
    make(cloud, "A1", *A1_PLAN)
    assert [order.items[0].unit_cv for order in edge.orders()] == [0.02]
    edge.answer("done")
    make(cloud, "A1", replace(A1_PLAN[0], unit_cv=None))
    assert {order.items[0].unit_cv for order in edge.orders()} == {0.02, None}


@pytest.mark.parametrize(
    "written, words",
    [
        ("1.3", "1.3 is more than 0.5; it is a share of the unit's weight: write 0.013 for 1.3 %"),
        ("-0.1", "unit_cv: input should be greater than or equal to 0, not '-0.1'"),
        ("nan", "unit_cv: "),
        ("much", "unit_cv: input should be a valid number"),
    ],
)
def test_a_spread_that_cannot_be_is_named(written: str, words: str) -> None:
    with pytest.raises(PlanogramError, match=re.escape(words)) as caught:
        parse(f"shelf,bay,gtin,capacity,unit_cv\naisle-1,A1,{CAN},24,{written}\n", "p.csv")
    assert str(caught.value).startswith("p.csv line 2, column unit_cv: ")


def test_an_edge_that_is_away_is_told_when_it_is_back(cloud: Cloud, edge: Edge) -> None:
    edge.presence("offline")
    make(cloud, "A1", *A1_PLAN)
    assert edge.orders() == []
    edge.presence("online")
    assert len(edge.orders()) == 1
    edge.answer("expired", "nobody answered")
    assert len(edge.orders()) == 2
    make(cloud, "A1", Stand(gtin=CAN, capacity=30, unit_grams=331.5))  # changed again while it is on its way
    edge.answer("done")
    assert [order.capacity for order in edge.orders()].count(30) == 1


def test_what_an_edge_refuses_is_a_task_until_the_plan_changes(cloud: Cloud, edge: Edge) -> None:
    make(cloud, "A1", *A1_PLAN)
    edge.orders()
    edge.answer("refused", "the weights of two items are too near each other")
    assert [task["why"] for task in edge.tasks()] == ["the weights of two items are too near each other"]
    assert len(edge.orders()) == 1, "not asked again by itself"
    make(cloud, "A1", Stand(gtin=CAN, capacity=30, unit_grams=331.5))
    assert len(edge.orders()) == 2
    edge.answer("done")
    assert edge.tasks() == []


def test_an_item_whose_weight_nobody_says_is_a_task(cloud: Cloud, edge: Edge, tmp_path: Path) -> None:
    with cloud.database.write() as connection:
        connection.exec_driver_sql("UPDATE items SET unit_grams = NULL")
    make(cloud, "A2", Stand(gtin=TEA, capacity=12))
    assert edge.orders() == []
    assert edge.tasks()[0]["why"].startswith(f"nobody says what one {TEA} weighs")
    with cloud.database.write() as connection:
        connection.exec_driver_sql("UPDATE items SET unit_grams = 250.0")
    assert len(edge.orders()) == 1


def test_the_export_is_a_table_a_spreadsheet_reads(cloud: Cloud) -> None:
    make(cloud, "A1", *A1_PLAN)
    make(cloud, "A2")
    rows = list(csv.DictReader(io.StringIO(to_csv((bay.name, bay.plan) for bay in bays(cloud).values()))))
    assert [(row["bay"], row["gtin"], row["low"]) for row in rows] == [("A1", CAN, "6"), ("A2", "", "")]
    with cloud.database.read() as connection:
        assert connection.scalar(select(locations.c.id).where(locations.c.name == "A1"))


def test_the_manuals_examples_are_taken_as_they_stand() -> None:
    page = (Path(__file__).parents[2] / "docs" / "planogram.md").read_text("utf-8")
    for kind, names in (("csv", ["A1", "A2"]), ("toml", ["A1", "A2"])):
        (example,) = re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)
        assert [each.bay.bay for each in parse(example, f"p.{kind}")] == names
