"""A scale says, byte for byte, what MT-SICS manuals say a scale says."""

from itertools import chain

import pytest

from simulators.sics.device import Scale
from simulators.sics.indicator import REST_UPDATES, Indicator


def at_rest(grams: float, *, max_grams: float = 15_000.0) -> Scale:
    scale = Scale(Indicator(max_grams), "0123456789")
    settle(scale, grams)
    return scale


def settle(scale: Scale, grams: float) -> list[bytes]:
    """The load has lain there long enough; what the scale said meanwhile."""
    return list(chain.from_iterable(scale.update(grams) for _ in range(REST_UPDATES)))


@pytest.mark.parametrize(
    "command, answer",
    [
        (b"S\r\n", b"S S      991.2 g\r\n"),
        (b"SI\r\n", b"S S      991.2 g\r\n"),
        (b"@\r\n", b'I4 A "0123456789"\r\n'),
        (b"I4\r\n", b'I4 A "0123456789"\r\n'),
        (b"T\r\n", b"T S      991.2 g\r\n"),
        (b"TI\r\n", b"TI S      991.2 g\r\n"),
        (b"TA\r\n", b"TA A        0.0 g\r\n"),
        (b"TA 100.0 g\r\n", b"TA A      100.0 g\r\n"),
        (b"TA 100.0 lb\r\n", b"TA L\r\n"),
        (b"TA -1 g\r\n", b"TA L\r\n"),
        (b"TAC\r\n", b"TAC A\r\n"),
        (b"Z\r\n", b"Z +\r\n"),  # a loaded scale is not zeroed
        (b"ZI\r\n", b"ZI +\r\n"),
        (b"SR\r\n", b"S S      991.2 g\r\n"),
        (b"SR 1 kg\r\n", b"S L\r\n"),
        (b"XYZ\r\n", b"ES\r\n"),
        (b"si\r\n", b"ES\r\n"),
        (b"\r\n", b"ES\r\n"),
        (b"SI 3\r\n", b"EL\r\n"),
        (b"S\xc9\r\n", b"ET\r\n"),
    ],
)
def test_answers_whole_and_byte_by_byte(command: bytes, answer: bytes) -> None:
    assert b"".join(at_rest(991.2).receive(command)) == answer
    dripping = at_rest(991.2)
    assert b"".join(chain.from_iterable(dripping.receive(bytes([byte])) for byte in command)) == answer


def test_a_line_without_end_is_a_transmission_error() -> None:
    assert at_rest(0.0).receive(b"S" * 81) == [b"ET\r\n"]


def test_lists_its_commands_with_the_last_line_marked() -> None:
    lines = at_rest(0.0).receive(b"I0\r\n")
    assert lines[0] == b'I0 B 0 "@"\r\n'
    assert lines[-1] == b'I0 A 1 "TI"\r\n'
    assert all(line.startswith(b"I0 B") for line in lines[:-1])


def test_immediate_weight_of_a_moving_load_is_dynamic() -> None:
    scale = at_rest(100.0)
    scale.update(112.34)
    assert scale.receive(b"SI\r\n") == [b"S D      112.3 g\r\n"]


def test_below_zero_is_a_weight() -> None:
    scale = at_rest(-12.3)
    assert scale.receive(b"SI\r\n") == [b"S S      -12.3 g\r\n"]


@pytest.mark.parametrize("grams, sign", [(15_001.0, b"+"), (-800.0, b"-")])
def test_a_load_out_of_range_has_no_weight(grams: float, sign: bytes) -> None:
    scale = at_rest(grams)
    assert scale.receive(b"SI\r\n") == [b"S " + sign + b"\r\n"]
    assert scale.receive(b"S\r\n") == [b"S " + sign + b"\r\n"]


def test_stable_weight_waits_for_rest() -> None:
    scale = at_rest(100.0)
    scale.update(200.0)
    assert scale.receive(b"S\r\n") == []
    assert settle(scale, 200.0) == [b"S S      200.0 g\r\n"]


