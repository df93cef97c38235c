from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from cloud.alerts import rulebook
from cloud.alerts.watch import refill_open, settle, settle_all, settle_each
from cloud.errors import MasterDataError
from cloud.ledger.database import Database
from cloud.ledger.tables import alerts, rule_states, rules
from tests.support import shop
from tests.support.shop import A1, A2, BACKROOM, BAY_LOW, NINE


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = shop.sqlite(tmp_path)
    yield database
    database.close()


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def set_balance(database: Database, location: int, item: int, quantity: int, when: datetime) -> None:
    with database.write() as connection:
        shop.balance(connection, location, item, quantity, when)
        settle(connection, {(item, location)}, when)


def states(database: Database) -> list[tuple[str, int, int, str, datetime, float, bool]]:
    with database.read() as connection:
        query = select(rule_states).order_by(
            rule_states.c.rule, rule_states.c.location_id, rule_states.c.item_id
        )
        return [tuple(row) for row in connection.execute(query)]


def test_only_the_place_that_changed_is_judged(database: Database) -> None:
    shop.rules(database, BAY_LOW)
    set_balance(database, A1, 1, 3, at(1))
    assert states(database) == [("bay-low", 1, A1, "pending", at(1), 3.0, True)]


def test_an_ok_place_costs_no_row(database: Database) -> None:
    shop.rules(database, BAY_LOW)
    set_balance(database, A1, 1, 20, at(1))
    assert states(database) == []


def test_what_is_no_bay_or_not_meant_to_be_there_is_not_watched(database: Database) -> None:
    shop.rules(database, BAY_LOW)
    set_balance(database, BACKROOM, 1, 0, at(1))
    set_balance(database, A1, 2, 0, at(1))  # tea is not meant to be in A1
    assert states(database) == []


def test_places_that_changed_together_are_judged_each_at_its_own_time(database: Database) -> None:
    shop.rules(database, BAY_LOW)
    with database.write() as connection:
        settle_each(connection, {(1, A1): at(1), (2, A2): at(2), (1, BACKROOM): at(3)})
    assert [(row[1], row[2], row[4]) for row in states(database)] == [(1, A1, at(1)), (2, A2, at(2))]


def test_a_rule_can_be_narrowed_to_a_place_and_an_item(database: Database) -> None:
    shop.rules(database, BAY_LOW | {"place": "A2", "item": shop.TEA})
    for location, item in ((A1, 1), (A2, 1), (A2, 2)):
        set_balance(database, location, item, 1, at(1))
    assert [(row[1], row[2]) for row in states(database)] == [(2, A2)]


def test_a_quantity_is_judged_in_units(database: Database) -> None:
    shop.rules(database, BAY_LOW)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE items SET scale = 3 WHERE id = 1")
    set_balance(database, A1, 1, 3999, at(1))
    assert states(database)[0][5] == 3.999


def test_all_are_judged_after_a_load_even_a_bay_that_never_moved(database: Database) -> None:
    shop.rules(database, BAY_LOW)
    with database.write() as connection:
        shop.balance(connection, A1, 1, 20, NINE)
        settle_all(connection, at(1))
    assert [(row[1], row[2], row[3]) for row in states(database)] == [(1, A2, "pending"), (2, A2, "pending")]


def test_a_withdrawn_rule_lets_go_of_what_it_held(database: Database) -> None:
    shop.rules(database, BAY_LOW)
    set_balance(database, A1, 1, 3, at(1))
    shop.rules(database)
    with database.write() as connection:
        settle_all(connection, at(5))
    assert states(database) == [("bay-low", 1, A1, "ok", at(5), 3.0, True)]


@pytest.mark.parametrize("seconds, open_", [(30.9, False), (31, True), (100, True)])
def test_a_refill_is_open_once_the_hold_has_passed_whoever_noticed(
    database: Database, seconds: float, open_: bool
) -> None:
    shop.rules(database, BAY_LOW)
    set_balance(database, A1, 1, 3, at(1))
    with database.read() as connection:
        assert refill_open(connection, A1, 1, at(seconds)) is open_
        assert not refill_open(connection, A2, 1, at(seconds))


def test_no_refill_is_open_where_the_rule_suggests_none(database: Database) -> None:
    shop.rules(database, BAY_LOW | {"suggest": "nothing"})
    set_balance(database, A1, 1, 3, at(1))
    with database.read() as connection:
        assert not refill_open(connection, A1, 1, at(100))


def test_an_alert_that_fired_and_cleared_unseen_is_kept_as_history(database: Database) -> None:
    """A site was offline for an hour; its batch holds the fall and the refill."""
    shop.rules(database, BAY_LOW)
    set_balance(database, A1, 1, 3, at(1))
    set_balance(database, A1, 1, 24, at(3600))
    with database.read() as connection:
        (alert,) = connection.execute(select(alerts)).all()
    assert (alert.pending_at, alert.fired_at, alert.cleared_at) == (at(1), at(31), at(3600))
    assert alert.text == "A1: went to 3, and back to 24 before anyone was told."


def test_a_dip_shorter_than_the_hold_leaves_no_alert(database: Database) -> None:
    shop.rules(database, BAY_LOW)
    set_balance(database, A1, 1, 3, at(1))
    set_balance(database, A1, 1, 4, at(20))
    with database.read() as connection:
        assert connection.execute(select(alerts)).all() == []
    assert states(database)[0][3] == "ok"


def test_rules_are_versioned_and_a_rule_that_says_the_same_keeps_its_version(database: Database) -> None:
    other = BAY_LOW | {"name": "other"}
    for wanted in ([BAY_LOW, other], [BAY_LOW, other], [BAY_LOW | {"limit": 5}], [BAY_LOW]):
        shop.rules(database, *wanted)
    with database.read() as connection:
        rows = connection.execute(
            select(rules.c.name, rules.c.version, rules.c.active).order_by(rules.c.name, rules.c.version)
        )
        assert [tuple(row) for row in rows] == [
            ("bay-low", 1, False),
            ("bay-low", 2, False),
            ("bay-low", 3, True),
            ("other", 1, False),
        ]
        assert [rule.limit for rule in rulebook.active(connection)] == [4]


def test_a_rule_for_what_does_not_exist_is_refused(database: Database) -> None:
    unknown = BAY_LOW | {"site": "nowhere", "place": "A9", "item": "09506000000000"}
    with pytest.raises(MasterDataError) as caught:
        shop.rules(database, unknown)
    assert str(caught.value).splitlines() == [
        "rules.toml: rule 'bay-low': no site is named 'nowhere'",
        "rules.toml: rule 'bay-low': no place is named 'A9'",
        "rules.toml: rule 'bay-low': no item is named '09506000000000'",
    ]


def test_a_broken_file_is_said_with_its_name() -> None:
    with pytest.raises(MasterDataError, match=r"rules\.toml: rule\[1\]\.name: is needed"):
        rulebook.check({"rule": [{key: value for key, value in BAY_LOW.items() if key != "name"}]})
