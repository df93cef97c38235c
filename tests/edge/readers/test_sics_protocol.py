import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError
from edge.readers.sics.protocol import (
    MAX_LINE,
    Busy,
    Lines,
    NotUnderstood,
    Serial,
    Weight,
    behind_noise,
    parse,
)
from tests.support.captures import cut, drain, three_ways

# METTLER TOLEDO, MT-SICS reference manual: answers to S, SI and SIR.
STABLE, MOVING = b"S S     100.00 g", b"S D     -12.34 g"


@pytest.mark.parametrize(
    "line, answer",
    [
        (STABLE, Weight(100.0, stable=True)),
        (MOVING, Weight(-12.34, stable=False)),
        (b"S S 1.5 kg", Weight(1500.0, stable=True)),
        (b"S S      .5 mg", Weight(0.0005, stable=True)),
        (b"S S   +7 t", Weight(7_000_000.0, stable=True)),
        (b"S S  2 ct", Weight(0.4, stable=True)),
        (b"S S  1 lb", Weight(453.59237, stable=True)),
        (b"S S 16 oz", Weight(453.59237, stable=True)),
        (b"S S  1 ozt", Weight(31.1034768, stable=True)),
        (b"SI D      12.34 g", Weight(12.34, stable=False)),  # some repeat the command
        (b"S S      -  12.34 g", Weight(-12.34, stable=True)),  # blanks between the sign and the number
        (b"S S         24 g", Weight(24.0, stable=True)),
        (b"S S 1.5Kg", Weight(1500.0, stable=True)),
        (b"S +", Busy.OVERLOAD),
        (b"S -", Busy.UNDERLOAD),
        (b"S I", Busy.NOW),
        (b"S L", NotUnderstood("wrong parameter", garbled=False)),
        (b"ES", NotUnderstood("syntax error", garbled=False)),
        (b"ET", NotUnderstood("transmission error", garbled=True)),
        (b"EL", NotUnderstood("logical error", garbled=False)),
        (b'I4 A "B021002593"', Serial("B021002593")),
        (b'@ A "B021002593"', Serial("B021002593")),  # what some answer to a reset
        (b"I4 I", NotUnderstood("keeps its serial number to itself", garbled=False)),
    ],
)
def test_reads(line: bytes, answer: object) -> None:
    assert parse(line) == answer


@pytest.mark.parametrize(
    "line",
    [
        b"00 g",  # the end of a line that began before we listened
        b"S     100.00 g",
        b"S S     100.00",
        b"S S     1O0.00 g",
        b"S S     nan g",
        b"S S     1e9 g",
        b"S S     1_000 g",
        b"S S     1.0.0 g",
        b"S S     100.00 g g",
        b"S S     1.00 oz\0",
        b"S X     100.00 g",
        b"s s     100.00 g",
        b"ST,GS,   100.00,g",  # another maker's protocol
        b"S S     -- 5 g",
        b"S S     1 0 g",
        b"S A",
        b"\xff\xfe",
        b"",
    ],
)
def test_refuses_what_is_no_line_of_a_scale(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        parse(line)


def test_says_what_to_do_about_a_unit_that_is_no_mass() -> None:
    with pytest.raises(ProtocolError, match="'PCS', which is no mass; set it to one of mg, g, kg, lb, oz"):
        parse(b"S S     24 PCS")


def test_lines_whole_byte_by_byte_and_with_a_tail() -> None:
    for way, pieces in three_ways(STABLE + b"\r\n\r\n" + MOVING + b"\n", b"S S"):
        lines = Lines()
        assert drain(lines.receive, lines.lines, pieces) == [STABLE, MOVING], way


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_line_without_an_end_is_refused(end: bytes) -> None:
    lines = Lines()
    lines.receive(STABLE + b"\r\n" + b"\x80" * (MAX_LINE + 1) + end)
    found = lines.lines()
    assert next(found) == STABLE
    with pytest.raises(ProtocolError, match="no line end in"):
        next(found)


def outcome(pieces: list[bytes]) -> tuple[list[bytes], bool]:
    lines, got = Lines(), list[bytes]()
    try:
        for piece in pieces:
            lines.receive(piece)
            got.extend(lines.lines())
    except ProtocolError:
        return got, False
    return got, True


@given(
    st.lists(st.binary(max_size=40).filter(lambda b: b"\n" not in b) | st.just(b"x" * 300), max_size=5),
    st.lists(st.integers(0, 400)),
)
def test_how_the_stream_is_cut_never_matters(sent: list[bytes], cuts: list[int]) -> None:
    stream = b"\r\n".join(sent)
    assert outcome(cut(stream, cuts)) == outcome([stream])


@given(st.binary(max_size=60) | st.text(alphabet="SIDELT+-0123456789. gk\"'", max_size=30).map(str.encode))
def test_random_lines_raise_protocol_errors_alone(line: bytes) -> None:
    try:
        parse(line)
    except ProtocolError:
        return


@given(
    st.binary(max_size=40).filter(lambda noise: not set(noise) & set(b"\n")),
    st.sampled_from([STABLE, MOVING, b"S +", b"ET", b'I4 A "1"']),
)
def test_a_line_behind_noise_is_the_line_itself(noise: bytes, line: bytes) -> None:
    if not noise:
        return
    behind = behind_noise(noise + line)
    assert behind is not None
    assert behind == line or line.startswith(
        b"S"
    )  # noise that ends in "S " is the line's own beginning twice
    assert parse(behind) == parse(line)


def test_other_makers_lines_are_pointed_to_their_driver() -> None:
    with pytest.raises(ProtocolError, match="for the driver ascii_scale"):
        parse(b"ST,GS,   100.00,g")
    with pytest.raises(ProtocolError, match="RADWAG"):
        parse(b"S A")
