"""Judging a passage: probabilities whatever was read, and nothing that depends on names, sides or the hour."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.aggregator.judge import Judgement, Scene, judge
from edge.aggregator.model import DEFAULT, Antenna, Model
from edge.aggregator.paths import STAYED_IN, STAYED_OUT, WENT_IN, WENT_OUT
from tests.support.doors import START_US, going_in, going_out, stand, walk

MIRRORED = [STAYED_IN, WENT_OUT, WENT_IN, STAYED_OUT]

Read = tuple[int, float, int, float]  # tag, seconds, antenna, dBm
Known = tuple[bool, float, float, float, float]  # its rates at rest, inside, history

READS = st.lists(
    st.tuples(st.integers(0, 4), st.floats(0.0, 60.0), st.integers(1, 4), st.floats(-95.0, -20.0)),
    min_size=1, max_size=80,
)  # fmt: skip
KNOWN = st.tuples(
    st.booleans(), st.floats(0, 40), st.floats(0, 40), st.floats(0.05, 0.95), st.floats(-6.0, 1.5)
)


def scene_of(reads: list[Read], known: list[Known], rest_db: float = 0.0) -> Scene:
    """Antennas 3 and 4 look inside. Tags without reads are left out, as a gate does."""
    reads = sorted(reads, key=lambda read: read[1])
    members = sorted({read[0] for read in reads})
    tag, at_s, antenna, dbm = (np.array(column) for column in zip(*reads, strict=True))
    flags, outside, inside, zone, history = zip(*(known[member] for member in members), strict=True)
    return Scene(
        tag=np.searchsorted(np.array(members), tag), at_s=at_s - at_s[0], antenna=antenna, inner=antenna > 2,
        dbm=dbm.astype(float), known=np.array(flags), rest_hz=np.array([outside, inside], float).T,
        inside=np.array(zone, float), history=np.array(history, float), rest_db=rest_db,
    )  # fmt: skip


SCENES = st.builds(scene_of, READS, st.lists(KNOWN, min_size=5, max_size=5), st.floats(0.0, 3.0))


def made(*tags: list[Read], known: Known = (False, 0.0, 0.0, 0.5, 0.0)) -> Scene:
    reads = [(number, *read[1:]) for number, tag in enumerate(tags) for read in tag]
    return scene_of(reads, [known] * len(tags))


def of(reads: list) -> list[Read]:  # type: ignore[type-arg]  # of TagRead
    """Of antennas 1 and 2 made 1 (outside) and 3 (inside)."""
    return [
        (0, (read.at_us - START_US) / 1e6, 1 if read.antenna == 1 else 3, read.rssi_dbm) for read in reads
    ]


def load(tags: int, points: list[tuple[float, float]]) -> list[list[Read]]:
    return [of(walk(f"T{number}", points, hz=6.0, seed=number)) for number in range(tags)]


def equal(one: Judgement, other: Judgement) -> None:
    """As far as floating point sums are the same in another order."""
    assert one.moved == pytest.approx(other.moved, abs=1e-4)
    assert one.ways == pytest.approx(other.ways, abs=1e-4)
    assert one.group.tolist() == other.group.tolist()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCENES)
def test_whatever_was_read_gives_probabilities(scene: Scene) -> None:
    found = judge(scene, DEFAULT)

    assert found.moved.shape == (scene.n,)
    assert ((found.moved >= 0.0) & (found.moved <= 1.0)).all()
    assert ((found.ways >= 0.0) & (found.ways <= 1.0)).all()
    assert found.ways.sum(axis=1) == pytest.approx(np.ones(scene.n))
    assert ((found.path >= 0.0) & (found.path <= 1.0)).all()
    assert set(found.group.tolist()) <= {0, 1}
    for odds in found.factors.values():
        assert odds.shape == (scene.n,)
        assert np.isfinite(odds).all()
    assert ((found.crossed_s >= 0.0) & (found.crossed_s <= scene.at_s.max() + 2.0)).all()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCENES)
def test_sides_that_are_exchanged_exchange_the_ways(scene: Scene) -> None:
    mirrored = replace(
        scene, antenna=5 - scene.antenna, inner=~scene.inner, inside=1.0 - scene.inside, rest_hz=scene.rest_hz[:, ::-1]
    )  # fmt: skip

    found, other = judge(scene, DEFAULT), judge(mirrored, DEFAULT)
    equal(replace(found, ways=found.ways[:, MIRRORED]), other)
    assert found.path == pytest.approx(1.0 - other.path, abs=1e-4)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCENES, st.randoms(use_true_random=False))
def test_the_order_of_the_tags_changes_nothing(scene: Scene, random) -> None:  # type: ignore[no-untyped-def]  # hypothesis' Random
    order = list(range(scene.n))
    random.shuffle(order)
    rank = np.argsort(order)
    shuffled = replace(
        scene, tag=rank[scene.tag], known=scene.known[order], rest_hz=scene.rest_hz[order],
        inside=scene.inside[order], history=scene.history[order],
    )  # fmt: skip

    found, other = judge(scene, DEFAULT), judge(shuffled, DEFAULT)
    equal(replace(found, moved=found.moved[order], ways=found.ways[order], group=found.group[order]), other)
    assert found.crossed_s[order] == pytest.approx(other.crossed_s, abs=1e-3)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(READS, st.lists(KNOWN, min_size=5, max_size=5), st.integers(1, 10_000))
def test_the_hour_changes_nothing(reads: list[Read], known: list[Known], bins: int) -> None:
    whole = [(tag, round(at_s * 64) / 64, antenna, dbm) for tag, at_s, antenna, dbm in reads]
    later = [(tag, at_s + bins * 0.25, antenna, dbm) for tag, at_s, antenna, dbm in whole]

    equal(judge(scene_of(whole, known), DEFAULT), judge(scene_of(later, known), DEFAULT))


@pytest.mark.parametrize("points, way", [(going_in(10.0), WENT_IN), (going_out(10.0), WENT_OUT)])
def test_a_load_goes_the_way_it_went(points: list[tuple[float, float]], way: int) -> None:
    tags = load(8, points)
    began_s = min(read[1] for tag in tags for read in tag)
    found = judge(made(*tags), DEFAULT)

    assert (found.moved > 0.9).all()
    assert (found.ways[:, way] > 0.9).all()
    assert found.crossed_s + began_s == pytest.approx(np.full(8, 10.0), abs=0.8)


def test_who_stands_by_is_no_part_of_the_load() -> None:
    still = [of(stand(f"S{n}", 0.0, 20.0, hz=2.0, seed=n)) for n in range(4)]
    scene = made(*load(8, going_in(10.0)), *still, known=(True, 0.0, 0.0, 0.5, 0.0))
    rest = np.zeros((12, 2))
    rest[8:, 0] = 2.0
    found = judge(replace(scene, known=np.arange(12) >= 8, rest_hz=rest), DEFAULT)

    assert (found.moved[:8] > 0.9).all()
    assert (found.moved[8:] < 0.1).all()


def test_what_few_reads_leave_open_the_load_decides() -> None:
    """A tag that one antenna read twice goes with those that it was read with."""
    shy: list[Read] = [(0, 9.0, 1, -55.0), (0, 9.4, 1, -57.0)]
    alone = judge(made(shy), DEFAULT)
    with_it = judge(made(*load(10, going_in(10.0)), shy), DEFAULT)

    assert alone.ways[0, WENT_IN] < 0.5
    assert with_it.ways[-1, WENT_IN] > 0.8


def test_two_loads_that_meet_each_go_their_way() -> None:
    found = judge(made(*load(10, going_in(10.0)), *load(6, going_out(10.0))), DEFAULT)

    right = (found.ways[:10, WENT_IN] > 0.6).sum() + (found.ways[10:, WENT_OUT] > 0.6).sum()
    assert right >= 12
    assert set(found.group.tolist()) == {0, 1}


def test_one_read_of_one_tag_decides_nothing() -> None:
    found = judge(made([(0, 0.0, 1, -50.0)]), DEFAULT)

    assert max(found.moved[0] * found.ways[0, [WENT_IN, WENT_OUT]]) < 0.6


def test_what_was_known_of_the_zone_counts_where_reads_do_not_tell() -> None:
    read: list[Read] = [(0, 0.0, 3, -50.0)]
    outside = judge(made(read, known=(False, 0.0, 0.0, 0.1, 0.0)), DEFAULT)
    inside = judge(made(read, known=(False, 0.0, 0.0, 0.9, 0.0)), DEFAULT)

    assert outside.ways[0, WENT_IN] > 3 * inside.ways[0, WENT_IN]
    assert inside.ways[0, STAYED_IN] > outside.ways[0, STAYED_IN]


def test_what_photo_eyes_say_counts_for_every_tag() -> None:
    scene = made(*load(5, going_in(10.0)))
    eyes = np.array([0.0, -20.0, 0.0, 0.0])

    assert (judge(replace(scene, eyes=eyes), DEFAULT).ways[:, WENT_IN] < 0.01).all()


def test_an_antenna_that_tells_nothing_decides_nothing() -> None:
    deaf = Model(antennas={number: Antenna(0.0, 0.0) for number in (1, 2, 3, 4)})
    found = judge(made(*load(5, going_in(10.0))), deaf)

    # what is left of its evidence is the least that a read may bring
    assert (found.ways.max(axis=1) < 0.95).all()


def test_a_passage_of_many_minutes_is_judged() -> None:
    still = [of(stand(f"S{n}", 0.0, 600.0, hz=1.0, seed=n)) for n in range(3)]
    found = judge(made(*load(4, going_in(300.0)), *still), DEFAULT)

    assert np.isfinite(found.ways).all()
    assert (found.ways[:4, WENT_IN] > 0.8).all()
