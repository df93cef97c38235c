"""What measures shelves, measured itself: scores, what is decidable, peers, and a small world played through."""

from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks import page, shelf_peers, shelves
from benchmarks.page import markers
from benchmarks.shelf_play import Answer, State, Told, answers, play
from benchmarks.shelf_scores import Score, clusters, decidable, score, spread_of, warned
from simulators.shelves.cases import CASES
from simulators.shelves.device import board
from simulators.shelves.goods import Goods
from simulators.shelves.making import Making
from simulators.shelves.site import Place
from simulators.shelves.world import BEGAN, Happened, World
from wire.events import Change, Clock, Condition, ShelfChange

ONE = Goods("09506000000011", 330.0, 0.01, 330.0, 0.01)
OTHER = Goods("09506000000028", 505.0, 0.01, 505.0, 0.01)
CLOSE = Goods("09506000000035", 342.0, 0.01, 342.0, 0.01)

BEGIN, END = markers("shelves")


def _place(*kinds: Goods) -> Place:
    return Place(name="A1", cells=(0,), kinds=kinds, capacity=24, tare_grams=0.0)


def _world(*happened: Happened, kinds: tuple[Goods, ...] = (ONE,), opening: int = 10) -> World:
    make = Making(name="scored", seed=1, full=15_000.0, device_kind="board-80", hiss=0.2)
    make.device = board(make.rng, 80.0)
    make.bay(*kinds, capacity=12)
    world = make.world()
    world.happened = list(happened)
    world.opening = {"A1": {ONE.gtin: opening}}
    moved = sum(each.units.get(ONE.gtin, 0) for each in happened)
    world.closing = {"A1": {ONE.gtin: opening + moved}}
    return world


def _took(units: int, at_s: float = 20.0, gtin: str = ONE.gtin) -> Happened:
    return Happened(at_s, at_s + 0.5, "A1", "pick", {gtin: units} if units else {}, units * 330.0)


def _thing(grams: float, at_s: float = 20.0, *, stays: bool = False) -> Happened:
    return Happened(at_s, at_s + 0.5, "A1", "thing", {}, grams, grams, stays=stays)


def _said(
    units: dict[str, int] | None, at_s: float = 20.0, confidence: float = 0.99, *, sure: bool = True
) -> Answer:
    return Answer(at_s - 0.2, at_s + 0.7, at_s + 1.9, "A1", units, sure and units is not None, confidence)


def _counts(world: World, *said: Answer, states: tuple[State, ...] = ()) -> tuple[int, int, int, int]:
    one = score(world, Told(list(said), {}, states=list(states)))
    assert one.moves == one.right + one.wrong + one.abstained + one.missed
    return one.right, one.wrong, one.abstained, one.missed


def test_a_move_is_right_wrong_left_open_or_missed() -> None:
    world = _world(_took(-1))
    assert _counts(world, _said({ONE.gtin: -1})) == (1, 0, 0, 0)
    assert _counts(world, _said({ONE.gtin: -2})) == (0, 1, 0, 0)
    assert _counts(world, _said({ONE.gtin: 1})) == (0, 1, 0, 0)
    assert _counts(world, _said({OTHER.gtin: -1})) == (0, 1, 0, 0)
    assert _counts(world, _said(None)) == (0, 0, 1, 0)
    assert _counts(world, _said({ONE.gtin: -1}, sure=False)) == (0, 0, 1, 0)
    assert _counts(world) == (0, 0, 0, 1)


def test_merged_moves_are_right_when_their_sum_is() -> None:
    world = _world(_took(-1, 20.0), _took(-1, 21.0), _took(-1, 22.0))
    long = Answer(19.8, 22.8, 24.0, "A1", {ONE.gtin: -3}, True, 0.99)
    assert _counts(world, long) == (3, 0, 0, 0)
    assert _counts(world, _said({ONE.gtin: -1}, 20.0), _said({ONE.gtin: -1}, 21.0), _said({ONE.gtin: -1}, 22.0)) == (
        3, 0, 0, 0,
    )  # fmt: skip
    short = Answer(19.8, 22.8, 24.0, "A1", {ONE.gtin: -2}, True, 0.99)
    assert _counts(world, short) == (2, 1, 0, 0)


def test_moves_far_apart_are_judged_apart() -> None:
    world = _world(_took(-1, 20.0), _took(-1, 30.0))
    assert _counts(world, _said({ONE.gtin: -1}, 20.0)) == (1, 0, 0, 1)
    assert _counts(world, _said({ONE.gtin: -2}, 20.0)) == (0, 1, 0, 1)


