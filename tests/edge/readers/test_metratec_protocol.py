"""Lines of both generations of metraTec readers: rounds are held until their antenna is known."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError
from edge.readers.metratec.protocol import ascii, at
from edge.readers.metratec.protocol.lines import MAX_LINE, Lines
from edge.readers.metratec.protocol.rounds import (
    MOST_IN_ROUND,
    Beat,
    Damaged,
    Decoder,
    Event,
    Input,
    Noise,
    Restarted,
    Round,
    Tag,
    Told,
)
from tests.support.captures import Capture, cases, cut, three_ways

NOON = 1763800000000000
EPC = "3034257BF468D480000003EC"


def at_decoder(*, tid: bool = False) -> Decoder:
    return at.decoder(at.AtLines(at.Fields(tid=tid)))


def ascii_decoder(*, twice: bool = True) -> Decoder:
    return ascii.decoder(ascii.AsciiLines(twice=twice))


def feed(decoder: Decoder, pieces: list[bytes]) -> list[Event]:
    events: list[Event] = []
    for piece in pieces:
        decoder.receive(piece, NOON)
        events += decoder.events()
    return events


def said(event: Event) -> dict[str, Any]:
    match event:
        case Round(antenna, tags, faults):
            return {
                "round": antenna,
                "tags": [[tag.epc, tag.tid, tag.rssi] for tag in tags],
                "faults": list(faults),
            }
        case Input(number, on):
            return {"input": number, "on": on}
        case Beat():
            return {"beat": True}
        case Restarted():
            return {"restarted": True}
        case Told(text):
            return {"told": text}
        case _:
            return {"unexpected": repr(event)}


@pytest.mark.parametrize("case", cases("metratec"), ids=lambda case: case.name)
def test_captures(case: Capture) -> None:
    about, *expected = case.expected
    for way, pieces in three_ways(case.wire, b"+CINV: 3034"):
        made = (
            at_decoder(**about["fields"])
            if about["generation"] == "at"
            else ascii_decoder(twice=about["twice"])
        )
        assert [said(event) for event in feed(made, pieces)] == expected, way


def test_tags_of_a_round_are_held_until_its_antenna_is_known() -> None:
    decoder = at_decoder()
    assert feed(decoder, [f"+CMINV: {EPC},-61\r".encode()]) == []
    (ended,) = feed(decoder, [b"+CMINV: <ROUND FINISHED, ANT=3>\r\n"])
    assert ended == Round(3, (Tag(EPC, NOON, -61),))


END_1, END_2 = b"+CMINV: <ROUND FINISHED, ANT=1>\r\n", b"+CMINV: <ROUND FINISHED, ANT=2>\r\n"


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff\x80+CMINV: 3034257BF468D480000003ED,-61\r",  # noise before a tag
        b"+CMINV: 3034257BF468D48000\r",  # half a line: no strength
        b"+CMINV: 3034257BF468D480000003E,-61\r",  # a digit is missing
        b"+CMINV: 3034257BF468D480000003EZ,-61\r",
        b"+CMINV: 3034257BF468D480000003ED,-6+CMINV: <ROUND FINISHED, ANT=1>\r",  # an end swallowed
        b"+CMINV: <ROUND FINISHED, ANT=>\r\n+C\r",
        b"+CMINV: 3034257BF468D480000003ED,E200600311753E33,-61\r",  # a TID that nobody asked for
        b"INV: 3034257BF468D480000003ED,-61\r",
        b"+CMINV: 3034257BF468D480000003ED,-61\r+CMIN: <ROUND FINISHED, ANT=1>\r\n",
    ],
)
def test_a_round_with_a_line_that_cannot_be_read_is_dropped_and_said(damage: bytes) -> None:
    events = feed(at_decoder(), [f"+CMINV: {EPC},-61\r".encode() + damage + END_2])
    (lost,) = [event for event in events if isinstance(event, Damaged)]
    assert lost.tags >= 1
    assert not any(isinstance(event, Round) and event.tags for event in events)
    assert feed(at_decoder(), [damage + END_2 + f"+CMINV: {EPC},-60\r".encode() + END_1])[-1] == Round(
        1, (Tag(EPC, NOON, -60),)
    ), "the next round is whole again"


@pytest.mark.parametrize(
    "lines, tags, why",
    [
        (f"{EPC}\r{EPC}\r-61\rARP 01\rIVF 02\r", 1, "1 tags came of 2"),
        (f"{EPC}\r-61\rARP 01\rIVF 01\r", 0, "strength without the tag"),
        (f"{EPC}\r{EPC}\r{EPC}\r-61\rARP 01\rIVF 01\r", 1, "too many lines"),
        (f"{EPC}\r{EPC}\rARP 01\rIVF 01\r", 0, "without its strength"),
        (f"{EPC}\r{EPC}\r-61\r\x80\x81\rARP 01\rIVF 01\r", 1, "cannot be read"),
        (f"{EPC}\r{EPC}\rCER\rARP 01\rIVF 00\r", 0, "without its strength"),
    ],
)
def test_an_ascii_round_that_does_not_add_up_is_dropped(lines: str, tags: int, why: str) -> None:
    events = feed(ascii_decoder(), [lines.encode("latin-1")])
    lost = events[-1]
    assert isinstance(lost, Damaged)
    assert lost.tags == tags
    assert why in lost.why
    decoder = ascii_decoder()
    feed(decoder, [lines.encode("latin-1")])
    assert feed(decoder, [f"{EPC}\r{EPC}\r-61\rARP 02\rIVF 01\r".encode()]) == [
        Round(2, (Tag(EPC, NOON, -61),))
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_tags_that_could_not_be_read_may_be_counted_or_not(count: int) -> None:
    (ended,) = feed(
        ascii_decoder(),
        [f"{EPC}\r{EPC}\r-61\rCER\r{EPC}\r-70\rTOE\rARP 00\rIVF {count:02d}\r".encode()],
    )
    assert ended == Round(0, (Tag(EPC, NOON, -61),), ("CRC error", "timeout"))


def test_a_reader_that_stopped_in_a_round_does_not_give_its_tags_to_the_next_antenna() -> None:
    events = feed(ascii_decoder(), [f"{EPC}\r{EPC}\r-61\rBRA\rARP 01\rIVF 00\r".encode()])
    assert events == [Told("BRA"), Round(1, ())]


def test_a_round_without_an_end_does_not_fill_the_memory() -> None:
    decoder = at_decoder()
    feed(decoder, [f"+CINV: {EPC},-61\r".encode() * (3 * MOST_IN_ROUND)])
    (ended,) = feed(decoder, [END_1])
    assert isinstance(ended, Damaged)
    assert ended.tags <= MOST_IN_ROUND


@pytest.mark.parametrize("end", [b"", b"\r"])
def test_a_line_without_an_end_is_refused(end: bytes) -> None:
    lines = Lines()
    lines.receive(b"\0\0OK\r\n" + b"\x80" * (MAX_LINE + 1) + end)
    found = lines.lines()
    assert next(found) == b"OK"
    with pytest.raises(ProtocolError, match="is the port's speed right"):
        next(found)


LINES = [
    f"+CMINV: {EPC},-61\r".encode(),
    END_1,
    END_2,
    b"+HBT\r\n",
    b"+IEV: 1,HIGH\r\n",
    f"{EPC}\r".encode(),
    b"-61\r",
    b"CER\r",
    b"ARP 01\r",
    b"IVF 01\r",
    b"OK\r\n",
    b"UCO\r",
    b"SRT\r",
]


@given(st.lists(st.sampled_from(LINES) | st.binary(max_size=30), max_size=20), st.lists(st.integers(0, 400)))
def test_how_the_stream_is_cut_never_matters_and_only_protocol_errors_come(
    sent: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(sent)
    for make in (at_decoder, ascii_decoder):
        assert outcome(make(), cut(stream, cuts)) == outcome(make(), [stream])


def outcome(decoder: Decoder, pieces: list[bytes]) -> tuple[list[Event], bool]:
    events: list[Event] = []
    try:
        for piece in pieces:
            decoder.receive(piece, NOON)
            for event in decoder.events():
                events.append(event)
    except ProtocolError:
        return events, False
    return events, True


@given(st.integers(0, 10_000), st.integers(0, 255), st.booleans())
def test_one_wrong_byte_never_moves_a_tag_to_another_antenna(place: int, byte: int, insert: bool) -> None:
    """There is no checksum, so a digit may become another one. Which antenna saw what must not."""
    others = [f"30342{number:019X}" for number in range(4)]
    stream = b"".join(
        f"+CMINV: {epc},-61\r+CMINV: <ROUND FINISHED, ANT={1 + number}>\r\n".encode()
        for number, epc in enumerate(others)
    )
    mutated = bytearray(stream)
    mutated[place % len(stream) : place % len(stream) + (not insert)] = bytes([byte])
    for event in feed(at_decoder(), [bytes(mutated)]):
        if not isinstance(event, Round) or event.antenna not in (1, 2, 3, 4):
            continue
        for tag in event.tags:
            moved = tag.epc in others and others.index(tag.epc) + 1 != event.antenna
            assert not moved or byte in b"1234", "only a wrong antenna number itself could do that"


def test_noise_is_told_as_noise() -> None:
    assert feed(at_decoder(), [b"\x80\x90\r\n"]) == [Noise(b"\x80\x90")]
