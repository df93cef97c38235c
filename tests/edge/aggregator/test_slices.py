"""Reads by column: what is packed comes back, and every read is folded once, in its time."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.aggregator.inbox import FOLD_MS, LATE_MS, Inbox, slice_end
from edge.aggregator.slices import NONE, Slice, decode, join, summed

Row = tuple[int, int, int, int, float]  # steady ms, wall us, tag, antenna, dBm

START_MS = 1_763_802_000_000
STEP_US = (1 << 31) - 1  # 35 minutes
SPAN_MS = (1 << 31) - 1  # 24 days

NUMBERS = st.tuples(
    st.integers(0, SPAN_MS), st.integers(-STEP_US, STEP_US), st.integers(0, (1 << 32) - 1), st.integers(0, 255),
    st.floats(-120.0, 30.0, width=32),
)  # fmt: skip


def made(rows: list[Row]) -> Slice:
    ms, us, tag, antenna = (np.array([row[n] for row in rows], np.int64) for n in range(4))
    return Slice(ms, us, tag, antenna, np.array([row[4] for row in rows], np.float64))


def rows_of(reads: Slice) -> list[Row]:
    columns = (reads.ms, reads.us, reads.tag, reads.antenna, reads.dbm)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(st.lists(NUMBERS, max_size=20))
def test_what_is_packed_comes_back(numbers: list[Row]) -> None:
    first = (START_MS, 1000 * START_MS)
    rows = [(START_MS + ms, 1000 * (START_MS + ms) + us, *rest) for ms, us, *rest in numbers]
    reads = made([(*first, 1, 2, -50.0), *rows])  # type: ignore[list-item]  # starred tuples lose their types

    assert rows_of(decode(reads.encode())) == rows_of(reads)


def test_nothing_packed_is_nothing() -> None:
    assert NONE.encode() == []
    assert rows_of(decode([])) == []
    assert rows_of(join([])) == []


def test_a_read_is_packed_into_17_bytes() -> None:
    packed = made([(START_MS + n, 1000 * START_MS, n, 1, -50.0) for n in range(100)]).encode()

    assert sum(len(part) for part in packed) == 100 * 17 + 16


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_step_of_the_wall_clock_by_hours_is_cut(sign: int) -> None:
    reads = made([(5, 0, 1, 0, -50.0), (1005, sign * 7_200_000_000, 1, 1, -50.0)])

    (_, second) = rows_of(decode(reads.encode()))
    assert second[0] == 1005
    assert second[1] == pytest.approx(1_000_000 + sign * (1 << 31), abs=1)
    assert second[2:] == (1, 1, -50.0)


@pytest.mark.parametrize("days", [-60, 60])
def test_reads_months_apart_stay_so_far_apart_as_fits(days: int) -> None:
    """They must not come back on the other side of the first."""
    apart_ms = days * 86_400_000
    reads = made([(START_MS, 1000 * START_MS, 1, 0, -50.0),
                  (START_MS + apart_ms, 1000 * (START_MS + apart_ms), 2, 1, -50.0)])  # fmt: skip

    (_, second) = rows_of(decode(reads.encode()))
    assert second[0] - START_MS == pytest.approx((1 << 31) * (1 if days > 0 else -1), abs=1)
    assert abs(second[1] - 1000 * second[0]) <= 1 << 31
    assert second[2:] == (2, 1, -50.0)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1000)), min_size=1, max_size=30))
def test_order_is_by_time_and_then_by_arrival(given_: list[tuple[int, int]]) -> None:
    reads = made([(ms, 0, number, 0, float(value)) for number, (ms, value) in enumerate(given_)])

    found = rows_of(reads.ordered())
    assert found == sorted(rows_of(reads), key=lambda row: (row[0], row[2]))
    assert rows_of(reads.ordered().ordered()) == found


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-9, 9)), min_size=1))
def test_sums_by_number(numbers: list[tuple[int, float]]) -> None:
    by = np.array([each[0] for each in numbers], np.int64)
    weights = np.array([each[1] for each in numbers])

    found = summed(by, weights, 8)
    assert found.tolist() == pytest.approx([sum(w for b, w in numbers if b == n) for n in range(8)])


def arrive(inbox: Inbox, row: Row) -> list[tuple[Slice, int]]:
    """As the gate takes a read: what it completes, then the read itself."""
    done = []
    if row[0] >= inbox.due_ms:
        done = list(inbox.complete(row[0] - LATE_MS))
        if not inbox.ms:
            inbox.due_ms = slice_end(row[0]) + LATE_MS
    for column, value in zip((inbox.ms, inbox.us, inbox.tag, inbox.antenna, inbox.dbm), row, strict=True):
        column.append(value)  # type: ignore[attr-defined]  # of an array of its kind
    return done


def through(rows: list[Row], asked: set[int] = frozenset()) -> list[tuple[list[Row], int]]:  # type: ignore[assignment]
    inbox, done, newest = Inbox(), [], 0
    for number, row in enumerate(rows):
        newest = max(newest, row[0])
        if number in asked:
            done += list(inbox.complete(newest - LATE_MS))
        done += arrive(inbox, row)
    done += list(inbox.complete(slice_end(newest)))
    assert not inbox.ms
    return [(rows_of(reads), end_ms) for reads, end_ms in done]


def stream(seed: int, late_ms: int) -> list[Row]:
    """Reads in the order in which they arrive, each up to so much after it was made."""
    rng, at_ms, rows = Random(seed), START_MS, []
    for number in range(rng.randint(1, 120)):
        at_ms += rng.choice((0, 1, 3, 20, 100, 249, 250, 251, 2_000))
        rows.append((at_ms + rng.uniform(0, late_ms), (at_ms, 1000 * at_ms, number, 0, -50.0)))
    return [row for _, row in sorted(rows)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sets(st.integers(0, 120), max_size=20))
def test_slices_are_complete_whatever_the_order_of_arrival(seed: int, asked: set[int]) -> None:
    rows = stream(seed, LATE_MS - 1)

    done = through(rows, asked)

    assert [end_ms for _, end_ms in done] == sorted({slice_end(row[0]) for row in rows})
    assert [row for reads, _ in done for row in reads] == sorted(rows, key=lambda row: row[0])
    assert all(end_ms - FOLD_MS <= row[0] < end_ms for reads, end_ms in done for row in reads)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sets(st.integers(0, 120), max_size=20))
def test_reads_that_come_much_later_are_folded_once_all_the_same(seed: int, asked: set[int]) -> None:
    rows = stream(seed, 30_000)

    done = through(rows, asked)

    assert sorted(row for reads, _ in done for row in reads) == sorted(rows)
    assert all(end_ms == slice_end(row[0]) for reads, end_ms in done for row in reads)


def test_a_power_is_kept_as_readers_give_it() -> None:
    inbox = Inbox()
    arrive(inbox, (START_MS, 0, 1, 0, -61.5))

    assert inbox.all().dbm.tolist() == [-61.5]


def test_what_waits_is_kept_through_a_restart() -> None:
    inbox, again = Inbox(), Inbox()
    for number in range(10):
        arrive(inbox, (START_MS + 40 * number, 1000 * START_MS, number, 0, -50.5))

    again.keep(decode(inbox.all().encode()))

    assert rows_of(again.all()) == rows_of(inbox.all())
    assert again.due_ms == inbox.due_ms == slice_end(START_MS) + LATE_MS