def test_a_claim_beside_something_left_open_is_wrong_only_if_it_is_too_much() -> None:
    world = _world(_took(-2))
    assert _counts(world, _said({ONE.gtin: -1}), _said(None)) == (0, 0, 1, 0)
    assert _counts(world, _said({ONE.gtin: -3}), _said(None)) == (0, 1, 0, 0)
    assert _counts(world, _said({ONE.gtin: 1}), _said(None)) == (0, 1, 0, 0)


def test_where_nothing_happened_anything_said_counts_against() -> None:
    world = _world()
    assert _counts(world) == (0, 0, 0, 0)
    assert _counts(world, _said({ONE.gtin: -1})) == (0, 1, 0, 0)
    assert _counts(world, _said(None)) == (0, 0, 1, 0)


def test_hands_want_silence_and_things_that_stay_want_a_word() -> None:
    hand = _world(Happened(20.0, 30.0, "A1", "hand", {}, 0.0))
    assert _counts(hand) == (1, 0, 0, 0)
    assert _counts(hand, _said(None, 22.0)) == (0, 0, 1, 0)
    assert _counts(hand, _said({ONE.gtin: 1}, 22.0), _said({ONE.gtin: -1}, 29.0)) == (
        1,
        0,
        0,
        0,
    )  # nets to nothing
    passing, lasting = _world(_thing(900.0)), _world(_thing(900.0, stays=True))
    for world in (passing, lasting):
        assert _counts(world, _said(None)) == (1, 0, 0, 0)
        assert _counts(world, _said({ONE.gtin: 3})) == (0, 1, 0, 0)
    assert _counts(passing) == (1, 0, 0, 0)
    assert _counts(lasting) == (0, 0, 0, 1)


def test_what_a_bays_state_says_is_no_miss() -> None:
    world = _world(_took(-1, 20.0))
    check, fine = State(5.0, "A1", Condition.NEEDS_CHECK), State(10.0, "A1", Condition.OK)
    assert _counts(world, states=(check,)) == (0, 0, 1, 0)
    assert _counts(world, states=(check, fine)) == (0, 0, 0, 1)
    assert _counts(world, states=(State(5.0, "A1", Condition.UNCERTAIN),)) == (
        0,
        0,
        0,
        1,
    )  # of something before
    assert _counts(world, states=(State(22.0, "A1", Condition.UNCERTAIN),)) == (0, 0, 1, 0)
    assert not warned([State(22.0, "A1", Condition.SERVICE)], 20.0, 21.0)


def test_answers_chain_what_they_cover() -> None:
    found = clusters(
        [_took(-1, 20.0), _took(-1, 22.0), _took(-1, 40.0)], [Answer(20.2, 22.1, 23.0, "A1", {}, True, 1.0)]
    )
    assert [(len(one.happened), len(one.answers)) for one in found] == [(2, 1), (1, 0)]


def test_delays_count_from_the_end_of_the_hand_and_confidence_from_whether_it_was_right() -> None:
    one = score(_world(_took(-1)), Told([_said({ONE.gtin: -1}, confidence=0.93)], {}))
    assert one.delays_s == pytest.approx([1.4])
    assert one.sure == [(0.93, True)]
    assert score(_world(_took(-1)), Told([_said({ONE.gtin: -2}, confidence=0.93)], {})).sure == [
        (0.93, False)
    ]


def test_levels_are_right_wrong_or_not_said() -> None:
    def level(units: int | None, *states: State) -> Score:
        world = _world(_took(-1))
        world.places[0].kinds = (ONE,)
        return score(world, Told([_said({ONE.gtin: -1})], {"A1": {ONE.gtin: units}}, states=list(states)))

    assert (level(9).level_right, level(9).level_error, level(9).balance_error) == (1, 0, 0)
    assert (level(7).level_right, level(7).level_error) == (0, 2)
    assert level(None).level_unknown == 1
    assert level(9, State(30.0, "A1", Condition.UNCERTAIN)).level_unknown == 1


def test_decidable_is_what_spread_and_noise_leave() -> None:
    assert decidable(_place(ONE), {ONE.gtin: -1}, 0.5)
    assert not decidable(_place(ONE), {ONE.gtin: -1}, 60.0)  # six times the noise is more than a unit
    assert decidable(_place(ONE, OTHER), {ONE.gtin: -1, OTHER.gtin: -1}, 0.5)
    assert not decidable(_place(ONE, CLOSE), {ONE.gtin: -1}, 0.5)
    assert not decidable(_place(ONE), {OTHER.gtin: 1}, 0.5)  # of nothing that belongs there
    # Independent spread alone allows (0.5 / 3 cv)^2 units in one move; bias of the noted weight and batch, far fewer.
    wide = Goods(ONE.gtin, 330.0, 0.03, 330.0, 0.03)
    counts = [n for n in range(1, 40) if decidable(_place(wide), {ONE.gtin: n}, 0.1)]
    assert counts == list(range(1, len(counts) + 1))
    assert 5 <= len(counts) < (0.5 / (3 * 0.03)) ** 2


