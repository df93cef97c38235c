"""What a page shows, asked of a ledger that was filled by hand."""

from datetime import timedelta

import pytest

from cloud.web.questions.alert_list import alerts_to_show
from cloud.web.questions.door_feed import door_feed, traffic_since
from cloud.web.questions.open_work import NEWEST, open_incidents, open_tasks
from cloud.web.questions.shelf_levels import Bay, Proof, shelf_levels
from cloud.web.questions.site_health import site_health
from cloud.web.questions.sites import Site
from cloud.web.questions.snapshot import Snapshot
from tests.support.scene import BOTTLE, CAN, CASE, ITEMS, NOON, OIL, TAG, TISSUES, Scene

SITE = 1


def _bay(scene: Scene, name: str) -> Bay:
    with scene.database.read() as connection:
        shelves = shelf_levels(connection, SITE)
    return next(bay for shelf in shelves for bay in shelf.bays if bay.bay == name)


def test_a_bay_that_was_never_filled_is_empty_and_unproven(scene: Scene) -> None:
    (stand,) = _bay(scene, "A1").stands
    assert (stand.gtin, stand.units, stand.capacity, stand.proof, stand.threshold) == (CAN, 0, 24, None, None)


def test_the_newest_movement_proves_a_figure_until_a_weight_at_rest_agrees(scene: Scene) -> None:
    scene.move(CAN, "opening", "A1", 20, kind="opening", ago_s=600)
    assert _bay(scene, "A1").stands[0].proof == Proof(NOON - timedelta(seconds=600), "opening")
    scene.level("A1", 6600.0, 20, stable=False)
    assert _bay(scene, "A1").stands[0].proof == Proof(NOON - timedelta(seconds=600), "opening")
    scene.level("A1", 6600.0, 20)
    assert _bay(scene, "A1").stands[0].proof == Proof(NOON, "weighed")


def test_a_scale_that_says_otherwise_is_shown_but_books_nothing(scene: Scene) -> None:
    scene.move(CAN, "opening", "A1", 20, kind="opening", ago_s=600)
    scene.level("A1", 6270.0, 19)
    bay = _bay(scene, "A1")
    assert bay.weight is not None
    assert (bay.weight.units, bay.weight.differs, bay.stands[0].units) == (19, True, 20)
    assert bay.stands[0].proof == Proof(NOON - timedelta(seconds=600), "opening")


def test_a_moving_scale_does_not_differ_yet(scene: Scene) -> None:
    scene.move(CAN, "opening", "A1", 20, kind="opening")
    scene.level("A1", 6100.0, 18, stable=False)
    weight = _bay(scene, "A1").weight
    assert weight is not None
    assert not weight.differs


def test_the_weight_of_a_mixed_bay_is_no_count_of_one_of_its_items(scene: Scene) -> None:
    scene.move(OIL, "opening", "A5", 9, kind="opening")
    scene.level("A5", 8000.0, 9)
    bay = _bay(scene, "A5")
    assert {stand.gtin for stand in bay.stands} == {OIL, TISSUES}
    assert bay.weight is not None
    assert (bay.weight.units, bay.weight.differs) == (None, False)


def test_a_threshold_is_the_rules_even_before_it_ever_judged(scene: Scene) -> None:
    scene.rules()
    threshold = _bay(scene, "A1").stands[0].threshold
    assert threshold is not None
    assert (threshold.limit, threshold.clear, threshold.state) == (4, 8, "ok")


def test_a_firing_rule_marks_the_bay(scene: Scene) -> None:
    scene.rules()
    scene.alert("A5", TISSUES, "low")
    assert _bay(scene, "A5").state == "firing"
    assert [stand.state for stand in _bay(scene, "A5").stands] == ["ok", "firing"]
    assert _bay(scene, "A1").state == "ok"


def test_an_uncertain_bay_says_why(scene: Scene) -> None:
    scene.level("A2", 100.0, None, uncertain="412 g fits no item")
    assert _bay(scene, "A2").uncertain == "412 g fits no item"
    assert _bay(scene, "A1").uncertain == ""


def test_a_shelf_whose_scale_is_down_says_why(scene: Scene) -> None:
    scene.device("aisle-1", "down", "unplugged")
    scene.device("aisle-2", "up", "model X")
    with scene.database.read() as connection:
        down = {shelf.shelf: shelf.down for shelf in shelf_levels(connection, SITE)}
    assert (down["aisle-1"], down["aisle-2"], down["aisle-3"]) == ("unplugged", None, None)


def test_tags_that_went_alike_are_one_line_and_the_least_sure_is_told(scene: Scene) -> None:
    scene.load("dock-1", {
        TAG.format(1): ("in", "received", 0.99), TAG.format(2): ("in", "received", 0.91),
        TAG.format(3): ("undecided", "undecided", 0.5),
    }, strays=4, healthy=False)  # fmt: skip
    with scene.database.read() as connection:
        (load,) = door_feed(connection, SITE)
    assert [(line.outcome, line.tags, line.confidence, line.held) for line in load.lines] == [
        ("in", 2, 0.91, False),
        ("undecided", 1, 0.5, True),
    ]
    assert (load.gate, load.strays, load.healthy, load.at) == ("dock-1", 4, False, NOON)


