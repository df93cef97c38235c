import pytest

from cloud.series.points import event
from tests.support.said import ENVELOPES, at

RECEIVED = at(50, 5)
PLACES = {("store-042", "aisle-1", "A1"): "A1 left"}
EXPECTED = {
    "tag_movement": "crossing,site=shop,edge=store-042,gate=dock-1,outcome=in "
    'epc="3074257BF7194E4000001A85",confidence=0.98,reads=41i 1795338002700000002',
    "tag_movement_undecided": "crossing,site=shop,edge=store-042,gate=dock-1,outcome=undecided "
    'epc="3074257BF7194E4000001A86",confidence=0.55,reads=2i 1795338002700000003',
    "passage": "passage,site=shop,edge=store-042,gate=dock-1 "
    "ins=24i,outs=0i,turned_back=0i,undecided=1i,strays=7i,seconds=4.88,healthy=true 1795338005000000004",
    "shelf_change": "shelf_change,site=shop,edge=store-042,shelf=aisle-1,bay=A1,outcome=ok,item=09506000134352 "
    "units=-1i,grams=-329.3,confidence=0.99,level_grams=991.2 1795338301900000005",
    "shelf_change_ambiguous": "shelf_change,site=shop,edge=store-042,shelf=aisle-1,bay=A1,outcome=ambiguous "
    "grams=-335.9,confidence=0.6,level_grams=991.2 1795338301900000006",
    "device_up": "device_event,site=shop,edge=store-042,device=dock-1,what=up "
    'detail="firmware 5.12",up=1i 1795338000500000007',
    "device_down": "device_event,site=shop,edge=store-042,device=aisle-1,what=down "
    'detail="/dev/ttyUSB0: the device closed the connection",up=0i 1795338009000000008',
    "blind": "device_event,site=shop,edge=store-042,device=aisle-1,what=blind "
    'detail="unplugged",blind_s=21.0 1795338030000000009',
    "shelf_change_to_confirm": "shelf_change,site=shop,edge=store-042,shelf=aisle-1,bay=A1,outcome=ambiguous "
    "grams=8085.4,confidence=0.55,level_grams=8101.0 1795338301900000014",
    "shelf_change_moved": "shelf_change,site=shop,edge=store-042,shelf=aisle-1,bay=A1,outcome=ok,item=09506000134369 "
    "units=1i,grams=510.2,confidence=0.95,level_grams=1501.4 1795338301900000015",
    "bay_state": "bay_state,site=shop,edge=store-042,shelf=aisle-1,bay=A1,state=service,place=A1\\ left "
    'count=1i,counting=0i,reason="cleaning" 1795338042000000012',
    "bay_fill": "bay_fill,site=shop,edge=store-042,shelf=aisle-1,bay=A1,state=low,place=A1\\ left,item=09506000134352 "
    "count=1i,units=3i,capacity=24i,facings=4i,fraction=0.125 1795338301900000013",
    "run_started": "",
    "missing": "",
    "watermark": "",
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_every_event_that_can_be_said_has_its_point_or_none(name: str) -> None:
    assert event("shop", ENVELOPES[name], RECEIVED, PLACES) == EXPECTED[name]


def test_an_event_from_the_future_is_at_its_receipt() -> None:
    received = at(1)
    point = event("shop", ENVELOPES["passage"], received, PLACES)
    assert point.endswith(f" {int(received.timestamp()) * 10**9 + ENVELOPES['passage'].seq}")


def test_a_bay_that_is_not_known_any_more_has_no_place() -> None:
    assert ",place=" not in event("shop", ENVELOPES["bay_state"], RECEIVED, {})
