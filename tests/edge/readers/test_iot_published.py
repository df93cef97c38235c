"""Events become reads on our clock, once each; a device's clock and its missing numbers are found out."""

from hypothesis import given
from hypothesis import strategies as st

from edge.readers.published import LONGEST_HELD_US, OVERDUE_US, REMEMBERED, Numbers, Published, PublishedClock
from edge.readers.said import Input, Seen, State
from edge.reads import TagRead, Trigger

NOW = 1_800_000_000_000_000
S = 1_000_000


def seen(i: int = 0, **settings: object) -> Seen:
    told: dict[str, object] = {
        "reader": "r", "stamp": f"stamp {i}", "stamp_us": NOW + i, "epc": f"{i:024X}", "antenna": 1,
    }  # fmt: skip
    return Seen(**(told | settings))  # type: ignore[arg-type]  # as a table


def test_an_event_becomes_a_read_once() -> None:
    published = Published("dock-1")
    event = seen(rssi_dbm=-50.0, count=3, tid="E2", phase_deg=90.0, channel_mhz=866.3)
    (read,) = published.reads([event], NOW)
    assert read == TagRead(
        at_us=NOW, gate="dock-1", antenna=1, epc=event.epc, rssi_dbm=-50.0, tid="E2", phase_deg=90.0,
        channel_mhz=866.3, count=3,
    )  # fmt: skip
    assert published.reads([event], NOW + 5 * S) == []
    assert published.doubles == 1


def test_what_differs_in_anything_is_another_event() -> None:
    published = Published("dock-1")
    same = seen()
    others = [
        seen(epc="AA"),
        seen(antenna=2),
        seen(stamp="x"),
        seen(reader="q"),
        seen(number=7),
        seen(seen_us=NOW - 1),
    ]
    assert len(published.reads([same, *others], NOW)) == 7


def test_an_event_without_a_time_cannot_be_known_again() -> None:
    published = Published("dock-1")
    event = seen(stamp="", stamp_us=None)
    assert [read.at_us for read in published.reads([event, event], NOW + 3)] == [NOW + 3, NOW + 3]


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    published = Published("dock-1")
    published.reads([seen(i) for i in range(REMEMBERED + 1)], NOW)
    assert len(published._known) == REMEMBERED
    assert len(published.reads([seen(0), seen(REMEMBERED)], NOW)) == 1


def test_an_input_is_a_trigger_and_a_state_is_no_read() -> None:
    published = Published("dock-1")
    change = Input(reader="r", stamp="s", stamp_us=NOW, input=2, on=True)
    assert published.reads([State(reader="r", stamp_us=NOW), change, change], NOW) == [
        Trigger(at_us=NOW, gate="dock-1", input=2, on=True)
    ]


def test_only_one_readers_events_are_taken() -> None:
    published = Published("dock-1", only="mine")
    events = [seen(1, reader="mine"), seen(2, reader="other")]
    assert published.mine(events, "doors/all") == events[:1]
    assert published.mine(events, "doors/mine/tags") == events  # the topic says it


def test_a_read_is_when_the_tag_was_last_seen_not_when_that_was_told() -> None:
    published = Published("dock-1")
    (read,) = published.reads([seen(seen_us=NOW - 700_000)], NOW)
    assert read.at_us == NOW - 700_000


def test_a_clock_that_is_ahead_is_known_at_once() -> None:
    clock = PublishedClock()
    clock.observe(NOW + 7 * S, NOW)
    assert clock.ours(NOW + 7 * S, NOW) == NOW


def test_what_was_held_keeps_its_time() -> None:
    clock = PublishedClock()
    for i in range(100):  # an hour of events in ten seconds
        clock.observe(NOW - 3600 * S + i * 36 * S, NOW + i * S // 10)
    assert clock.offset_us == 0
    assert clock.ours(NOW - 1800 * S, NOW + 5 * S) == NOW - 1800 * S


def test_a_clock_that_is_behind_is_known_by_its_steadiness() -> None:
    clock = PublishedClock()
    for i in range(60):
        clock.observe(NOW + i * S // 10 - 3600 * S, NOW + i * S // 10 + i % 7 * 1000)
    assert clock.offset_us == -3600 * S


def test_a_clock_that_begins_years_ago_is_known_at_once() -> None:
    clock = PublishedClock()
    clock.observe(NOW, NOW)
    clock.observe(NOW - LONGEST_HELD_US - S, NOW)
    assert clock.offset_us == -LONGEST_HELD_US - S


def test_an_answer_to_a_question_was_not_held() -> None:
    clock = PublishedClock()
    clock.answered(NOW - 3600 * S, NOW)
    assert clock.offset_us == -3600 * S
    clock.observe(NOW - 3600 * S + 900_000, NOW)  # events tell fractions of the second too
    clock.answered(NOW - 3600 * S + 5 * S, NOW + 5 * S)
    assert clock.offset_us == -3600 * S + 900_000


@given(st.lists(st.integers(-10, 10), max_size=60), st.integers(-LONGEST_HELD_US, LONGEST_HELD_US))
def test_a_steady_clock_is_right_in_the_end_whatever_the_way_takes(delays: list[int], offset: int) -> None:
    clock = PublishedClock()
    for i in range(60):
        late = abs(delays[i % len(delays)]) * 1000 if delays else 0
        clock.observe(NOW + i * S // 4 + offset, NOW + i * S // 4 + late)
    assert clock.offset_us is not None
    assert abs(clock.offset_us - offset) <= S


def gaps(numbers: list[int], *, wait_us: int = OVERDUE_US) -> list[tuple[int, int, int]]:
    counted = Numbers()
    for i, number in enumerate(numbers):
        counted.observe(number, NOW + i, NOW + i)
    return list(counted.overdue(NOW + len(numbers) + wait_us))


def test_a_number_that_never_comes_is_said_once_with_its_times() -> None:
    assert gaps([5, 6, 9, 10]) == [(2, NOW + 1, NOW + 2)]
    assert gaps([5, 6, 9, 10], wait_us=OVERDUE_US // 2) == []


def test_a_number_that_was_overtaken_is_not_missing() -> None:
    counted = Numbers()
    for number, at in ((1, 0), (3, 2), (2, 1), (4, 3)):
        counted.observe(number, NOW + at, NOW + 10)
    assert counted.waiting
    assert list(counted.overdue(NOW + 10 + OVERDUE_US)) == []
    assert not counted.waiting


def test_a_reader_that_starts_anew_counts_from_the_beginning() -> None:
    assert gaps([5000, 5001, 1, 2, 3]) == []


def test_another_way_of_counting_is_no_loss() -> None:
    assert gaps([1, 2**40]) == []


@given(st.lists(st.integers(0, 2**63), max_size=300))
def test_any_numbers_are_borne_and_memory_is_bounded(numbers: list[int]) -> None:
    counted = Numbers()
    for i, number in enumerate(numbers):
        counted.observe(number, NOW + i, NOW + i)
    assert sum(len(gap.missing) for gap in counted._gaps) <= 100 * REMEMBERED
    for missing, from_us, to_us in counted.overdue(NOW + 10 * OVERDUE_US):
        assert missing > 0
        assert from_us <= to_us
