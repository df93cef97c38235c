"""The benchmark of many serial ports, in short: nothing is lost, whatever the machine."""

import pytest

from benchmarks.serial_ports import TAKEN_FDS, Port, measure


@pytest.mark.timeout(120)
async def test_twenty_ports_at_eighty_lines_a_second_lose_nothing() -> None:
    got = await measure(20, 80, 3.0)
    assert (got.lost, got.doubled, got.downs) == (0, 0, [])
    assert got.read == got.written >= 20 * 80 * 2.5
    assert got.lowest_fd > TAKEN_FDS > 1023, "select(2) could have waited for these"


def test_what_is_missing_or_comes_twice_is_counted() -> None:
    port = Port()
    for number in (5, 6, 9, 9, 10):
        port.take(number)
    assert (port.first, port.last, port.read, port.lost, port.doubled) == (5, 10, 5, 2, 1)
