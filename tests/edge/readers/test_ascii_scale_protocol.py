"""The traps of scales that write lines of text, one by one, and whatever bytes come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError
from edge.readers.ascii_scale.protocol import (
    DIALECTS,
    Answer,
    Fault,
    Name,
    Nothing,
    NotUnderstood,
    Options,
    Weight,
    begin,
    hint,
)
from edge.readers.ascii_scale.protocol.cutting import MAX_FRAME, Cutter, Width
from tests.support.captures import cut

# A line of each dialect as the makers' manuals print it: see tests/captures/ascii_scale.
LINES: dict[Name, bytes] = {
    "and": b"ST,+0001.234 kg\r\n",
    "dini": b"ST,GS,   1.234,kg\r\n",
    "ohaus": b"     1234.0 g\r\n",
    "sartorius": b"+   1234.0 g  \r\n",
    "nci": b"\n  1.234kg\r\n00\r\x03",
    "toledo": bytes.fromhex("022d302020203132333420202020 20300d1a"),
}
NAMES = sorted(DIALECTS)


def read(name: Name, wire: bytes, options: Options | None = None) -> list[Answer | str]:
    """The answers in these bytes, and for a line that is refused, why."""
    return said(name, [wire], options)


def said(name: Name, pieces: list[bytes], options: Options | None = None) -> list[Answer | str]:
    dialect, found = begin(name, options or Options()), list[Answer | str]()
    for piece in pieces:
        dialect.receive(piece)
        for frame in dialect.frames():
            try:
                found.append(dialect.parse(frame))
            except ProtocolError as error:
                found.append(str(error))
    return found


def weights(name: Name, wire: bytes, options: Options | None = None) -> list[float]:
    return [each.grams for each in read(name, wire, options) if isinstance(each, Weight)]


@pytest.mark.parametrize("name", NAMES)
def test_the_line_of_the_manual(name: Name) -> None:
    assert weights(name, LINES[name] * 2)[-1] == 1234.0


@pytest.mark.parametrize(
    "name, wire, grams",
    [
        ("and", b"ST,GS,-  12.34 g\r\n", -12.34),
        ("and", b"ST,-00012.34  g\r\n", -12.34),
        ("dini", b"ST,GS,-  12.34, g\r\n", -12.34),
        ("dini", b"ST,GS,  -12.34, g\r\n", -12.34),
        ("ohaus", b"-     12.34 g\r\n" * 2, -12.34),
        ("ohaus", b"     -12.34 g\r\n" * 2, -12.34),
        ("sartorius", b"-    12.34 g  \r\n", -12.34),
        ("nci", b"\n- 12.34 g\r\n00\r\x03", -12.34),
        ("nci", b"\n -12.34 g\r\n00\r\x03", -12.34),
    ],
)
def test_a_sign_apart_from_its_number_is_kept(name: Name, wire: bytes, grams: float) -> None:
    assert weights(name, wire) == [grams]


@pytest.mark.parametrize(
    "name, wire",
    [
        ("and", b"ST,+00001234  g\r\n"),
        ("dini", b"ST,GS,    1234, g\r\n"),
        ("ohaus", b"       1234 g\r\n" * 2),
        ("sartorius", b"+     1234 g  \r\n"),
        ("nci", b"\n    1234 g\r\n00\r\x03"),
    ],
)
def test_integers_are_weights(name: Name, wire: bytes) -> None:
    assert weights(name, wire) == [1234.0]


@pytest.mark.parametrize(
    "name, wire",
    [
        ("and", b"US,+0001.234 kg\r\n"),
        ("dini", b"US,GS,   1.234,kg\r\n"),
        ("ohaus", b"     1234.0 g ?\r\n" * 2),
        ("ohaus", b"     1234.0 g    ?G  \r\n" * 2),
        ("nci", b"\n  1.234kg\r\n10\r\x03"),
        ("toledo", bytes.fromhex("022d382020203132333420202020 20300d12")),
    ],
)
def test_moving_is_said(name: Name, wire: bytes) -> None:
    assert read(name, wire)[-1] == Weight(1234.0, stable=False)


@pytest.mark.parametrize("kind, net", [(b"GS,", False), (b"NT,", True), (b"OK,", False), (b"", False)])
def test_a_second_header_is_no_part_of_the_weight(kind: bytes, net: bool) -> None:
    assert read("and", b"ST," + kind + b"+0001.234 kg\r\n") == [Weight(1234.0, stable=True, net=net)]


@pytest.mark.parametrize("kind", [b"TR", b"PT"])
def test_a_tare_is_no_weight(kind: bytes) -> None:
    assert read("and", b"ST," + kind + b",+0001.234 kg\r\n") == [Nothing.NO_WEIGHT]
    assert read("dini", b"ST," + kind + b",   1.234,kg\r\n") == [Nothing.NO_WEIGHT]


def test_a_converters_figures_are_no_weight() -> None:
    (why,) = read("dini", b"ST,VL,   1.234,mV\r\n")
    assert "set it to send weights" in str(why)


def test_a_blank_unit_of_sbi_means_moving() -> None:
    stable, moving, finer = b"+   1255.7 g  \r\n", b"+   1255.9    \r\n", b"+ 1.255.9    \r\n"
    assert read("sartorius", moving) == [Nothing.NO_WEIGHT]  # grams or kilograms, nobody has said
    assert read("sartorius", moving, Options(unit="g")) == [Weight(1255.9, stable=False)]
    assert read("sartorius", moving + b"+   0.9000    \r\n", Options(unit="g"))[1] == Nothing.NO_WEIGHT
    assert read("sartorius", stable + moving) == [Weight(1255.7, True), Weight(1255.9, False)]
    # Its unit was changed while it moved: kilograms have other decimals than grams, and nothing is guessed.
    kilograms = b"+   1.2559    \r\n"
    assert read("sartorius", stable + kilograms + b"+   1.2557 kg \r\n" + kilograms) == [
        Weight(1255.7, True), Nothing.NO_WEIGHT, Weight(1255.7, True), Weight(1255.9, False)
    ]  # fmt: skip
    assert isinstance(read("sartorius", finer)[0], str)


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_that_changes_changes_no_weight(name: Name) -> None:
    kilograms, grams = {
        "and": (b"ST,+0001.234 kg\r\n", b"ST,+0001234.  g\r\n"),
        "dini": (b"ST,GS,   1.234,kg\r\n", b"ST,GS,  1234.0, g\r\n"),
        "ohaus": (b"      1.234 kg\r\n", b"     1234.0 g\r\n"),
        "sartorius": (b"+    1.234 kg \r\n", b"+   1234.0 g  \r\n"),
        "nci": (b"\n  1.234kg\r\n00\r\x03", b"\n 1234.0g \r\n00\r\x03"),
        "toledo": (LINES["toledo"], bytes.fromhex("022a302120203132333420202020 20300d1c")),
    }[name]
    assert set(weights(name, (kilograms * 2 + grams * 2) * 2 + (kilograms + grams) * 3)) == {1234.0}


@pytest.mark.parametrize(
    "name, wire, what",
    [
        ("and", b"QT,+00000024 PC\r\n", "'PC', which is no mass; set it to one of mg, g, kg, lb, oz"),
        ("and", b"ST,+000012.3  %\r\n", "'%', which is no mass"),
        ("and", b"ST,+0001.234  t\r\n", "tonne or tola"),
        ("dini", b"ST,GS,      24,pz\r\n", "'pz', which is no mass"),
        ("dini", b"ST,GS,   1.234,\r\n", "'', which is no mass"),
        ("ohaus", b"          3 PCS\r\n", "'PCS', which is no mass"),
        ("sartorius", b"+       24 pcs\r\n", "'pcs', which is no mass"),
        ("nci", b"\n      24 pc\r\n00\r\x03", "'pc', which is no mass"),
        ("toledo", bytes.fromhex("022a30272020202032342020202020300d3a"), "unit number 7"),
    ],
)
def test_what_is_no_mass_is_refused_with_what_would_be_right(name: Name, wire: bytes, what: str) -> None:
    (why,) = read(name, wire)
    assert what in str(why)


def test_pounds_and_ounces_together() -> None:
    assert weights("nci", b"\n 2lb  8.0oz\r\n00\r\x03") == [pytest.approx(2.5 * 453.59237)]
    assert weights("nci", b"\n-2lb  8.0oz\r\n00\r\x03") == [pytest.approx(-2.5 * 453.59237)]


@pytest.mark.parametrize("name", NAMES)
def test_a_partial_first_line_is_no_weight(name: Name) -> None:
    """The port opens in the middle of a line, wherever that is; only whole lines count."""
    line = LINES[name]
    for begun in range(1, len(line)):
        assert set(weights(name, line[begun:] + line * 3)) == {1234.0}, begun


@pytest.mark.parametrize("name", NAMES)
def test_a_line_that_lost_a_byte_is_no_other_weight(name: Name) -> None:
    line = LINES[name]
    for lost in range(len(line)):
        damaged = line[:lost] + line[lost + 1 :]
        found = weights(name, line * 3 + damaged + line * 3)
        # What is lost may be the line's end, and takes the next line with it; never is it a digit.
        assert set(found) == {1234.0}, (lost, damaged)
        assert len(found) >= 3, lost


@pytest.mark.parametrize("name", NAMES)
def test_noise_before_a_line_takes_no_line_with_it(name: Name) -> None:
    line = LINES[name]
    for noise in (b"\x80", b"\xff\x00\xfe", b"x?!", b"ST,", b"z+-", b"  7z", b"\r\n\x02"):
        assert weights(name, line * 3 + noise + line)[-1:] == [1234.0]
        assert len(weights(name, line * 3 + noise + line)) == len(weights(name, line * 4)), noise


def test_only_our_indicator_counts_on_shared_wires() -> None:
    options = Options(address="01")
    assert read("dini", b"01ST,GS,   1.234,kg\r\n02ST,GS,   9.999,kg\r\n", options) == [
        Weight(1234.0, stable=True), Nothing.OTHERS
    ]  # fmt: skip
    assert read("dini", b"02OL,GS,--------,kg\r\n", options) == [Nothing.OTHERS]
    assert 'write address = "02"' in str(read("dini", b"02ST,GS,   9.999,kg\r\n")[0])
    assert "leave out address" in str(read("dini", b"ST,GS,   9.999,kg\r\n", options)[0])


def test_a_tare_that_the_line_tells_is_added_back() -> None:
    # 1000 net, tare 234, in kg/1000, checksum by hand.
    assert read("toledo", bytes.fromhex("022d31202020313030302020203233 340d79")) == [Weight(1234.0, True)]
    assert read("dini", b"1,ST,     1.000,     0.234,         0,         0,kg\r\n") == [Weight(1234.0, True)]
    assert read("dini", b"1ST,1,   1.000,PT   0.234, 0,kg\r\n") == [Weight(1000.0, True, net=True)]


@pytest.mark.parametrize(
    "swa, grams",
    [
        (0x28, 123400_000.0),
        (0x29, 12340_000.0),
        (0x2A, 1234_000.0),
        (0x2B, 123_400.0),
        (0x2C, 12_340.0),
        (0x2D, 1234.0),
    ],
)
def test_toledos_decimal_point_stands_in_the_first_status_byte(swa: int, grams: float) -> None:
    frame = bytes([0x02, swa, 0x30, 0x20]) + b"  1234     0\r"
    assert weights("toledo", frame, Options(checksum=False)) == [grams]


def test_toledos_block_with_a_wrong_checksum_is_noise() -> None:
    good = LINES["toledo"]
    for at in range(len(good)):
        for bit in range(7):  # the eighth is no part of the sum: parity, on a line with 7 bits
            bad = bytearray(good)
            bad[at] ^= 1 << bit
            assert weights("toledo", bytes(bad) + good) == [1234.0], (at, bit)


@pytest.mark.parametrize(
    "status, fault",
    [(b"02", "overload"), (b"01", "underload"), (b"40", "device_error: RAM"), (b"80", "device_error: EEPROM"),
     (b"04", "device_error: ROM"), (b"08", "device_error: calibration")],
)  # fmt: skip
def test_ncis_status_says_what_is_wrong(status: bytes, fault: str) -> None:
    assert read("nci", b"\n  1.234kg\r\n" + status + b"\r\x03") == [Fault(fault)]
    assert read("nci", b"\n" + status + b"\r\x03") == [Fault(fault)]


def test_ncis_third_status_byte_is_taken() -> None:
    assert weights("nci", b"\n  1.234kg\r\n0p0\r\x03") == [1234.0]


def test_errors_of_questions() -> None:
    assert read("ohaus", b"ES\r\n") == [NotUnderstood("ES")]
    assert read("nci", b"\n?\r\x03") == [NotUnderstood("?")]
    assert read("and", b"EC,E01\r\nEC,E02\r\n") == [NotUnderstood("error E01"), Nothing.NO_WEIGHT]
    assert read("dini", b"ERR04\r\n") == [NotUnderstood("error 04")]


@pytest.mark.parametrize(
    "name, heard, words",
    [
        ("and", bytes(b | (0x80 if b.bit_count() % 2 else 0) for b in LINES["and"] * 2), "7 data bits"),
        ("and", LINES["sartorius"] * 3, 'dialect = "sartorius"'),
        ("dini", LINES["and"] * 3, 'dialect = "and"'),
        ("and", LINES["toledo"] * 3, 'dialect = "toledo"'),
        ("ohaus", b"S S     100.00 g\r\n", 'driver = "sics"'),
        ("toledo", b"\x02-0   1234     0\r" * 3, "checksum = false"),
        ("and", bytes(range(128, 255)), ""),
    ],
)
def test_what_makes_no_sense_is_known_otherwise(name: Name, heard: bytes, words: str) -> None:
    found = hint(name, Options(), heard)
    assert words in found
    assert bool(found) == bool(words)


def test_a_new_width_is_believed_twice_in_a_row_or_often() -> None:
    width = Width(first_is_whole=True)

    def believed(*widths: int) -> list[bool]:
        return [width.believes(each, "g", 100.0) for each in widths]

    assert believed(10, 9, 9, 10) == [True, False, True, False]
    assert believed(*[10] * 30) == [True] * 30
    assert believed(9, 10, 9, 10) == [False, True, False, True]  # a cable
    assert believed(9, 10, 9, 10) == [False, True, True, True]  # a manner of writing
    assert not Width(first_is_whole=False).believes(10, "g", 100.0)
    believed(*[20] * 40)
    assert believed(9) == [False]  # long ago


def test_a_unit_key_is_believed_at_once_and_a_lost_letter_is_not() -> None:
    kilograms, grams = b"ST,GS,+1.234kg\r\n", b"ST,GS,+1234.1g\r\n"
    assert weights("and", kilograms + grams + kilograms + b"ST,GS,+1234g\r\n") == [
        1234.0,
        1234.1,
        1234.0,
        1234.0,
    ]
    assert weights("and", kilograms * 3 + b"ST,GS,+1.234g\r\n" + kilograms) == [1234.0] * 4
    ohaus = b"      1.234 kg\r\n" * 2 + b"     1234.0 g\r\n" + b"      1.234 kg\r\n"
    assert weights("ohaus", ohaus) == [1234.0] * 3


@pytest.mark.parametrize("ends", [b"\r\n", b"\x03"])
def test_what_has_no_end_comes_in_pieces(ends: bytes) -> None:
    cutter = Cutter(ends)
    cutter.receive(b"x" * (MAX_FRAME + 5) + ends[:1] + b"y")
    assert list(cutter.frames()) == [b"x" * MAX_FRAME, b"x" * 5]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_random_bytes_raise_protocol_errors_alone(name: Name, data: st.DataObject) -> None:
    words = b"ST, GS, OL, \n \r \x03 \x02-0 00 kg + - ? Stat [6] 1.5".split(b" ")
    noise = data.draw(
        st.lists(st.binary(max_size=12) | st.sampled_from([*words, LINES[name]]), max_size=20).map(b"".join)
    )
    options = data.draw(
        st.builds(Options, st.sampled_from([None, "01"]), st.booleans(), st.sampled_from([None, "g"]))
    )
    for answer in said(name, cut(noise, data.draw(st.lists(st.integers(0, 200)))), options):
        assert isinstance(answer, Answer | str)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_how_the_stream_is_cut_never_matters(name: Name, data: st.DataObject) -> None:
    stream = data.draw(st.lists(st.just(LINES[name]) | st.binary(max_size=30), max_size=8).map(b"".join))
    assert said(name, cut(stream, data.draw(st.lists(st.integers(0, 200))))) == read(name, stream)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_noise_neither_hides_a_line_nor_makes_one(name: Name, data: st.DataObject) -> None:
    """Noise before each line, as a cable makes it: bytes that belong to no line, the line itself whole."""
    others = st.binary(min_size=1, max_size=20).map(lambda noise: bytes(b | 0x80 for b in noise))
    count = data.draw(st.integers(1, 6))
    noises = data.draw(st.lists(others, min_size=count, max_size=count))
    line = LINES[name]
    found = weights(name, line * 3 + b"".join(noise + line for noise in noises))
    assert found == weights(name, line * (3 + count))


@pytest.mark.parametrize("name", ["and", "dini", "sartorius", "nci", "toledo"])
@given(data=st.data())
def test_any_noise_makes_no_weight(name: Name, data: st.DataObject) -> None:
    """Whatever stands between whole lines, what is read is what was sent, or less."""
    noises = data.draw(st.lists(st.binary(max_size=25), max_size=6))
    line = LINES[name]
    found = weights(name, line * 3 + b"".join(noise + line for noise in noises))
    assert set(found) == {1234.0}
    assert len(found) >= 3


@pytest.mark.parametrize("name", NAMES)
@given(
    heard=st.lists(st.binary(max_size=20) | st.sampled_from(sorted(LINES.values())), max_size=6).map(b"".join)
)
def test_whatever_was_heard_a_hint_is_words(name: Name, heard: bytes) -> None:
    assert isinstance(hint(name, Options(), heard), str)