def test_a_spread_is_that_of_its_parts() -> None:
    assert spread_of([], 0.7) == 0.7
    by_unit, by_note, by_batch = 2.0 * 3.3, 4 * 330.0 * 0.01 / 8**0.5, 4 * 330.0 * 0.01
    assert spread_of([(ONE, -4)], 0.5) == pytest.approx((0.25 + by_unit**2 + by_note**2 + by_batch**2) ** 0.5)


def _event(gtin: str | None, units: int | None, outcome: Change = Change.OK, **more: object) -> ShelfChange:
    at = BEGAN + timedelta(seconds=20)
    given = {"at": at, "clock": Clock.SYNCED, "boot": "b", "mono_ms": round(at.timestamp() * 1000), "shelf": "aisle-1",
             "bay": "A1", "outcome": outcome, "item": gtin, "units": units, "grams": -330.0, "confidence": 0.9,
             "from_at": at - timedelta(seconds=1), "to_at": at + timedelta(seconds=1), "level_grams": 0.0,
             "decided_at": at + timedelta(seconds=2)}  # fmt: skip
    return ShelfChange(**(given | more))  # type: ignore[arg-type]  # a test's shorthand


def test_events_of_one_moment_are_one_answer_and_doubts_are_not_sure() -> None:
    (both,) = answers([_event(ONE.gtin, -1), _event(OTHER.gtin, -1)])
    assert (both.units, both.sure) == ({ONE.gtin: -1, OTHER.gtin: -1}, True)
    assert (both.from_s, both.to_s, both.decided_s) == (19.0, 21.0, 22.0)
    assert [one.sure for one in answers([_event(None, None, Change.UNKNOWN_MASS)])] == [False]
    assert [one.sure for one in answers([_event(ONE.gtin, 24, confirm=True)])] == [False]
    assert [one.sure for one in answers([_event(ONE.gtin, -1, Change.AMBIGUOUS)])] == [False]
    assert [one.sure for one in answers([_event(ONE.gtin, -1, Change.OFFLINE_CHANGE)])] == [True]


@pytest.fixture(scope="module")
def plain() -> World:
    """Three heavy units, seconds apart, on a good board."""
    make = Making(name="plain", seed=11, full=15_000.0, device_kind="board-10", hiss=0.2)
    kind = make.goods(grams=330.0, cv=0.005)
    bay = make.bay(kind, capacity=12, filled=0.7)
    for _ in range(3):
        make.wait(6.0, 8.0)
        make.take(bay, {kind.gtin: 1})
    return make.world()


def test_peers_count_what_is_easy(plain: World) -> None:
    for peer in (shelf_peers.one_second, shelf_peers.aim3s):
        one = score(plain, peer(plain))
        assert (one.right, one.wrong, one.moves) == (3, 0, 3)
        assert one.level_right == 1


def test_the_published_rule_misses_what_is_light_or_slow() -> None:
    make = Making(name="light", seed=11, full=3_000.0, device_kind="board-10", hiss=0.05)
    kind = make.goods(grams=20.0, cv=0.005)
    bay = make.bay(kind, capacity=12, filled=0.7)
    make.wait()
    make.take(bay, {kind.gtin: 1})
    assert shelf_peers.aim3s(make.world()).answers == []


def test_the_aggregator_counts_what_is_easy(plain: World) -> None:
    one = score(plain, play(plain))
    assert (one.right, one.wrong, one.moves) == (3, 0, 3)
    assert one.details == []


@pytest.mark.parametrize("name", ["power_restart", "told_fault", "clock_jump", "untidy", "power_sensor"])
def test_worlds_with_signs_can_be_played(name: str) -> None:
    world = CASES[name](7)
    assert score(world, play(world)).moves >= 2


def test_a_report_says_it_all_and_goes_between_the_markers(tmp_path: Path) -> None:
    results = shelves.run(["single", "lean"], [1], 1, jobs=1)
    to, plot = tmp_path / "benchmarks.md", tmp_path / "images" / "plot.png"
    to.write_text(f"before\n{BEGIN}\nthe last figures\n{END}\nafter\n", "utf-8")
    shelves.write(results, "Measured today.", to, plot)
    text = to.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "the last figures" not in text
    assert "\n\nMeasured today.\n\n" in text
    assert "- `lean`: somebody leans" in text
    assert text.count("\n| single ") == 3
    assert plot.exists()


def test_the_page_has_the_markers() -> None:
    text = page.PAGE.read_text("utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert text.index(BEGIN) < text.index(END)
