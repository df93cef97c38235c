"""What a gate knows of the tags around it: how often they are read at rest, and which of them stir."""

from collections.abc import Iterable
from random import Random

import msgspec
import numpy as np
import pytest

from edge.aggregator.field import (
    AWAY_MS,
    FORGET_MS,
    GROW,
    KNOWN_MS,
    MOVING,
    REST_S,
    REST_STEPS_DB,
    STARTING_MS,
    Field,
    Folded,
    Saved,
)
from edge.aggregator.inbox import FOLD_MS, slice_end
from edge.aggregator.slices import Slice

INNER = np.array([False, True])
START_MS = 1_763_802_000_000 - 1_763_802_000_000 % FOLD_MS

Read = tuple[int, int, int, float]  # ms since the start, tag, antenna, dBm


def fold(field: Field, reads: Iterable[Read], *, quiet: bool = True) -> list[Folded]:
    """Slice by slice, as a gate does."""
    folded: list[Folded] = []
    by_slice: dict[int, list[Read]] = {}
    for read in sorted(reads):
        by_slice.setdefault(slice_end(START_MS + read[0]), []).append(read)
    for end_ms, mine in sorted(by_slice.items()):
        ms = np.array([START_MS + read[0] for read in mine], np.int64)
        rows = [
            row if (row := field.row_of.get(f"T{read[1]}")) is not None else field.add(f"T{read[1]}", int(at_ms))
            for read, at_ms in zip(mine, ms, strict=True)
        ]  # fmt: skip
        antenna, dbm = np.array([read[2] for read in mine]), np.array([read[3] for read in mine])
        folded.append(field.fold(Slice(ms, ms * 1000, np.array(rows), antenna, dbm), end_ms, quiet=quiet))
    return folded


def resting(tag: int, from_s: float, to_s: float, hz: float, *, antenna: int = 0, step_db: float = 0.2,
            whole_db: bool = False) -> list[Read]:  # fmt: skip
    rng, reads, at_s = Random(f"{tag}/{from_s}"), [], from_s
    while (at_s := at_s + rng.expovariate(hz)) < to_s:
        dbm = -60.0 + rng.gauss(0.0, step_db)
        reads.append((round(1000 * at_s), tag, antenna, float(round(dbm)) if whole_db else dbm))
    return reads


def rates(field: Field, tag: int, at_s: float) -> list[float]:
    row = field.row_of[f"T{tag}"]
    found: list[float] = field.rates(field.rows[row : row + 1], START_MS + round(1000 * at_s))[0].tolist()
    return found


def evidence(field: Field, tag: int) -> float:
    return float(field.rows["evidence"][field.row_of[f"T{tag}"]])


@pytest.mark.parametrize("hz", [0.5, 3.0, 12.0])
def test_rates_of_rest_become_what_they_are(hz: float) -> None:
    field, tags = Field(INNER), range(30)
    fold(field, [read for tag in tags for read in resting(tag, 0.0, 100.0, hz)])
    fold(field, [read for tag in tags for read in resting(tag, 100.1, 200.0, hz)])

    found = [rates(field, tag, 200.0) for tag in tags]
    assert np.mean(found, axis=0) == pytest.approx([hz, 0.0], rel=0.06, abs=0.01)


@pytest.mark.parametrize("seconds", [1.0, 3.0, 10.0, 30.0, 100.0])
def test_rates_of_rest_are_low_at_first_and_never_too_high(seconds: float) -> None:
    """Else whoever arrives would seem to be at rest at once."""
    field, tags = Field(INNER), range(60)
    fold(field, [(0, tag, 0, -60.0) for tag in tags])
    fold(field, [read for tag in tags for read in resting(tag, 0.01, seconds, 4.0)])

    found = np.mean([sum(rates(field, tag, seconds)) for tag in tags])
    assert 4.0 * seconds / (seconds + 10.0) < found < 4.2


