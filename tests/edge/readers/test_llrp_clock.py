from edge.readers.llrp.clock import STEADY_US, WINDOW_US, DeviceClock

S = 1_000_000
HOUR = 3600 * S


def learn(clock: DeviceClock, seen: list[tuple[int, int]]) -> int | None:
    for stamp, arrival in seen:
        clock.observe(stamp, arrival)
    return clock.offset_us


def test_nothing_is_known_before_the_first_stamp() -> None:
    assert DeviceClock(25 * S).offset_us is None


def test_the_least_delayed_stamp_counts() -> None:
    true = -14 * S  # the device is 14 s slow
    assert (
        learn(DeviceClock(25 * S), [(at + true, at + delay) for at, delay in [(0, 30), (S, 5), (2 * S, 900)]])
        == true - 5
    )


def test_what_was_held_back_for_two_hours_changes_nothing() -> None:
    clock = DeviceClock(25 * S)
    clock.observe(0, 0)
    # An hour of reads, told within the next minute: sixty times as fast as they were made.
    assert learn(clock, [(-HOUR + 60 * at, at) for at in range(0, 60 * S, S // 10)]) == 0


def test_a_clock_set_forward_is_seen_at_once() -> None:
    assert learn(DeviceClock(25 * S), [(0, 0), (S + HOUR, S)]) == HOUR


def test_a_clock_set_back_is_seen_after_a_window() -> None:
    clock = DeviceClock(25 * S)
    clock.observe(0, 0)
    back = [(at - HOUR, at) for at in range(S, S + WINDOW_US, S // 2)]
    assert learn(clock, back) == 0
    assert learn(clock, [(WINDOW_US + S - HOUR, WINDOW_US + S)]) == -HOUR


def test_a_link_that_stalled_and_caught_up_changes_nothing() -> None:
    clock = DeviceClock(25 * S)
    clock.observe(0, 0)
    stalled = [(at, 15 * S + at // 100) for at in range(0, 15 * S, S // 10)]
    later = [(at, at) for at in range(16 * S, 40 * S, S)]
    assert learn(clock, stalled + later) == 0


def test_a_drifting_clock_is_followed() -> None:
    seen = [(at - at // 20_000, at) for at in range(0, HOUR, S // 2)]  # 50 ppm slow
    offset = learn(DeviceClock(25 * S), seen)
    assert offset is not None
    assert abs(offset - -HOUR // 20_000) < STEADY_US // 1000


YEARS = 26 * 365 * 86_400 * S


def test_a_clock_set_right_between_two_reads_that_came_together() -> None:
    clock = DeviceClock(25 * S)
    assert clock.moments([100, 200], YEARS) == [YEARS - 100, YEARS]
    before, after = 10 * S + 200, YEARS + 10 * S + 500
    moments = clock.moments([before, after, after + 300], YEARS + 10 * S + 500)
    assert moments == [YEARS + 10 * S, YEARS + 10 * S + 200, YEARS + 10 * S + 500]


def test_a_clock_set_back_is_seen_at_once_when_nothing_is_held_any_more() -> None:
    clock = DeviceClock(25 * S)
    clock.observe(0, 0)
    assert clock.moments([S], S) == [S]
    assert clock.moments([2 * S, 3 * S - HOUR], 3 * S) == [2 * S, 3 * S]
    assert clock.offset_us == -HOUR


def test_what_was_held_is_old_and_not_a_clock_set_back() -> None:
    clock = DeviceClock(25 * S)
    clock.observe(2 * HOUR, 2 * HOUR)
    assert clock.moments([S, HOUR], 2 * HOUR + S) == [S, HOUR]
    assert clock.moments([2 * HOUR + 2 * S], 2 * HOUR + 2 * S) == [2 * HOUR + 2 * S]


def test_what_was_held_over_the_setting_of_a_clock_is_told_by_the_offset_of_before() -> None:
    clock = DeviceClock(25 * S, before=-YEARS, since_us=YEARS)
    clock.observe(YEARS + 60 * S, YEARS + 60 * S)  # right by now
    stamps = [10 * S, 20 * S, YEARS + 50 * S]
    assert clock.moments(stamps, YEARS + 60 * S) == [YEARS + 10 * S, YEARS + 20 * S, YEARS + 50 * S]


def test_what_was_held_while_the_clock_was_set_back_is_told_by_the_offset_of_before() -> None:
    clock = DeviceClock(25 * S, before=HOUR, since_us=0)
    clock.observe(60 * S, 60 * S)
    assert clock.moments([HOUR + 10 * S, HOUR + 20 * S, 50 * S], 60 * S) == [10 * S, 20 * S, 50 * S]
    assert clock.offset_us == 0


def test_what_was_held_while_a_slow_clock_was_set_right_is_not_from_before_the_link_went() -> None:
    """By the offset of now it would be an hour older: but then it had been told before the link went."""
    gone = 2 * HOUR
    clock = DeviceClock(25 * S, before=-HOUR, since_us=gone)
    clock.observe(gone + 60 * S, gone + 60 * S)
    stamps = [gone - HOUR + 10 * S, gone - HOUR + 20 * S, gone + 50 * S]
    assert clock.moments(stamps, gone + 60 * S) == [gone + 10 * S, gone + 20 * S, gone + 50 * S]


def test_what_was_read_in_the_moment_in_which_the_link_went_stays_there() -> None:
    """Nobody knows to the millisecond what had come by then."""
    gone = 2 * HOUR
    clock = DeviceClock(25 * S, before=-10 * S, since_us=gone)
    clock.observe(gone + 60 * S, gone + 60 * S)
    stamps = [gone - STEADY_US // 2, gone + 50 * S]
    assert clock.moments(stamps, gone + 60 * S) == stamps


def test_what_no_buffer_can_have_held_was_now() -> None:
    clock = DeviceClock(25 * S)
    clock.observe(YEARS, YEARS)
    assert clock.moments([S], YEARS + S) == [YEARS + S]
