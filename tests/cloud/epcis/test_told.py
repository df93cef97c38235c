"""What the ledger has to tell, and in which words, on SQLite; valid against GS1's schema where that is at hand."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from cloud.epcis.events import CONTEXT, document
from cloud.epcis.export import document_text, export, lines
from cloud.epcis.hashid import event_id, event_ids
from cloud.epcis.ledger import sites_named
from cloud.epcis.manner import Manner
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
    change,
    crossing,
    new_ledger,
    passage,
    write_master,
)
from wire.events import Direction

DATA = Path(os.environ.get("STOCKBEAT_DATA") or Path(__file__).parents[4] / "shared" / "data")
SCHEMA = DATA / "epcis" / "EPCIS-JSON-Schema.json"

IN, OUT = Direction.IN, Direction.OUT
OTHER_TAG = "3074257BF7194E4000001A86"
CASE_LINK = "https://id.gs1.org/01/80614141123458/21/6789"
OTHER_LINK = "https://id.gs1.org/01/80614141123458/21/6790"
PALLET_LINK = f"https://id.gs1.org/00/{PALLET}"
BASE = "https://stock.example"
MANNER = Manner(BASE)
GRAI = "3374257BF40C0E400000162E"

NAMED = SITES.replace(
    'gate = "dock-1", outside',
    'gate = "dock-1", read_point = "urn:epc:id:sgln:0614141.07346.dock1", outside',
    1,
).replace(
    'edges = ["store-042"]',
    'edges = ["store-042"]\nbiz_location = "urn:epc:id:sgln:0614141.07346.0"\n'
    'biz_locations = { floor = "https://id.gs1.org/414/0614141073467/254/floor" }',
    1,
)
STAGED = SITES.replace('inside = "floor", role = "doorway"', 'inside = "floor", role = "staging"')


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    database = new_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Cloud(database, write_master(tmp_path / "master"))
    database.close()


def told(cloud: Cloud, manner: Manner = MANNER, **limits: Any) -> list[dict[str, Any]]:
    with cloud.database.read() as connection:
        site_ids = list(sites_named(connection).values())
        events = list(export(connection, site_ids, manner, **{"now": cloud.now} | limits))
    assert_valid(document(events, cloud.now))
    return events


def assert_valid(written: dict[str, Any]) -> None:
    """By GS1's schema with format checks, and each event under the id that hashing it anew gives."""
    events = written["epcisBody"]["eventList"]
    assert [event["eventID"] for event in events] == event_ids(written)
    assert len({event["eventID"] for event in events}) == len(events)
    if SCHEMA.is_file():
        validator = Draft7Validator(json.loads(SCHEMA.read_text("utf-8")), format_checker=FormatChecker())
        assert [error.message for error in validator.iter_errors(written)] == []


def essence(event: dict[str, Any]) -> tuple[Any, ...]:
    place = event.get("bizLocation", {}).get("id")
    return event.get("bizStep"), event.get("disposition"), event["readPoint"]["id"], place


@pytest.mark.data
@pytest.mark.skipif(not SCHEMA.is_file(), reason=f"{SCHEMA} is absent: set STOCKBEAT_DATA")
def test_the_schema_can_refuse(cloud: Cloud) -> None:
    """Else the checks in this file would prove nothing."""
    cloud.book(crossing(), passage("dock-1-2.7"))
    (event,) = told(cloud)
    for wrong in ({"bizStep": "recieving"}, {"epcList": [CASE_TAG]}, {"eventTime": "2026-11-22T09:00:00"}):
        validator = Draft7Validator(json.loads(SCHEMA.read_text("utf-8")), format_checker=FormatChecker())
        assert list(validator.iter_errors(document([event | wrong], cloud.now)))


