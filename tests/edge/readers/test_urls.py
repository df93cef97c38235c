import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.readers.urls import SerialUrl, TcpUrl, parse


@pytest.mark.parametrize(
    "url, where",
    [
        ("tcp://192.0.2.10:5084", TcpUrl("192.0.2.10", 5084)),
        ("tcp://reader.example", TcpUrl("reader.example", 4001)),
        ("tcp://[2001:db8::1]:5084", TcpUrl("2001:db8::1", 5084)),
        ("serial:/dev/ttyUSB0", SerialUrl("/dev/ttyUSB0", 9600)),
        (
            "serial:/dev/serial/by-id/usb-scale-1?baud=2400&bits=7&parity=even&stop=2&flow=xonxoff",
            SerialUrl("/dev/serial/by-id/usb-scale-1", 2400, 7, "E", 2, "xonxoff"),
        ),
        ("serial:/dev/ttyUSB0?baud=2400&framing=7E1", SerialUrl("/dev/ttyUSB0", 2400, 7, "E", 1)),
        ("serial:/dev/ttyUSB0?framing=8n2", SerialUrl("/dev/ttyUSB0", 9600, 8, "N", 2)),
    ],
)
def test_reads(url: str, where: TcpUrl | SerialUrl) -> None:
    assert parse(url, port=4001) == where


@pytest.mark.parametrize(
    "url, words",
    [
        ("", "is no device address; write tcp://host:port or serial:/dev"),
        ("/dev/ttyUSB0", "is no device address"),
        ("http://192.0.2.10", "is no device address"),
        ("tcp://192.0.2.10", "names no port"),
        ("tcp://:5084", "names no host"),
        ("tcp://192.0.2.10:99999", "from 1 to 65535"),
        ("tcp://192.0.2.10:5084/x", "write only tcp://host:port"),
        ("tcp://me:secret@192.0.2.10:5084", "write only tcp://host:port"),
        ("serial:ttyUSB0", "absolute path"),
        ("serial://dev/ttyUSB0", "absolute path"),
        ("serial:/dev/ttyUSB0?baud=9601", "baud is one of 300, .*, not '9601'"),
        ("serial:/dev/ttyUSB0?parity=E", "parity is one of none, even, odd, not 'E'"),
        ("serial:/dev/ttyUSB0?speed=9600", "'speed' is no line setting; there are baud, bits"),
        ("serial:/dev/ttyUSB0?framing=9N1", "framing is one of 7N1, .*, not '9N1'"),
        ("serial:/dev/ttyUSB0?framing=7E1&bits=8", "framing says bits, parity and stop; leave out bits"),
        ("serial:/dev/ttyUSB0?baud=9600&baud=2400", "baud more than once"),
    ],
)
def test_says_what_would_be_right(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(url)


@given(st.sampled_from(["tcp://", "serial:/", "tcp://[", ""]), st.text(max_size=30))
def test_any_text_is_read_or_refused(scheme: str, text: str) -> None:
    try:
        parse(scheme + text, port=1)
    except ValueError:
        return