def test_a_tag_that_no_item_claims_is_named_by_what_it_says(scene: Scene) -> None:
    scene.load("dock-1", {"30340242201D8840000F4240": ("in", "unclaimed", 0.99)})
    scene.load("dock-2", {"3174257BF4499602D2000000": ("in", "unclaimed", 0.99)})
    scene.load("dock-2", {"ADADADAD": ("in", "unclaimed", 0.99)}, ago_s=5)
    crates = {f"3374257BF40C0E40000016{n}": ("in", "ignored", 0.99) for n in ("2E", "2F")}
    assets = crates | {"3474257BF40000000000162E": ("in", "ignored", 0.99)}
    scene.load("dock-2", assets, ago_s=4, registered=False)
    with scene.database.read() as connection:
        named = [line.what for load in door_feed(connection, SITE) for line in load.lines]
    assert sorted(named) == [
        "GIAI 06141415678",
        "GRAI 00614141123452",
        "GTIN 00037000302414",
        "SSCC 106141412345678908",
        "tag ADADADAD…",
    ]


def test_a_tag_that_was_never_judged_is_named_by_its_items_gtin(scene: Scene) -> None:
    """As one that turned back: it is in no registry, yet everybody knows what it is."""
    tags = ["3054257BF7194E5F65000024", "3054257BF7194E5F6500002A", TAG.format(7)]
    scene.load("dock-1", dict.fromkeys(tags, ("turned_back", "turned_back", 0.99)), registered=False)
    scene.load("dock-2", {"30340242201D8840000F4240": ("in", "unclaimed", 0.99)})
    with scene.database.read() as connection:
        lines = {line for load in door_feed(connection, SITE) for line in load.lines}
    assert {(line.what, line.claimed, line.tags) for line in lines} == {
        (ITEMS[CASE], True, 3),
        ("GTIN 00037000302414", False, 1),
    }


def test_the_newest_load_comes_first_and_old_ones_fall_off(scene: Scene) -> None:
    for n in range(15):
        scene.load("dock-1", {TAG.format(n): ("in", "received", 0.99)}, ago_s=100 - n)
    with scene.database.read() as connection:
        loads = door_feed(connection, SITE)
        crossed = traffic_since(connection, SITE, NOON - timedelta(seconds=95))
    assert [load.at for load in loads] == [NOON - timedelta(seconds=86 + n) for n in range(12)]
    assert (crossed.ins, crossed.outs) == (10, 0)


def test_alerts_to_do_come_before_those_seen_and_those_cleared(scene: Scene) -> None:
    cleared = scene.alert("A2", BOTTLE, "over", cleared_at=NOON, ago_s=50)
    seen = scene.alert("A5", OIL, "seen", ago_s=5, acknowledged_at=NOON, acknowledged_by="floor")
    older = scene.alert("A1", CAN, "older", ago_s=90)
    newer = scene.alert("A5", TISSUES, "newer", ago_s=80)
    scene.alert("A2", BOTTLE, "long over", cleared_at=NOON - timedelta(hours=13), ago_s=90_000)
    with scene.database.read() as connection:
        shown = alerts_to_show(connection, SITE, NOON - timedelta(hours=12), 50)
    assert [alert.id for alert in shown] == [newer, older, seen, cleared]


def test_an_alert_says_what_there_was_and_what_there_is(scene: Scene) -> None:
    scene.move(CAN, "opening", "A1", 3, kind="opening")
    scene.alert("A1", CAN, "A1: 3 of 24 left.")
    scene.alert("A2", BOTTLE, "never filled")
    scene.move(CAN, "opening", "A1", 3, kind="opening")
    with scene.database.read() as connection:
        shown = alerts_to_show(connection, SITE, NOON - timedelta(hours=12), 50)
    assert {alert.place: (alert.value, alert.units) for alert in shown} == {
        "A1": (3.0, 6.0),
        "A2": (3.0, 0.0),
    }


def test_everything_open_is_counted_and_the_newest_are_listed(scene: Scene) -> None:
    for n in range(NEWEST + 3):
        scene.task("undecided", f"load {n}")
    scene.task("recount", "A1")
    scene.incident("negative_stock", "A1")
    with scene.database.read() as connection:
        tasks, incidents = open_tasks(connection, SITE), open_incidents(connection, SITE)
    assert (tasks.total, tasks.counts, tasks.newest[0].subject) == (12, {"undecided": 11, "recount": 1}, "A1")
    assert len(tasks.newest) == NEWEST
    assert incidents.counts == {"negative_stock": 1}


@pytest.mark.parametrize(
    "presence, faults, device, well",
    [
        ("online", [], "up", True),
        ("offline", [], "up", False),
        ("online", ["no acknowledgement for 60 s"], "up", False),
        ("online", [], "down", False),
    ],
)
def test_an_edge_is_well_when_it_and_its_devices_are(
    scene: Scene, presence: str, faults: list[str], device: str, well: bool
) -> None:
    scene.presence(presence)
    scene.agent(faults=faults, events_held=3)
    scene.device("dock-1", device, "why")
    with scene.database.read() as connection:
        (edge,) = site_health(connection, SITE)
    assert edge.well is well
    assert edge.agent is not None
    assert (edge.agent.events_held, edge.agent.faults) == (3, tuple(faults))


def test_an_agent_that_fell_silent_while_it_is_said_to_be_online_is_noticed(scene: Scene) -> None:
    scene.presence("online", ago_s=900)
    scene.agent()
    with scene.database.read() as connection:
        for seconds, silent in ((29, False), (31, True)):
            site = Site(SITE, "store-042", "Europe/Paris", 0)
            snapshot = Snapshot(connection, site, NOON + timedelta(seconds=seconds))
            assert snapshot.silent(snapshot.edges[0]) is silent