def test_a_stable_weight_that_never_comes_is_not_executable() -> None:
    scale = at_rest(100.0)
    scale.update(200.0)
    scale.receive(b"S\r\n")
    said = list(chain.from_iterable(scale.update(100.0 + 10 * (n % 2)) for n in range(60)))
    assert said == [b"S I\r\n"]


def test_what_comes_during_a_wait_is_answered_after_it() -> None:
    scale = at_rest(100.0)
    scale.update(200.0)
    assert scale.receive(b"S\r\nI4\r\n") == []
    assert settle(scale, 200.0) == [b"S S      200.0 g\r\n", b'I4 A "0123456789"\r\n']


def test_reset_ends_a_wait() -> None:
    scale = at_rest(100.0)
    scale.update(200.0)
    assert scale.receive(b"S\r\n@\r\n") == [b'I4 A "0123456789"\r\n']
    assert settle(scale, 200.0) == []


def test_repeats_until_told_otherwise() -> None:
    scale = at_rest(100.0)
    assert scale.receive(b"SIR\r\n") == []
    assert scale.update(100.0) == [b"S S      100.0 g\r\n"]
    assert scale.update(150.0) == [b"S D      150.0 g\r\n"]
    assert scale.receive(b"SI\r\n") == [b"S D      150.0 g\r\n"]
    assert scale.update(150.0) == []


def test_sends_a_change_moving_and_at_rest() -> None:
    scale = at_rest(100.0)
    assert scale.receive(b"SR\r\n") == [b"S S      100.0 g\r\n"]
    assert settle(scale, 112.0) == []  # below an eighth
    assert settle(scale, 130.0) == [b"S D      130.0 g\r\n", b"S S      130.0 g\r\n"]


def test_zero_near_zero_and_tare() -> None:
    scale = at_rest(20.0)
    assert scale.receive(b"Z\r\n") == [b"Z A\r\n"]
    assert scale.receive(b"SI\r\n") == [b"S S        0.0 g\r\n"]
    settle(scale, 120.0)
    assert scale.receive(b"T\r\n") == [b"T S      100.0 g\r\n"]
    settle(scale, 170.0)
    assert scale.receive(b"SI\r\n") == [b"S S       50.0 g\r\n"]
    assert scale.receive(b"TAC\r\nSI\r\n") == [b"TAC A\r\n", b"S S      150.0 g\r\n"]


def test_preset_tare_counts() -> None:
    scale = at_rest(500.0)
    scale.receive(b"TA 120.5 g\r\n")
    assert scale.receive(b"SI\r\n") == [b"S S      379.5 g\r\n"]


def test_a_unit_changed_at_its_keys_and_a_power_cut() -> None:
    device = Scale(Indicator(15_000.0), "B021002593", unknown=("SIR",))
    for _ in range(10):
        device.update(991.2)
    assert device.say("unit kg") is None
    assert device.receive(b"SI\r\n") == [b"S S     0.9912 kg\r\n"]
    assert device.receive(b"SIR\r\n") == [b"ES\r\n"]
    assert device.say("power-cycle") is None
    assert device.update(991.2) == [b'I4 A "B021002593"\r\n']
    assert device.update(991.2) == []
    assert device.say("jump") == "'jump' is none of unit g|kg, tare, power-cycle"


@pytest.mark.parametrize(("lies", "then"), [(991.2, b"S S        0.0 g"), (1503.0, b"S S     1503.0 g")])
def test_one_that_zeroes_itself_is_silent_until_it_has_and_takes_what_lies_there_for_nothing(
    lies: float, then: bytes
) -> None:
    """Up to a tenth of the largest weight (OIML R76-1, 4.5.1)."""
    scale = Scale(Indicator(15_000.0, zeroes=True), "0123456789")
    assert settle(scale, 0.0) == []
    settle(scale, lies)
    assert scale.receive(b"SI\r\n") == [f"S S {lies:10.1f} g\r\n".encode()]
    scale.say("power-cycle")
    assert scale.receive(b"SI\r\n") == []
    assert settle(scale, lies) == [b'I4 A "0123456789"\r\n']
    assert scale.receive(b"SI\r\n") == [then + b"\r\n"]
