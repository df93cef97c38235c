"""Hash ids of events: by texts written out by hand, and equal to the reference generator's for its examples."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from cloud.epcis.hashid import event_id, event_ids, pre_hash

DATA = Path(os.environ.get("STOCKBEAT_DATA") or Path(__file__).parents[4] / "shared" / "data")
HASHES = DATA / "epcis" / "hashes"
# Examples that are there as JSON; the others have their hashes only.
NAMES = sorted(path.stem for path in HASHES.glob("*.jsonld"))

# The receiving event of EPCIS 2.0's own example 9.6.1, with the text that CBV 2.0, section 8.9 makes of it.
RECEIVING: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2005-04-04T20:33:31.116-06:00",
    "eventTimeZoneOffset": "-06:00",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2018", "urn:epc:id:sgtin:0614141.107346.2017"],
    "action": "OBSERVE",
    "bizStep": "receiving",
    "disposition": "in_progress",
    "readPoint": {"id": "urn:epc:id:sgln:0012345.11111.400"},
    "bizLocation": {"id": "urn:epc:id:sgln:0012345.11111.0"},
}
RECEIVING_TEXT = (
    "eventType=ObjectEvent"
    "eventTime=2005-04-05T02:33:31.116Z"
    "eventTimeZoneOffset=-06:00"
    "epcListepc=https://id.gs1.org/01/10614141073464/21/2017epc=https://id.gs1.org/01/10614141073464/21/2018"
    "action=OBSERVE"
    "bizStep=https://ref.gs1.org/cbv/BizStep-receiving"
    "disposition=https://ref.gs1.org/cbv/Disp-in_progress"
    "readPointid=https://id.gs1.org/414/0012345111112/254/400"
    "bizLocationid=https://id.gs1.org/414/0012345111112"
)


def test_an_event_written_out_by_hand() -> None:
    assert pre_hash(RECEIVING) == RECEIVING_TEXT
    digest = hashlib.sha256(RECEIVING_TEXT.encode()).hexdigest()
    assert event_id(RECEIVING) == f"ni:///sha-256;{digest}?ver=CBV2.0"


@pytest.mark.parametrize(
    "change",
    [
        {"eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8"},
        {"recordTime": "2026-11-22T09:00:00Z"},
        {"errorDeclaration": {"declarationTime": "2026-11-22T09:00:00Z", "reason": "incorrect_data"}},
        {"rdfs:comment": "for people"},
        {"epcList": RECEIVING["epcList"][::-1]},
        {"epcList": [f"https://example.com/shop/01/10614141073464/21/{n}?x=1" for n in (2017, 2018)]},
        {"eventTime": "2005-04-05T02:33:31.1159Z"},
        {"bizStep": "cbv:BizStep-receiving"},
        {"bizStep": "https://ref.gs1.org/cbv/BizStep-receiving"},
        {"disposition": "urn:epcglobal:cbv:disp:in_progress"},
        {"bizLocation": {"id": "https://id.gs1.org/414/0012345111112"}},
    ],
)
def test_what_says_the_same_has_the_same_id(change: dict[str, Any]) -> None:
    again = dict(reversed((RECEIVING | change).items()))
    assert pre_hash(again) == RECEIVING_TEXT


@pytest.mark.parametrize(
    "change",
    [
        {"eventTime": "2005-04-04T20:33:31.117-06:00"},
        {"eventTimeZoneOffset": "-05:00"},
        {"action": "ADD"},
        {"epcList": RECEIVING["epcList"][:1]},
        {"stockbeat:gate": "dock-1"},
    ],
)
def test_what_says_something_else_has_another(change: dict[str, Any]) -> None:
    assert event_id(RECEIVING | change) != event_id(RECEIVING)


def test_properties_of_others_come_last_in_the_order_of_their_texts() -> None:
    context = ["https://ref.gs1.org/…", {"b": "https://b.example/"}, {"a": "https://a.example#"}]
    more = {
        "b:many": [3, 1.50, True],
        "a:deep": {"b:two": "2", "a:one": {"x": 0}},
        "https://c.example/d": None,
    }
    assert pre_hash(RECEIVING | more, context) == RECEIVING_TEXT + (
        "{https://a.example#}deep{https://a.example#}onex=0{https://b.example/}two=2"
        "{https://b.example/}many=1.5{https://b.example/}many=3{https://b.example/}many=true"
        "{https://c.example/}d=None"
    )


def test_an_aggregation_written_out_by_hand() -> None:
    event = {
        "type": "AggregationEvent",
        "eventTime": "2026-11-22T09:00:02.7Z",
        "eventTimeZoneOffset": "+01:00",
        "parentID": "urn:epc:id:sscc:0614141.1234567890",
        "childEPCs": ["urn:epc:id:sgtin:0614141.812345.6789"],
        "action": "OBSERVE",
    }
    assert pre_hash(event) == (
        "eventType=AggregationEventeventTime=2026-11-22T09:00:02.700ZeventTimeZoneOffset=+01:00"
        "parentID=https://id.gs1.org/00/106141412345678908"
        "childEPCsepc=https://id.gs1.org/01/80614141123458/21/6789action=OBSERVE"
    )


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a time with its zone.*not '2026-11-22T09:00:00'"):
        event_id(RECEIVING | {"eventTime": "2026-11-22T09:00:00"})


def test_leap_milliseconds_carry_into_the_next_day() -> None:
    text = pre_hash(RECEIVING | {"eventTime": "2026-12-31T23:59:59.9995Z"})
    assert "eventTime=2027-01-01T00:00:00.000Z" in text


@pytest.mark.data
@pytest.mark.skipif(not HASHES.is_dir(), reason=f"{HASHES} is absent: set STOCKBEAT_DATA")
def test_all_examples_are_here() -> None:
    assert len(NAMES) == 22


@pytest.mark.data
@pytest.mark.parametrize("name", NAMES)
def test_the_reference_generators_examples(name: str) -> None:
    document = json.loads((HASHES / f"{name}.jsonld").read_text("utf-8"))
    assert event_ids(document) == (HASHES / f"{name}.hashes").read_text("utf-8").split()