def test_a_receipt_in_full(cloud: Cloud) -> None:
    cloud.book(crossing(), crossing(OTHER_TAG, confidence=0.95, seconds=2.9, passage="dock-1-2.7"))
    cloud.book(passage("dock-1-2.7", load="load-1"))
    (event,) = told(cloud)
    assert event_id(event, CONTEXT) == event.pop("eventID")
    assert event == {
        "type": "ObjectEvent",
        "eventTime": "2026-11-22T09:00:02.900Z",
        "eventTimeZoneOffset": "+01:00",
        "epcList": [CASE_LINK, OTHER_LINK],
        "action": "OBSERVE",
        "bizStep": "receiving",
        "disposition": "in_progress",
        "readPoint": {"id": "https://stock.example/store-042/gates/store-042/dock-1"},
        "bizLocation": {"id": "https://stock.example/store-042/places/backroom"},
        "stockbeat:edge": "store-042",
        "stockbeat:gate": "dock-1",
        "stockbeat:passage": "dock-1-2.7",
        "stockbeat:load": "load-1",
        "stockbeat:confidence": 0.95,
        "stockbeat:tags": [
            {
                "stockbeat:tag": CASE_TAG,
                "stockbeat:at": "2026-11-22T09:00:02.700Z",
                "stockbeat:confidence": 0.98,
                "stockbeat:reads": 41,
            },
            {
                "stockbeat:tag": OTHER_TAG,
                "stockbeat:at": "2026-11-22T09:00:02.900Z",
                "stockbeat:confidence": 0.95,
                "stockbeat:reads": 41,
            },
        ],
    }


def test_what_leaves_is_shipped_and_nobody_knows_where_it_is(cloud: Cloud) -> None:
    cloud.book(
        crossing(seconds=1), passage("dock-1-1"), crossing(seconds=50, outcome=OUT), passage("dock-1-50")
    )
    _, out = told(cloud)
    gate = "https://stock.example/store-042/gates/store-042/dock-1"
    assert essence(out) == ("shipping", "in_transit", gate, None)
    assert out["stockbeat:expected"] is False
    cloud.book(crossing(seconds=90), passage("dock-1-90"))
    *_, back = told(cloud)
    assert essence(back)[:2] == ("receiving", "returned")


def test_an_inner_door_says_that_things_arrive(cloud: Cloud) -> None:
    cloud.book(
        crossing(seconds=1), passage("dock-1-1"),
        crossing(seconds=2, gate="door-1"), passage("door-1-2", gate="door-1"),
        crossing(seconds=3, gate="door-1", outcome=OUT), passage("door-1-3", gate="door-1"),
    )  # fmt: skip
    gate = "https://stock.example/store-042/gates/store-042/door-1"
    assert [essence(event) for event in told(cloud)[1:]] == [
        ("arriving", "in_progress", gate, "https://stock.example/store-042/places/floor"),
        ("arriving", "in_progress", gate, "https://stock.example/store-042/places/backroom"),
    ]


def test_a_staging_area_is_gone_out_to_and_come_back_from(cloud: Cloud, tmp_path: Path) -> None:
    load(cloud.database, write_master(tmp_path / "staged", sites=STAGED), at(0))
    cloud.book(
        crossing(seconds=2, gate="door-1"), passage("door-1-2", gate="door-1"),
        crossing(seconds=3, gate="door-1", outcome=OUT), passage("door-1-3", gate="door-1"),
    )  # fmt: skip
    assert [event["bizStep"] for event in told(cloud)] == ["arriving", "staging_outbound"]


@pytest.mark.parametrize("outcome, disposition", [(IN, "in_progress"), (OUT, None)])
def test_a_shops_exit_is_where_people_enter_and_leave(
    cloud: Cloud, tmp_path: Path, outcome: Direction, disposition: str | None
) -> None:
    sites = SITES.replace('inside = "floor", role = "doorway"', 'inside = "floor", role = "exit"')
    sites = sites.replace('outside = "backroom", inside = "floor"', 'outside = "street", inside = "floor"')
    sites = sites.replace('"floor"]', '"floor", "street"]')
    load(cloud.database, write_master(tmp_path / "exit", sites=sites), at(0))
    cloud.book(crossing(gate="door-1", outcome=outcome, passage="p"), passage("p", gate="door-1"))
    (event,) = told(cloud)
    assert essence(event)[:2] == ("entering_exiting", disposition)
    assert ("bizLocation" in event) is (outcome is IN)


def test_places_have_the_ids_that_master_data_gives_them(cloud: Cloud, tmp_path: Path) -> None:
    load(cloud.database, write_master(tmp_path / "named", sites=NAMED), at(0))
    cloud.book(
        crossing(seconds=1),
        passage("dock-1-1"),
        crossing(seconds=2, gate="door-1"),
        passage("door-1-2", gate="door-1"),
    )
    assert [essence(event)[2:] for event in told(cloud)] == [
        ("urn:epc:id:sgln:0614141.07346.dock1", "urn:epc:id:sgln:0614141.07346.0"),
        (
            "https://stock.example/store-042/gates/store-042/door-1",
            "https://id.gs1.org/414/0614141073467/254/floor",
        ),
    ]


