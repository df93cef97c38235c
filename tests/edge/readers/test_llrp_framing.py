import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError
from edge.readers.llrp.protocol.framing import HEADER, Framer, Message
from tests.support.captures import cut, drain, three_ways

# KEEPALIVE (type 62) and an empty RO_ACCESS_REPORT (61), id 7: written out by hand from LLRP 1.1, sections 17.1.35
# and 17.1.34, not made by our own encoder. The last says version 1.1.
KEEPALIVE = bytes.fromhex("043e 0000000a 00000007")
REPORT = bytes.fromhex("043d 0000000a 00000007")
NEWER = bytes.fromhex("083e 0000000a 00000007")


@pytest.mark.parametrize("wire, type", [(KEEPALIVE, 62), (REPORT, 61), (NEWER, 62)])
def test_whole_byte_by_byte_and_with_a_tail(wire: bytes, type: int) -> None:
    for way, pieces in three_ways(wire, b"\x04"):
        framer = Framer()
        assert drain(framer.receive, framer.messages, pieces[:-1]) == [], way
        assert drain(framer.receive, framer.messages, pieces[-1:]) == [Message(type, 7, b"")], way


@pytest.mark.parametrize(
    "wire, words",
    [
        ("0c3e 0000000a 00000007", "version 3"),
        ("243e 0000000a 00000007", "version 1 in header 243e"),  # a reserved bit is set
        ("043e 00000009 00000007", "9 bytes"),
        ("043e 00100001 00000007", "1048577 bytes"),
    ],
)
def test_what_is_not_llrp_is_refused_after_what_was(wire: str, words: str) -> None:
    framer = Framer()
    framer.receive(KEEPALIVE + bytes.fromhex(wire))
    messages = framer.messages()
    assert next(messages) == Message(62, 7, b"")
    with pytest.raises(ProtocolError, match=words):
        next(messages)


def test_messages_not_taken_yet_are_not_lost() -> None:
    framer = Framer()
    framer.receive(KEEPALIVE + REPORT)
    for message in framer.messages():
        assert message.type == 62
        break
    assert [message.type for message in framer.messages()] == [61]


messages = st.builds(
    Message,
    st.sampled_from([61, 61, 62, 63]) | st.integers(0, 1023),
    st.integers(0, 2**32 - 1),
    st.sampled_from([b"", b"ab", b"cd"]) | st.binary(max_size=40),
)


def encode(message: Message) -> bytes:
    return HEADER.pack(2 << 10 | message.type, HEADER.size + len(message.body), message.id) + message.body


def joined(messages: list[Message]) -> list[tuple[int, int, bytes]]:
    """With reports that follow each other as one, for how many are handed out together depends on how they came."""
    together: list[tuple[int, int, bytes]] = []
    for type, id, body in messages:
        if type == 61 and together and together[-1][0] == 61:
            together[-1] = (61, 0, together[-1][2] + body)
        else:
            together.append((type, 0 if type == 61 else id, body))
    return together


def outcome(pieces: list[bytes]) -> tuple[list[tuple[int, int, bytes]], str]:
    framer, got = Framer(), list[Message]()
    try:
        for piece in pieces:
            framer.receive(piece)
            got.extend(framer.messages())
    except ProtocolError as error:
        return joined(got), str(error)
    return joined(got), "waiting"


@given(st.lists(messages, max_size=5), st.binary(max_size=12), st.lists(st.integers(0, 250)))
def test_how_the_stream_is_cut_never_matters(sent: list[Message], junk: bytes, cuts: list[int]) -> None:
    stream = b"".join(map(encode, sent)) + junk
    assert outcome(cut(stream, cuts)) == outcome([stream])
    told, expected = outcome([stream])[0], joined(sent)
    # What junk adds comes last, and may be a report that joins the last one.
    assert told[: max(0, len(expected) - 1)] == expected[:-1]
    assert b"".join(body for _, _, body in told).startswith(b"".join(body for _, _, body in expected))


def test_reports_of_one_length_that_came_together_are_one_and_no_other_is_among_them() -> None:
    def report(body: str, version: int = 1) -> bytes:
        data = bytes.fromhex(body)
        return HEADER.pack(version << 10 | 61, 10 + len(data), 7) + data

    framer = Framer()
    framer.receive(
        report("0102") + report("0304") + KEEPALIVE + report("05") + report("06") + report("0708")
        + report("09", 2) + report("0A0B")[:-1]
    )  # fmt: skip
    assert [(message.type, message.body.hex()) for message in framer.messages()] == [
        (61, "01020304"),
        (62, ""),
        (61, "0506"),
        (61, "0708"),
        (61, "09"),
    ]
    framer.receive(b"\x0b")
    assert [message.body.hex() for message in framer.messages()] == ["0a0b"]


def test_more_reports_than_are_joined_at_once_come_all_and_in_order() -> None:
    sent = [Message(61, number, number.to_bytes(2, "big")) for number in range(1000)]
    framer = Framer()
    framer.receive(b"".join(map(encode, sent)))
    assert b"".join(message.body for message in framer.messages()) == b"".join(each.body for each in sent)
