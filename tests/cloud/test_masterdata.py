"""Loading master data: all or nothing, every problem said at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cloud.errors import MasterDataError
from cloud.ledger import master
from cloud.ledger.database import Database
from cloud.ledger.tables import (
    bay_items,
    epc_prefixes,
    gates,
    ignored_tags,
    items,
    ledgers,
    locations,
    movements,
    rule_states,
    rules,
    site_mail,
    sites,
)
from cloud.masterdata.load import load
from tests.support.ledger import CAN, CASE, ITEMS, OPENING, PALLET, SITES, Cloud, at, new_ledger, write_master

EXAMPLE = Path(__file__).parents[2] / "examples" / "store" / "master"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield database
    database.close()


def _problems(database: Database, folder: Path) -> str:
    with pytest.raises(MasterDataError) as caught:
        load(database, folder, at(0))
    with database.read() as connection:  # nothing of it was loaded
        assert connection.scalar(select(func.count()).select_from(items)) == 0
        assert connection.scalar(select(ledgers.c.master)) == 0
    return str(caught.value)


def test_the_example_loads_and_loading_it_again_changes_nothing(database: Database) -> None:
    first = load(database, EXAMPLE, at(0))
    again = load(database, EXAMPLE, at(1))

    assert (first.items, first.sites, first.opened) == (8, 1, 14)
    assert (again.items, again.opened) == (8, 0)
    with database.read() as connection:
        known = master.read(connection)
        assert connection.scalar(select(func.count()).select_from(movements)) == 14
        assert connection.scalars(select(rules.c.version)).all() == [1]
    assert len(known.bays) == 6
    assert known.version == 2


def test_what_is_loaded_is_there(database: Database, tmp_path: Path) -> None:
    load(database, write_master(tmp_path / "m", contents=f"sscc,gtin,quantity\n{PALLET},{CASE},24\n"), at(0))
    with database.read() as connection:
        places = select(locations.c.name, locations.c.usage).where(locations.c.site_id == 1)
        usages = dict(connection.execute(places).all())
        doors = select(gates.c.gate, gates.c.role).where(gates.c.edge == "store-042")
        roles = dict(connection.execute(doors).all())
        assert connection.execute(select(site_mail.c.role, site_mail.c.address)).all() == [
            ("retail", "retail@store-042.example")
        ]
        assert connection.scalars(select(epc_prefixes.c.prefix)).all() == ["AD01"]
        assert connection.scalar(select(func.count()).select_from(bay_items)) == 3
        empty = connection.scalars(select(rule_states.c.state)).all()
    assert usages["A1"] == "bay"
    assert (usages["yard"], usages["backroom"], usages["returns-hold"]) == (
        "yard",
        "internal",
        "returns_hold",
    )
    assert roles == {"dock-1": "dock", "dock-2": "dock", "door-1": "doorway"}
    assert empty == ["pending", "pending"]  # the two kinds of bay A2, which never held any
    assert Cloud(database).stock(CAN) == {"opening": -44, "A1": 4, "backroom": 40}


def test_every_problem_is_said_at_once_with_its_file_line_and_column(
    database: Database, tmp_path: Path
) -> None:
    folder = write_master(
        tmp_path / "m",
        items=ITEMS + "09506000134353,Wrong,each,1,A,\n123,Short,each,-5,Z,XY\n09506000522135,Twice\n",
        sites=SITES.replace('inside = "backroom", role', 'inside = "attic", role')
        .replace("Europe/Lisbon", "Europe/Atlantis")
        .replace('capacity = { "09506000134352" = 24 }', 'capacity = { "09506000522067" = 24 }\ncolour = 1'),
        opening=OPENING + f"store-042,A9,{CAN},1\nstore-042,A2,{CAN},1.5\nstore-042,A2,09506000522067,many\n",
        contents=f"sscc,gtin,quantity\n106141412345678901,{CASE},2\n",
        rules='[[rule]]\nname = "Low"\n',
    )
    said = _problems(database, folder)
    assert "items.csv line 6, column gtin: the check digit of 09506000134353 would be 2" in said
    assert "items.csv line 7, column gtin: write a GTIN of 8, 12, 13 or 14 digits, not '123'" in said
    assert "items.csv line 7, column unit_grams" in said
    assert "items.csv line 7, column epc_prefix: write hexadecimal digits" in said
    assert "items.csv line 8: has 2 columns, the first line has 6" in said
    assert "sites.toml: site[2].time_zone: write a time zone such as Europe/Paris" in said
    assert "sites.toml: site[1].bays[1].colour: is no setting here" in said
    assert "opening.csv line 6, column quantity" in said
    assert "contents.csv line 2, column sscc: the check digit of 106141412345678901 would be 8" in said
    assert "rules.toml: rule[1].name" in said


def test_how_others_know_places_and_what_is_never_stock(database: Database, tmp_path: Path) -> None:
    named = SITES.replace(
        "places =",
        'biz_location = "urn:epc:id:sgln:0614141.07346.0"\nbiz_locations = { floor = "https://a.example/floor" }\n'
        'ignored = ["ad02", "urn:epc:id:sscc:0614141."]\nplaces =',
        1,
    ).replace(
        'gate = "dock-1", outside', 'gate = "dock-1", read_point = "https://a.example/dock-1", outside', 1
    )
    load(database, write_master(tmp_path / "m", sites=named), at(0))
    with database.read() as connection:
        assert connection.scalar(select(sites.c.biz_location)) == "urn:epc:id:sgln:0614141.07346.0"
        assert connection.scalars(
            select(gates.c.read_point).where(gates.c.read_point.is_not(None))
        ).all() == ["https://a.example/dock-1"]
        found = select(locations.c.name).where(locations.c.biz_location == "https://a.example/floor")
        assert connection.scalars(found).all() == ["floor"]
        ignored = sorted(connection.scalars(select(ignored_tags.c.prefix)))
    assert ignored == ["AD02", "urn:epc:id:sscc:0614141."]
    load(database, write_master(tmp_path / "again", sites=SITES), at(1))
    with database.read() as connection:
        assert connection.scalar(select(sites.c.biz_location)) is None
        assert connection.scalars(select(ignored_tags.c.prefix)).all() == []


@pytest.mark.parametrize(
    "added, said",
    [
        ('biz_location = "backroom"', "biz_location: write urn:epc:id:sgln:0614141.07346.dock1 or https://"),
        ('biz_location = "urn:epc:id:sgln:0614141.7346.0"', "biz_location: write urn:epc:id:sgln"),
        ('biz_locations = { attic = "https://a.example" }', "biz_locations: 'attic' is none of the site's"),
        ('ignored = ["*"]', "write what an EPC begins with"),
    ],
)
def test_ids_of_places_are_checked(database: Database, tmp_path: Path, added: str, said: str) -> None:
    folder = write_master(tmp_path / "m", sites=SITES.replace("places =", f"{added}\nplaces =", 1))
    assert said in _problems(database, folder)


def test_what_the_files_say_of_each_other_is_checked(database: Database, tmp_path: Path) -> None:
    folder = write_master(
        tmp_path / "m",
        items=ITEMS + "09506000522135,Again,each,1,A,AD01\n09506000522135,Again,each,1,A,\n",
        sites=SITES.replace('inside = "floor", role', 'inside = "attic", role')
        .replace('capacity = { "09506000134352" = 24 }', 'capacity = { "09506000522067" = 24 }')
        .replace('bay = "A2"', 'bay = "A1"'),
        opening=OPENING
        + f"store-042,A9,{CAN},1\nstore-042,A1,{CAN},1\nstore-043,A1,{CAN},1.5\n,A1,{CASE},1\n",
    )
    said = _problems(database, folder)
    assert "items.csv line 5, items.csv line 6: epc_prefix: AD01 is given 2 times" in said
    assert "gtin: 09506000522135 is given 2 times" in said
    assert "site[1].gates[3].inside: 'attic' is none of the site's: yard, backroom, floor" in said
    assert "site[1].bays[1].capacity: no item has the GTIN 09506000522067; add it to items.csv" in said
    assert "bays: store-042 aisle-1 A1 is given 2 times" in said
    assert "opening.csv line 4, column place: 'A9' is no place or bay of the site" in said
    assert "opening.csv line 2, opening.csv line 5: place: store-042 A1" in said
    assert "opening.csv line 6, column site: there is no site 'store-043'" in said
    assert "1.5 has more decimals than the 0 that" in said
    assert "opening.csv line 7, column site: is needed, as there are 2 sites" in said


def test_one_fault_is_not_told_again_by_the_files_that_refer_to_it(
    database: Database, tmp_path: Path
) -> None:
    faulty = ITEMS.replace(f"{CAN},Can,each", f"{CAN},Can,pieces of it")
    said = _problems(database, write_master(tmp_path / "items", items=faulty)).splitlines()
    assert [line.split(":")[0] for line in said[1:]] == ["  items.csv line 2, column uom"]
    faulty = SITES.replace("Europe/Lisbon", "Europe/Atlantis")
    said = _problems(database, write_master(tmp_path / "sites", sites=faulty)).splitlines()
    assert len(said) == 2
    assert said[1].startswith("  sites.toml: site[2].time_zone")


def test_columns_that_are_not_ours_are_named(database: Database, tmp_path: Path) -> None:
    folder = write_master(tmp_path / "m", items="gtin,nmae\n")
    said = _problems(database, folder)
    assert "items.csv line 1: 'nmae' is no column here; the columns are gtin, name, uom" in said
    assert "items.csv line 1: column 'name' is needed" in said


def test_a_folder_without_any_of_the_files_is_an_error(database: Database, tmp_path: Path) -> None:
    with pytest.raises(MasterDataError, match=r"has none of items\.csv"):
        load(database, tmp_path, at(0))


def test_an_opening_quantity_is_booked_once_for_ever(database: Database, tmp_path: Path) -> None:
    load(database, write_master(tmp_path / "m"), at(0))
    changed = write_master(tmp_path / "changed", opening=OPENING.replace(f"A1,{CAN},4", f"A1,{CAN},6"))
    with pytest.raises(
        MasterDataError, match=r"opening\.csv line 2, column quantity: 6 is new, but 4 was booked"
    ):
        load(database, changed, at(1))
    more = write_master(tmp_path / "more", opening=OPENING + "store-042,A2,09506000211008,7\n")
    assert load(database, more, at(2)).opened == 1


def test_a_part_of_the_files_may_speak_of_what_is_known(database: Database, tmp_path: Path) -> None:
    load(database, write_master(tmp_path / "m"), at(0))
    part = tmp_path / "part"
    part.mkdir()
    (part / "contents.csv").write_text(f"sscc,gtin,quantity\n{PALLET},{CASE},24\n", "utf-8")
    assert load(database, part, at(1)).contents == 1
    assert Cloud(database).stock(CAN)["A1"] == 4


def test_what_is_booked_does_not_change_its_meaning(database: Database, tmp_path: Path) -> None:
    load(database, write_master(tmp_path / "m"), at(0))
    folder = write_master(
        tmp_path / "other",
        items=ITEMS.replace(f"{CAN},Can,each", f"{CAN},Can,kg"),
        sites=SITES.replace('edges = ["store-007"]', 'edges = ["store-042"]').replace(
            'places = ["yard", "backroom", "floor"]', 'places = ["yard", "backroom", "floor", "A1"]'
        ),
    )
    with pytest.raises(MasterDataError) as caught:
        load(database, folder, at(1))
    said = str(caught.value)
    assert "'kg' would keep 3 decimals, but 09506000134352 is booked with 0" in said
    assert "edges: store-042 is given 2 times" in said
    assert "places and bays: A1 is given 2 times" in said