def test_a_unit_and_those_of_its_declared_contents_that_were_read(cloud: Cloud, tmp_path: Path) -> None:
    contents = f"sscc,gtin,quantity\n{PALLET},{CASE},3\n"
    items = ITEMS + "09506000522135,Honey,each,490,C,AD02\n"
    load(cloud.database, write_master(tmp_path / "declared", contents=contents, items=items), at(0))
    stranger = "AD0200000000000000000001"
    cloud.book(
        *(crossing(epc, passage="p") for epc in (CASE_TAG, OTHER_TAG, stranger, PALLET_TAG, GRAI)),
        passage("p"),
    )
    seen, packed = told(cloud)
    assert seen["type"] == "ObjectEvent"
    assert seen["epcList"] == [CASE_LINK, OTHER_LINK, PALLET_LINK, f"urn:epc:raw:96.x{stranger}"]
    assert packed["type"] == "AggregationEvent"
    assert (packed["parentID"], packed["childEPCs"], packed["action"]) == (
        PALLET_LINK,
        [CASE_LINK, OTHER_LINK],
        "OBSERVE",
    )
    assert essence(packed) == essence(seen)
    assert told(cloud, Manner(BASE, aggregate="together"))[1]["childEPCs"] == [CASE_LINK, OTHER_LINK]


def test_a_unit_of_unknown_contents_is_told_by_itself_unless_a_site_wants_it_otherwise(cloud: Cloud) -> None:
    cloud.book(*(crossing(epc, passage="p") for epc in (CASE_TAG, OTHER_TAG, PALLET_TAG)), passage("p"))
    (seen,) = told(cloud)
    assert seen["epcList"] == [CASE_LINK, OTHER_LINK, PALLET_LINK]
    _, packed = told(cloud, Manner(BASE, aggregate="together"))
    assert (packed["parentID"], packed["childEPCs"]) == (PALLET_LINK, [CASE_LINK, OTHER_LINK])


def test_of_two_units_nobody_knows_which_holds_a_tag(cloud: Cloud) -> None:
    second = "3154257BF4499602D3000000"
    cloud.book(*(crossing(epc, passage="p") for epc in (CASE_TAG, PALLET_TAG, second)), passage("p"))
    assert [event["type"] for event in told(cloud, Manner(BASE, aggregate="together"))] == ["ObjectEvent"]


def test_tags_without_their_unit_are_told_without_it(cloud: Cloud, tmp_path: Path) -> None:
    contents = f"sscc,gtin,quantity\n{PALLET},{CASE},1\n"
    load(cloud.database, write_master(tmp_path / "declared", contents=contents), at(0))
    cloud.book(crossing(CASE_TAG, passage="p"), crossing(PALLET_TAG, passage="p"), passage("p"))
    cloud.book(crossing(CASE_TAG, seconds=9, gate="door-1", passage="q"), passage("q", 12, gate="door-1"))
    assert [event["type"] for event in told(cloud)] == ["ObjectEvent", "AggregationEvent", "ObjectEvent"]


def test_nothing_is_told_of_what_booked_nothing(cloud: Cloud) -> None:
    cloud.book(
        crossing(confidence=0.5, passage="a"), crossing(outcome=Direction.TURNED_BACK, passage="b"),
        crossing(GRAI, passage="c"), crossing("AD02000000000000000000FF", passage="d"),
        *(passage(name) for name in "abcd"), change(),
    )  # fmt: skip
    assert told(cloud) == []


def test_a_second_entry_without_an_exit_is_told_only_where_it_moved_something(cloud: Cloud) -> None:
    cloud.book(crossing(seconds=1), passage("dock-1-1"), crossing(seconds=9), passage("dock-1-9", 12))
    assert [event["stockbeat:passage"] for event in told(cloud)] == ["dock-1-1"]
    cloud.book(crossing(seconds=20, gate="door-1", outcome=OUT), passage("door-1-20", 22, gate="door-1"))
    assert len(told(cloud)) == 1  # it was in the backroom already, as far as the ledger knows
    cloud.book(crossing(seconds=30, gate="door-1"), passage("door-1-30", 32, gate="door-1"))
    assert len(told(cloud)) == 2


