"""The simulated indicator's bytes, against what makers' manuals print."""

import pytest

from simulators.ascii_scale.device import Scale
from simulators.ascii_scale.dialects import MANNERS
from simulators.sics.indicator import Indicator


def scale(
    dialect: str, grams: float = 1234.0, *, unit: str = "g", streams: bool = True, address: str = "", rest: bool = True
) -> Scale:  # fmt: skip
    device = Scale(Indicator(15_000.0), dialect, unit=unit, streams=streams, address=address)
    for _ in range(10 if rest else 1):
        device.update(grams)
    return device


@pytest.mark.parametrize(
    "dialect, unit, at_rest, moving, below",
    [
        ("and", "g", b"ST,+001234.0  g\r\n", b"US,+001234.0  g\r\n", b"US,-000012.3  g\r\n"),
        ("and", "kg", b"ST,+001.2340 kg\r\n", b"US,+001.2340 kg\r\n", b"US,-000.0123 kg\r\n"),
        ("and-indicator", "g", b"ST,GS,+01234.0 g\r\n", b"US,GS,+01234.0 g\r\n", b"US,GS,-00012.3 g\r\n"),
        ("dini", "g", b"ST,GS,  1234.0, g\r\n", b"US,GS,  1234.0, g\r\n", b"US,GS,   -12.3, g\r\n"),
        (
            "ohaus",
            "g",
            b"     1234.0 g        \r\n",
            b"     1234.0 g    ?   \r\n",
            b"      -12.3 g    ?   \r\n",
        ),
        ("sartorius", "g", b"+   1234.0 g  \r\n", b"+   1234.0    \r\n", b"-     12.3    \r\n"),
        (
            "sartorius-22",
            "g",
            b"N     +   1234.0 g  \r\n",
            b"N     +   1234.0    \r\n",
            b"N     -     12.3    \r\n",
        ),
        (
            "nci",
            "kg",
            b"\n   1.2340KG\r\n00\r\x03",
            b"\n   1.2340KG\r\n10\r\x03",
            b"\n  -0.0123KG\r\n10\r\x03",
        ),
        (
            "toledo",
            "kg",
            b"\x02-0   1234     0\r\x1a",
            b"\x02-8   1234     0\r\x12",
            b"\x02-:     12     0\r\x37",
        ),
        ("toledo-without", "g", b"\x02+ ! 12340     0\r", b"\x02+(! 12340     0\r", b"\x02+*!   123     0\r"),
    ],
)
def test_writes_as_its_maker_does(
    dialect: str, unit: str, at_rest: bytes, moving: bytes, below: bytes
) -> None:
    assert scale(dialect, unit=unit).update(1234.0) == [at_rest]
    assert scale(dialect, unit=unit, rest=False).update(1234.0) == [moving]
    assert scale(dialect, unit=unit, rest=False).update(-12.3) == [below]


@pytest.mark.parametrize("dialect", sorted(MANNERS))
def test_out_of_range_it_says_so(dialect: str) -> None:
    over, under = scale(dialect).update(20_000.0), scale(dialect).update(-900.0)
    assert over != under
    assert dialect.startswith("toledo") or b"20000" not in over[0]  # whose status alone says it


def test_answers_its_questions_and_no_others() -> None:
    device = scale("and", streams=False)
    assert device.update(1234.0) == []
    assert device.receive(b"Q\r\nX\r\n") == [b"ST,+001234.0  g\r\n", b"EC,E01\r\n"]
    assert scale("nci", unit="kg", streams=False).receive(b"W\rX\r") == [
        b"\n   1.2340KG\r\n00\r\x03", b"\n?\r\x03"
    ]  # fmt: skip
    assert scale("sartorius", streams=False).receive(b"\x1bP\r\n") == [b"+   1234.0 g  \r\n"]
    assert scale("dini", streams=False).receive(b"REXT\r\n") == [
        b"1,ST,    1234.0,         0.0,         0,         0, g\r\n"
    ]  # fmt: skip


def test_on_shared_wires_it_answers_to_its_address() -> None:
    device = scale("dini", streams=False, address="01")
    assert device.receive(b"02READ\r\n") == []
    assert device.receive(b"01READ\r\n") == [b"01ST,GS,  1234.0, g\r\n"]


def test_ohaus_writes_by_itself_once_it_was_told() -> None:
    device = scale("ohaus", streams=False)
    assert device.update(1234.0) == []
    assert device.receive(b"CP\r\n") == []
    assert device.update(1234.0) == [b"     1234.0 g        \r\n"]


def test_what_is_done_at_its_keys() -> None:
    device = scale("and-indicator")
    assert device.say("unit kg") is None
    assert device.update(1234.0) == [b"ST,GS,+01.2340kg\r\n"]
    assert device.say("tare") is None
    assert device.update(1234.0) == [b"ST,NT,+00.0000kg\r\n"]
    assert device.say("clear") is None
    assert device.say("jump") == "'jump' is none of unit g|kg|lb|oz, tare, clear, stream, quiet"
