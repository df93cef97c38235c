import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError
from edge.readers.hx711_lines.protocol import MAX_LINE, NO_ANSWER, Cell, Fault, Grams, Layout, Lines, parse
from tests.support.captures import cut, drain, three_ways

ONE = Layout(("weight",))
TWO = Layout(("weight", "weight"))
COUNTS = Layout(("counts",), cells=(Cell(counts_per_gram=420.0, zero_counts=84_000.0),))
OFFSET = Layout(("offset_counts",), cells=(Cell(counts_per_gram=-11.746, zero_counts=0.0),))
# OpenScale 1.2 with time stamp, raw reading and local temperature switched on: a comma behind each of them.
OPEN_SCALE = Layout(("-", "weight", "unit", "-", "-"))


@pytest.mark.parametrize(
    "line, layout, found",
    [
        (b"123.45", ONE, [Grams(0, 123.45)]),
        (b"  -0.50 ", ONE, [Grams(0, -0.5)]),
        (b"+7", ONE, [Grams(0, 7.0)]),
        (b".5", ONE, [Grams(0, 0.5)]),
        (b"1.25e-05", ONE, [Grams(0, 1.25e-05)]),  # MicroPython prints small numbers so
        (b"1.5 kg", ONE, [Grams(0, 1500.0)]),
        (b"1.5kg", ONE, [Grams(0, 1500.0)]),
        (b"2 LBS", ONE, [Grams(0, 907.18474)]),
        (b"-1", ONE, [Grams(0, -1.0)]),  # a gram below zero, where the board sends grams
        (b"1.0174", Layout(("weight",), unit="kg"), [Grams(0, 1017.4)]),
        (
            b"Load_cell output val: 12.34",
            Layout(("weight",), prefix=b"Load_cell output val:"),
            [Grams(0, 12.34)],
        ),
        (b"12.5,-3.25", TWO, [Grams(0, 12.5), Grams(1, -3.25)]),
        (b"12.5, -3.25,", TWO, [Grams(0, 12.5), Grams(1, -3.25)]),
        (
            b"12.5;nan",
            Layout(("weight", "weight"), separator=";"),
            [Grams(0, 12.5), Fault(1, "not_a_number")],
        ),
        (b"12.5\t-3.25", Layout(("weight", "weight"), separator="tab"), [Grams(0, 12.5), Grams(1, -3.25)]),
        (b"12.5   -3.25", Layout(("weight", "weight"), separator="space"), [Grams(0, 12.5), Grams(1, -3.25)]),
        (b"8312,1.0174,kg,8355808,22.75,", OPEN_SCALE, [Grams(0, 1017.4)]),
        (b"8312,-0.50,lbs,8355808,22.75,", OPEN_SCALE, [Grams(0, -226.796185)]),
        (b"nan", ONE, [Fault(0, "not_a_number")]),
        (b"-nan", ONE, [Fault(0, "not_a_number")]),
        (b"NAN", ONE, [Fault(0, "not_a_number")]),
        (b"inf", ONE, [Fault(0, "not_a_number")]),
        (b"ovf", ONE, [Fault(0, "not_a_number")]),
        (b"8388607.00", ONE, [Fault(0, "saturated")]),
        (b"-8388608", ONE, [Fault(0, "saturated")]),
        (b"84000", COUNTS, [Grams(0, 0.0)]),
        (b"222600", COUNTS, [Grams(0, 330.0)]),
        (b"222600.00", COUNTS, [Grams(0, 330.0)]),
        (b"-42000", COUNTS, [Grams(0, -300.0)]),
        (b"16735216", COUNTS, [Grams(0, -300.0)]),  # the same from a library that does not extend the sign
        (b"8388607", COUNTS, [Fault(0, "saturated")]),
        (b"8388608", COUNTS, [Fault(0, "saturated")]),
        (b"-8388608", COUNTS, [Fault(0, "saturated")]),
        (b"-1", COUNTS, [Fault(0, NO_ANSWER)]),
        (b"16777215", COUNTS, [Fault(0, NO_ANSWER)]),
        (b"nan", COUNTS, [Fault(0, "not_a_number")]),
        (b"8388608", OFFSET, [Grams(0, 0.0)]),  # the middle, not the end
        (b"8376862", OFFSET, [Grams(0, 1000.0)]),
        (b"0", OFFSET, [Fault(0, "saturated")]),
        (b"16777215", OFFSET, [Fault(0, "saturated")]),
    ],
)
def test_reads(line: bytes, layout: Layout, found: list[Grams | Fault]) -> None:
    got = parse(line, layout)
    assert [(type(each), each.cell) for each in got] == [(type(each), each.cell) for each in found]
    for each, right in zip(got, found, strict=True):
        if isinstance(each, Grams) and isinstance(right, Grams):
            assert each.grams == pytest.approx(right.grams, abs=1e-9)
        else:
            assert each == right


