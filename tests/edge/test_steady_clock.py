from edge.clock import PlayedClock, SteadyClock


class Times:
    """A wall clock and a monotonic clock, moved by hand."""

    def __init__(self, wall_ms: int) -> None:
        self.wall_ms = wall_ms
        self.monotonic_ms = 777

    def clock(self, after_ms: int = 0) -> SteadyClock:
        return SteadyClock(
            lambda: self.wall_ms * 1000, lambda: self.monotonic_ms * 1_000_000, after_ms=after_ms
        )

    def pass_ms(self, ms: int) -> None:
        self.wall_ms += ms
        self.monotonic_ms += ms


def test_it_starts_at_the_wall_clock_and_a_step_of_that_does_not_move_it() -> None:
    times = Times(1_000_000)
    clock = times.clock()
    assert clock.now_ms() == 1_000_000
    times.pass_ms(500)
    times.wall_ms -= 3_600_000
    assert clock.now_ms() == 1_000_500
    assert clock.now_us() == (1_000_500 - 3_600_000) * 1000


def test_it_starts_just_above_what_was_stored_when_the_wall_clock_went_back() -> None:
    times = Times(1_000_000)
    assert times.clock(after_ms=2_000_000).now_ms() == 2_000_001
    assert times.clock(after_ms=999_999).now_ms() == 1_000_000


def test_buffered_reads_keep_their_own_time_and_none_is_of_the_future() -> None:
    times = Times(1_000_000)
    clock = times.clock(after_ms=5_000_000)
    times.pass_ms(60_000)
    assert clock.ms_of(clock.steady_us()) == clock.now_ms() == 5_060_001
    assert clock.ms_of(5_030_001_000) == 5_030_001
    assert clock.ms_of(9_999_000_000) == clock.now_ms()
    assert Times(0).clock().ms_of(-5_000_000) == 0


def test_a_read_made_before_a_step_and_taken_after_it_is_dated_by_the_wall_as_it_is_then() -> None:
    times = Times(1_000_000)
    clock = times.clock(after_ms=5_000_000)
    read_us = clock.steady_us()
    times.pass_ms(2_000)
    times.wall_ms += 3_600_000
    assert clock.ms_of(read_us) == 5_000_001
    assert read_us + clock.ahead_us() == (1_000_000 + 3_600_000) * 1000


def test_a_played_clock_only_goes_forward_and_takes_reads_at_their_word() -> None:
    clock = PlayedClock(1_000_000)
    clock.set(3_000_000)
    clock.set(2_000_000)
    assert (clock.now_us(), clock.now_ms(), clock.ms_of(1_234_567)) == (3_000_000, 3_000, 1_234)
    assert (clock.steady_us(), clock.ahead_us()) == (3_000_000, 0)