def test_rates_fall_while_a_tag_is_not_read() -> None:
    field = Field(INNER)
    fold(field, [*resting(1, 0.0, 100.0, 4.0), (1000 * round(100 + REST_S), 1, 0, -60.0)])

    assert rates(field, 1, 100 + REST_S)[0] == pytest.approx(4.0 / np.e, rel=0.35)
    assert rates(field, 1, 100 + 2 * REST_S)[0] == pytest.approx(4.0 / np.e**2, rel=0.35)


def test_rates_of_before_are_not_those_of_a_tag_that_comes_again() -> None:
    field = Field(INNER)
    back_s = 60.0 + AWAY_MS / 1000 + 10.0
    fold(field, [*resting(1, 0.0, 60.0, 15.0), (round(1000 * back_s), 1, 0, -60.0)])

    assert rates(field, 1, back_s)[0] < 0.3


def test_what_rests_does_not_stir_and_what_comes_does() -> None:
    field = Field(INNER)
    rest = [read for tag in range(10) for read in resting(tag, 0.0, 60.0, 2.0)]
    assert not any(folded.stirring.any() for folded in fold(field, rest)[4 * STARTING_MS // 1000 :])

    coming = [(60_000 + 100 * n, 99, 0, -65.0 + n) for n in range(15)]
    folded = fold(field, coming + [read for tag in range(10) for read in resting(tag, 60.0, 61.6, 2.0)])

    stirring = {row for each in folded for row in each.rows[each.stirring].tolist()}
    assert stirring == {field.row_of["T99"]}
    assert evidence(field, 99) >= MOVING


def test_a_power_that_jumps_is_evidence_of_movement() -> None:
    """Two tags are read at the same times, as often as before: one of them moves."""
    rng, field = Random(1), Field(INNER)
    fold(field, resting(1, 0.0, 60.0, 1.0) + resting(2, 0.0, 60.0, 1.0))
    times = range(60_000, 70_000, 300)
    folded = fold(field, [(ms, 1, 0, -60.0 + rng.choice((-6, 0, 6))) for ms in times]
                  + [(ms, 2, 0, -60.0 + rng.gauss(0.0, 0.2)) for ms in times])  # fmt: skip

    steps = np.sum([each.steps for each in folded], axis=0)
    told = np.sum([each.told for each in folded], axis=0)
    assert told.tolist() == pytest.approx([33, 33], abs=1)
    assert steps[0] > 0.5 * told[0]
    assert steps[1] < -0.3 * told[1]
    moving, calm = np.sum([each.news for each in folded], axis=0)
    assert moving > 0.0 > calm


def test_steps_are_between_reads_of_one_antenna_and_not_far_apart() -> None:
    """What another antenna reads, or the same one seconds later, is no step."""
    field = Field(INNER)
    fold(field, [(0, 1, 0, -50.0)])
    (other,) = fold(field, [(300, 1, 1, -70.0)])
    (late,) = fold(field, [(5_000, 1, 0, -70.0)])
    (soon,) = fold(field, [(5_300, 1, 0, -50.0), (5_400, 1, 0, -50.0)])

    assert (other.told.tolist(), other.steps.tolist()) == ([0], [0])
    assert (late.told.tolist(), late.steps.tolist()) == ([0], [0])
    assert soon.told.tolist() == [2]


def test_evidence_fades_within_seconds_of_rest() -> None:
    field = Field(INNER)
    fold(field, resting(1, 0.0, 60.0, 1.0))
    fold(field, [(60_000 + 100 * n, 1, 1, -65.0 + n) for n in range(15)])
    assert evidence(field, 1) >= MOVING
    fold(field, resting(1, 61.6, 73.0, 1.0))

    assert evidence(field, 1) < 1.0


def test_what_stands_around_when_a_gate_is_switched_on_does_not_stir() -> None:
    field = Field(INNER)
    folded = fold(field, [read for tag in range(50) for read in resting(tag, 0.0, 3.5, 4.0)])

    assert not any(each.stirring.any() for each in folded)


@pytest.mark.parametrize("step_db, whole_db", [(0.15, False), (0.6, False), (1.2, False), (0.6, True)])
def test_each_gate_learns_how_much_powers_jump_at_rest(step_db: float, whole_db: bool) -> None:
    """Two reads with a spread of s differ by 2 s / sqrt(pi) in the mean; whole dB add a twelfth to the variance."""
    field = Field(INNER)
    fold(
        field,
        [
            read
            for tag in range(8)
            for read in resting(tag, 0.0, 120.0, 5.0, step_db=step_db, whole_db=whole_db)
        ],
    )

    mean = 2.0 * np.sqrt((step_db**2 + (1.0 / 12.0 if whole_db else 0.0)) / np.pi)
    assert field.rest_db == pytest.approx(np.clip(mean, *REST_STEPS_DB), rel=0.15)


def test_nothing_is_learned_of_rest_while_something_moves() -> None:
    field = Field(INNER)
    fold(field, resting(1, 0.0, 60.0, 5.0))
    before = field.rest_db
    fold(field, resting(1, 60.0, 90.0, 5.0, step_db=3.0), quiet=False)

    assert field.rest_db == before


def test_whole_decibels_at_rest_do_not_stir() -> None:
    field = Field(INNER)
    tags = [resting(tag, 0.0, 300.0, 5.0, step_db=0.7, whole_db=True) for tag in range(12)]
    folded = fold(field, [read for reads in tags for read in reads])

    stirred = sum(each.stirring.sum() for each in folded[400:])
    assert stirred <= len(folded) / 200


def test_who_was_at_rest_is_known_when_a_passage_opens() -> None:
    field = Field(INNER)
    fold(field, resting(1, 0.0, 60.0, 2.0) + resting(2, 58.0, 60.0, 8.0))
    field.rest(START_MS + 60_000)

    known = field.rows["known"]
    assert bool(known[field.row_of["T1"]]) is True
    assert bool(known[field.row_of["T2"]]) is (KNOWN_MS < 2_000)
    assert field.rows["rest_hz"][field.row_of["T1"]].tolist() == pytest.approx(rates(field, 1, 60.0))


def test_a_tag_that_was_away_has_come_anew() -> None:
    field = Field(INNER)
    fold(field, resting(1, 0.0, 60.0, 2.0))
    field.rows["inside"][0], field.rows["history"][0] = 0.9, -6.0
    back_ms = 60_000 + AWAY_MS + 1_000
    fold(field, [(back_ms, 1, 0, -60.0)])

    row = field.rows[0]
    assert row["came_ms"] == START_MS + back_ms
    assert row["inside"] == pytest.approx(0.55, abs=0.02)
    assert row["history"] == pytest.approx(-6.0 * np.exp(-0.2), abs=0.1)
    field.rest(START_MS + back_ms + 1_000)
    assert not field.rows["known"][0]


def test_whether_a_tag_was_forgotten_before_it_came_again_does_not_matter() -> None:
    kept, freed = Field(INNER), Field(INNER)
    for field in (kept, freed):
        used(field, 0, 1)
        fold(field, [(40_000, 1, 0, -60.0)])
        field.rows["since_ms"] = field.rows["settled_ms"] = 0
    freed.forget(START_MS + 40_251)
    back = [(40_500 + FORGET_MS, 1, 0, -50.0), (40_600 + FORGET_MS, 1, 0, -55.0)]
    (one,), (other,) = fold(kept, back), fold(freed, back)

    assert one.news == pytest.approx(other.news, abs=1e-3)
    for name in ("came_ms", "seen", "evidence", "inside", "history"):
        assert kept.rows[name][0] == pytest.approx(freed.rows[name][0], abs=2e-3)


def used(field: Field, row: int, tag: int) -> None:
    """As full of knowledge as a row can be."""
    fold(field, resting(tag, 0.0, 30.0, 8.0) + resting(tag, 0.0, 30.0, 8.0, antenna=1, step_db=4.0))
    field.tids[row] = "E2801160"
    for name, value in (
        ("stirred", 7),
        ("known", True),
        ("rest_hz", 3.0),
        ("inside", 0.9),
        ("history", -5.0),
    ):
        field.rows[name][row] = value
    field.rows["since_ms"][row] = field.rows["settled_ms"][row] = START_MS + 31_000


def test_a_row_that_is_freed_is_used_again_and_carries_nothing_over() -> None:
    field, fresh = Field(INNER), Field(INNER)
    used(field, 0, 1)
    field.forget(START_MS + 30_000 + FORGET_MS)
    assert field.row_of == {}
    assert field.tids == {}

    at_ms = START_MS + 31_000 + FORGET_MS
    assert field.add("T2", at_ms) == fresh.add("T2", at_ms) == 0
    assert field.rows[0] == fresh.rows[0]
    assert field.save().epcs == ["T2"]


def test_only_what_was_not_read_for_long_is_forgotten() -> None:
    field = Field(INNER)
    fold(field, [(0, 1, 0, -60.0), (5_000, 2, 0, -60.0)])
    field.forget(START_MS + 5_250)

    assert list(field.row_of) == ["T2"]
    assert field.add("T3", START_MS + 6_000) == 0
    field.forget(START_MS + 5_250)
    assert sorted(field.row_of) == ["T2", "T3"]


def test_what_has_reads_waiting_is_not_forgotten() -> None:
    """Their row would become another tag's before they are folded."""
    field = Field(INNER)
    fold(field, [(0, 1, 0, -60.0), (0, 2, 0, -60.0)])
    field.forget(START_MS + 5_000, waiting=[0, 0])

    assert list(field.row_of) == ["T1"]


def test_ten_thousand_tags_that_come_and_go_take_the_rows_of_a_few() -> None:
    field = Field(INNER)
    for hour in range(10):
        at_ms = hour * 2 * FORGET_MS
        fold(field, [(at_ms + tag, 1000 * hour + tag, tag % 2, -60.0) for tag in range(1000)])
        field.forget(START_MS + at_ms)

    assert len(field.row_of) == 1000
    assert len(field.epcs) <= 2000
    assert len(field.rows) <= 8 * GROW


def test_what_is_saved_goes_on_alike() -> None:
    field, again = Field(INNER), Field(INNER)
    for tag in range(3):
        used(field, tag, tag)
    fold(field, [(FORGET_MS, tag, 0, -60.0) for tag in (0, 2)])
    field.forget(START_MS + FORGET_MS)
    saved = msgspec.msgpack.decode(msgspec.msgpack.encode(field.save()), type=Saved)

    assert again.restore(saved)

    more = resting(0, 601.0, 640.0, 5.0) + resting(9, 601.0, 640.0, 9.0, step_db=3.0)
    for one, other in zip(fold(field, more), fold(again, more), strict=True):
        assert one.rows.tolist() == other.rows.tolist()
        assert one.news.tolist() == other.news.tolist()
    assert msgspec.msgpack.encode(field.save()) == msgspec.msgpack.encode(again.save())
    assert again.row_of["T9"] == 1  # the one that was free


def test_what_was_saved_with_other_antennas_is_left() -> None:
    field, other = Field(INNER), Field(np.array([False, True, True]))
    fold(field, resting(1, 0.0, 10.0, 4.0))

    assert not other.restore(field.save())
    assert (other.epcs, other.row_of) == ([], {})
    fold(other, resting(2, 0.0, 10.0, 4.0, antenna=2))
    assert list(other.row_of) == ["T2"]


def test_rows_grow_with_the_tags() -> None:
    field = Field(INNER)
    fold(field, [(tag % 200, tag, 0, -60.0) for tag in range(3 * GROW)])

    assert len(field.row_of) == 3 * GROW
    assert len(set(field.row_of.values())) == 3 * GROW
    assert all(field.epcs[row] == epc for epc, row in field.row_of.items())