def test_a_tag_that_is_identified_later_is_told_then_and_the_others_not_again(
    cloud: Cloud, tmp_path: Path
) -> None:
    late = "AD0200000000000000000001"
    cloud.book(crossing(CASE_TAG, passage="p"), crossing(late, passage="p"), passage("p"))
    (first,) = told(cloud)
    assert first["epcList"] == [CASE_LINK]
    items = ITEMS + "09506000522135,Honey,each,490,C,AD02\n"
    load(cloud.database, write_master(tmp_path / "more", items=items), at(0))
    cloud.book(crossing(late, seconds=60, gate="door-1", passage="q"), passage("q", 62, gate="door-1"))
    assert told(cloud)[0]["epcList"] == [CASE_LINK, f"urn:epc:raw:96.x{late}"]


def test_a_passage_that_has_not_ended_is_waited_for_and_not_for_ever(cloud: Cloud) -> None:
    cloud.book(crossing())
    assert told(cloud) == []
    assert [event["epcList"] for event in told(cloud, now=at(3600 + 61))] == [[CASE_LINK]]
    assert "stockbeat:load" not in told(cloud, now=at(3600 + 61))[0]
    cloud.book(passage("dock-1-2.7"))
    assert len(told(cloud)) == 1


def test_a_move_to_another_site_is_told_by_the_gate_that_saw_it(cloud: Cloud) -> None:
    cloud.book(crossing(seconds=1), passage("dock-1-1"))
    cloud.book(crossing(seconds=50), passage("dock-1-50", 52), edge="store-007")
    first, second = sorted(told(cloud), key=lambda event: str(event["eventTime"]))
    assert (first["stockbeat:edge"], second["stockbeat:edge"]) == ("store-042", "store-007")
    assert second["eventTimeZoneOffset"] == "+00:00"  # Lisbon, in November


def test_either_form_of_ids_says_the_same_under_the_same_id(cloud: Cloud, tmp_path: Path) -> None:
    contents = f"sscc,gtin,quantity\n{PALLET},{CASE},1\n"
    load(cloud.database, write_master(tmp_path / "declared", contents=contents), at(0))
    cloud.book(crossing(CASE_TAG, passage="p"), crossing(PALLET_TAG, passage="p"), passage("p"))
    links, urns = told(cloud), told(cloud, Manner(BASE, ids="urn"))
    assert urns[1]["parentID"] == "urn:epc:id:sscc:0614141.1234567890"
    assert urns[1]["childEPCs"] == ["urn:epc:id:sgtin:0614141.812345.6789"]
    assert [event["eventID"] for event in links] == [event["eventID"] for event in urns]


def test_since_and_until(cloud: Cloud) -> None:
    for second in (1, 100, 200):
        cloud.book(crossing(OTHER_TAG, OUT if second == 100 else IN, second), passage(f"dock-1-{second}"))
    assert len(told(cloud)) == 3
    assert len(told(cloud, since=at(100))) == 2
    assert len(told(cloud, until=at(100))) == 1
    assert len(told(cloud, since=at(100), until=at(200))) == 1


def test_many_passages_are_gone_through_in_portions(cloud: Cloud) -> None:
    for second in range(1, 700, 7):
        epcs = [f"3074257BF7194E400{second:04X}{n:03X}" for n in range(7)]
        name = f"p{second}"
        cloud.book(*(crossing(epc, seconds=second, passage=name) for epc in epcs), passage(name, second + 2))
    events = told(cloud)
    assert [len(event["epcList"]) for event in events] == [7] * 100
    assert [event["stockbeat:passage"] for event in events] == [f"p{second}" for second in range(1, 700, 7)]


def test_as_a_document_and_as_lines(cloud: Cloud) -> None:
    cloud.book(
        crossing(seconds=1), passage("dock-1-1"), crossing(seconds=5, outcome=OUT), passage("dock-1-5", 7)
    )
    events = told(cloud)
    assert json.loads("".join(document_text(events, cloud.now))) == document(events, cloud.now)
    assert json.loads("".join(document_text([], cloud.now))) == document([], cloud.now)
    written = [json.loads(line) for line in lines(events)]
    assert [event_id(event, event["@context"]) for event in written] == [event["eventID"] for event in events]
