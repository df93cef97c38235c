"""Each trouble does to a line what its name says."""

from random import Random

import pytest

from simulators.trouble import TROUBLES, HangUp, Send, Step, Wait, maker, parse

LINE = b"S S     100.00 g\r\n"


def sent(steps: list[Step]) -> bytes:
    return b"".join(step.data for step in steps if isinstance(step, Send))


def test_no_trouble_changes_nothing() -> None:
    assert maker("none", 1)().outgoing(LINE, 99.0) == [Send(LINE)]


def test_drip_sends_every_byte_by_itself() -> None:
    steps = maker("drip", 1)().outgoing(LINE, 0.0)
    assert sent(steps) == LINE
    assert all(len(step.data) == 1 for step in steps if isinstance(step, Send))


def test_slow_waits_before_it_sends() -> None:
    first, second = maker("slow", 1)().outgoing(LINE, 0.0)
    assert isinstance(first, Wait)
    assert 0 <= first.seconds <= 0.3
    assert second == Send(LINE)


def test_garbage_comes_before_a_message_once_in_a_while() -> None:
    trouble = maker("garbage:2", 1)()
    assert sent(trouble.outgoing(LINE, 1.9)) == LINE
    noisy = sent(trouble.outgoing(LINE, 2.0))
    assert noisy.endswith(LINE)
    assert len(noisy) > len(LINE)
    assert sent(trouble.outgoing(LINE, 2.1)) == LINE
    assert len(sent(trouble.outgoing(LINE, 4.0))) > len(LINE)


def test_flip_changes_one_bit() -> None:
    broken = sent(maker("flip:1", 1)().outgoing(LINE, 1.0))
    assert sum((a ^ b).bit_count() for a, b in zip(broken, LINE, strict=True)) == 1


def test_drop_loses_a_message_once_in_a_while() -> None:
    trouble = maker("drop:2", 1)()
    assert [sent(trouble.outgoing(LINE, at)) for at in (1.9, 2.0, 2.1, 4.0)] == [LINE, b"", LINE, b""]


def test_bite_loses_some_bytes_of_a_message() -> None:
    trouble = maker("bite:2", 1)()
    assert sent(trouble.outgoing(LINE, 1.9)) == LINE
    bitten = sent(trouble.outgoing(LINE, 2.0))
    assert len(LINE) - 5 <= len(bitten) < len(LINE)
    assert sent(trouble.outgoing(LINE, 2.1)) == LINE


def test_half_frame_is_half_a_message_and_then_silence() -> None:
    trouble = maker("half-frame:1", 1)()
    assert sent(trouble.outgoing(LINE, 0.5)) == LINE
    assert sent(trouble.outgoing(LINE, 1.0)) == LINE[: len(LINE) // 2]
    assert trouble.outgoing(LINE, 1.1) == []


def test_silence_says_nothing_more() -> None:
    trouble = maker("silence:1", 1)()
    assert sent(trouble.outgoing(LINE, 0.9)) == LINE
    assert trouble.outgoing(LINE, 1.0) == []


def test_hang_up_cuts_a_message_in_two() -> None:
    steps = maker("hang-up:1", 1)().outgoing(LINE, 1.0)
    assert steps == [Send(LINE[: len(LINE) // 2]), HangUp()]


def test_duplicate_says_it_twice() -> None:
    assert sent(maker("duplicate:1", 1)().outgoing(LINE, 1.0)) == LINE * 2


def test_glue_holds_back_and_sends_all_at_once() -> None:
    trouble = maker("glue:1", 1)()
    assert trouble.outgoing(b"a", 0.5) == []
    assert trouble.outgoing(b"b", 0.9) == []
    assert trouble.outgoing(b"c", 1.0) == [Send(b"abc")]


def test_each_connection_has_a_trouble_of_its_own() -> None:
    make = maker("silence:1", 1)
    assert make().outgoing(LINE, 2.0) == []
    assert make().outgoing(LINE, 0.0) == [Send(LINE)]


def test_every_trouble_has_a_name_to_call_it_by() -> None:
    assert all(TROUBLES[parse(name)[0]](1.0, Random(1)).outgoing(b"", 0.0) is not None for name in TROUBLES)


@pytest.mark.parametrize("words", ["noise", "drip:soon", "silence:0", "silence:-1"])
def test_a_trouble_that_is_none_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"noise|soon|above zero"):
        parse(words)