@pytest.mark.parametrize(
    "line, layout",
    [
        (b"HX711 Demo", ONE),
        (b"Initializing the scale", ONE),
        (b"Readings:", ONE),
        (b"Reading: [1.0174 kg]   Calibration Factor: -11746", ONE),  # OpenScale while it is calibrated
        (b"Minimum time between reports: 105", OPEN_SCALE),
        (b"ets Jun  8 2016 00:22:57", ONE),
        (b"1.23.4", ONE),  # two lines run into one
        (b"1-2", ONE),
        (b"12 3", ONE),
        (b"1_000", ONE),
        (b"1,5", ONE),
        (b"0x1F", ONE),
        (b"--1", ONE),
        (b"\xff\xfe12.5", ONE),
        (b"12.5\x00", ONE),
        (b"12.5 pcs", ONE),
        (b"12.5,", TWO),
        (b"12.5,,", TWO),
        (b"12.5,1,2", TWO),
        (b"12.5,x", TWO),  # neither: the good one may be of another place
        (b"8312,1.0174,stone,8355808,22.75,", OPEN_SCALE),
        (b"84000 g", COUNTS),
        (b"16777216", COUNTS),
        (b"-8388609", COUNTS),
        (b"12.34", Layout(("weight",), prefix=b"W:")),
        (b"", ONE),
    ],
)
def test_refuses_what_is_no_line_of_weights(line: bytes, layout: Layout) -> None:
    with pytest.raises(ProtocolError):
        parse(line, layout)


def test_what_comes_before_the_first_line_end_is_no_line() -> None:
    """The end of 1234.5 is 34.5, and a weight to whoever has not heard the beginning."""
    for way, pieces in three_ways(b"34.5\r\n1234.5\r\n\r\n1235.0\n", b"12"):
        lines = Lines()
        assert drain(lines.receive, lines.frames, pieces) == [b"1234.5", b"1235.0"], way


def test_a_line_that_was_given_up_takes_what_is_glued_to_it_along() -> None:
    lines = Lines()
    lines.receive(b"\n100.0\n12")
    assert list(lines.frames()) == [b"100.0"]
    assert lines.waiting == 7
    lines.give_up()
    assert lines.waiting is None
    lines.receive(b"\r\n12.5\r\n")  # a banner that begins with an empty line
    assert list(lines.frames()) == [b"12.5"]


def test_a_line_without_an_end_is_passed_over_with_all_of_it() -> None:
    lines = Lines()
    lines.receive(b"\n" + b"\xa5" * (MAX_LINE + 1))
    assert list(lines.frames()) == []
    lines.receive(b"7\n8\n")
    assert list(lines.frames()) == [b"8"]


@given(
    st.lists(st.binary(max_size=40).filter(lambda b: b"\n" not in b), max_size=8),
    st.lists(st.integers(0, 400)),
)
def test_how_the_stream_is_cut_never_matters(sent: list[bytes], cuts: list[int]) -> None:
    stream = b"\r\n".join(sent)
    whole, pieces = Lines(), Lines()
    assert drain(pieces.receive, pieces.frames, cut(stream, cuts)) == drain(
        whole.receive, whole.frames, [stream]
    )


@given(
    st.binary(max_size=60) | st.text(alphabet="0123456789.,;+-eE naifokglb\t", max_size=40).map(str.encode),
    st.sampled_from(
        [ONE, TWO, COUNTS, OFFSET, OPEN_SCALE, Layout(("weight",), separator="space", prefix=b"W")]
    ),
)
def test_random_lines_raise_protocol_errors_alone(line: bytes, layout: Layout) -> None:
    try:
        found = parse(line, layout)
    except ProtocolError:
        return
    assert [each.cell for each in found] == list(range(len(found)))
    assert all(abs(each.grams) < float("inf") for each in found if isinstance(each, Grams))


@given(st.floats(-20_000, 20_000), st.integers(0, 4))
def test_what_a_board_prints_is_read(grams: float, decimals: int) -> None:
    printed = f"{grams:.{decimals}f}"
    assert parse(printed.encode(), ONE) == [Grams(0, float(printed))]
