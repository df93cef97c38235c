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
