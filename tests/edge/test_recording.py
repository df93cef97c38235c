"""Recordings: what is read from a line, and what a bad one is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import RecordingError
from edge.reads import Antenna, Lost, Read, Scale, TagRead, Trigger, WeightFault, WeightSample
from edge.recording import Recording, heading, line

HEADING = b'{"type":"recording","version":1,"edge":"store-042"}\n'

# Typed in, not made by the writer: the time is 1795338000 s after 1970, by hand.
LINES: list[tuple[bytes, Read]] = [
    (
        b'{"type":"tag","at":"2026-11-22T09:00:00.123456Z","gate":"dock-1","antenna":2,'
        b'"epc":"3074257BF7194E4000001A85","rssi_dbm":-61.5}\n',
        TagRead(
            at_us=1_795_338_000_123_456,
            gate="dock-1",
            antenna=2,
            epc="3074257BF7194E4000001A85",
            rssi_dbm=-61.5,
        ),
    ),
    (
        b'{"type":"tag","at":"2026-11-22T09:00:00Z","gate":"dock-1","antenna":2,"epc":"3074","rssi_dbm":-61.5,'
        b'"tid":"E2801160","phase_deg":12.5,"channel_mhz":865.7,"count":3}\n',
        TagRead(
            at_us=1_795_338_000_000_000,
            gate="dock-1",
            antenna=2,
            epc="3074",
            rssi_dbm=-61.5,
            tid="E2801160",
            phase_deg=12.5,
            channel_mhz=865.7,
            count=3,
        ),
    ),
    (
        b'{"type":"weight","at":"2026-11-22T09:00:00Z","shelf":"aisle-1","cell":3,"grams":1234.5}\n',
        WeightSample(at_us=1_795_338_000_000_000, shelf="aisle-1", cell=3, grams=1234.5),
    ),
    (
        b'{"type":"weight","at":"2026-11-22T09:00:00Z","shelf":"aisle-1","cell":3,"grams":-0.5,"stable":true}\n',
        WeightSample(at_us=1_795_338_000_000_000, shelf="aisle-1", cell=3, grams=-0.5, stable=True),
    ),
    (
        b'{"type":"scale","at":"2026-11-22T09:00:00Z","shelf":"aisle-1","cells":[3,4],"serial":"1127"}\n',
        Scale(at_us=1_795_338_000_000_000, shelf="aisle-1", cells=(3, 4), serial="1127"),
    ),
    (
        b'{"type":"scale","at":"2026-11-22T09:00:00Z","shelf":"aisle-1","calibration":"7"}\n',
        Scale(at_us=1_795_338_000_000_000, shelf="aisle-1", calibration="7"),
    ),
    (
        b'{"type":"weight_fault","at":"2026-11-22T09:00:00Z","shelf":"aisle-1","cell":3,"fault":"overload"}\n',
        WeightFault(at_us=1_795_338_000_000_000, shelf="aisle-1", cell=3, fault="overload"),
    ),
    (
        b'{"type":"trigger","at":"2026-11-22T09:00:00Z","gate":"dock-1","input":1,"on":true}\n',
        Trigger(at_us=1_795_338_000_000_000, gate="dock-1", input=1, on=True),
    ),
    (
        b'{"type":"antenna","at":"2026-11-22T09:00:00Z","gate":"dock-1","antenna":3,"connected":false}\n',
        Antenna(at_us=1_795_338_000_000_000, gate="dock-1", antenna=3, connected=False),
    ),
    (
        b'{"type":"lost","at":"2026-11-22T09:00:02Z","device":"dock-1","from":"2026-11-22T09:00:00Z",'
        b'"to":"2026-11-22T09:00:01.500000Z","reason":"reports 7 to 9 are missing"}\n',
        Lost(
            at_us=1_795_338_002_000_000,
            device="dock-1",
            from_us=1_795_338_000_000_000,
            to_us=1_795_338_001_500_000,
            reason="reports 7 to 9 are missing",
        ),
    ),
]


@pytest.mark.parametrize("text, read", LINES)
def test_a_line_is_the_read_that_it_says_and_the_other_way_round(text: bytes, read: Read) -> None:
    assert list(Recording([HEADING, text])) == [read]
    assert line(read) == text


@pytest.mark.parametrize("text, read", LINES)
def test_a_line_may_have_the_steady_clocks_time(text: bytes, read: Read) -> None:
    steady = text.replace(b"}\n", b',"mono_ms":7}\n')
    recording = Recording([HEADING, steady])
    assert list(recording.timed()) == [(7, read)]
    assert recording.steady
    assert line(read, 7) == steady
    assert list(Recording([HEADING, text]).timed()) == [(read.at_us // 1000, read)]


@pytest.mark.parametrize("steady", [True, False])
def test_all_lines_have_the_steady_clocks_time_or_none(steady: bool) -> None:
    (_, first), (_, second) = LINES[:2]
    mixed = [HEADING, line(first, 7 if steady else None), line(second, None if steady else 7)]
    recording = Recording(mixed).timed()
    next(recording)
    with pytest.raises(RecordingError, match=r"line 3: has .*mono_ms, .*; all have it, or none has"):
        next(recording)


def test_the_heading_names_the_edge() -> None:
    assert heading("store-042") == HEADING
    assert Recording([HEADING]).edge == "store-042"


def test_times_of_other_zones_and_small_letters_are_understood() -> None:
    text = (
        b'{"type":"tag","at":"2026-11-22T10:00:00+01:00","gate":"d","antenna":1,"epc":"30ab","rssi_dbm":-60}'
    )

    (read,) = Recording([HEADING, text])
    assert isinstance(read, TagRead)
    assert (read.at_us, read.epc) == (1_795_338_000_000_000, "30AB")


def test_unknown_keys_are_passed_over_and_unknown_types_counted() -> None:
    recording = Recording(
        [
            HEADING,
            b'{"type":"smell","at":"2026-11-22T09:00:00Z"}\n',
            LINES[2][0].replace(b'"cell"', b'"mood":"fine","cell"'),
            b"\n",
            b'{"type":"smell"}\n',
        ]
    )

    assert list(recording) == [LINES[2][1]]
    assert recording.skipped == 2


@pytest.mark.parametrize(
    "first, said",
    [
        (b"", "begins with"),
        (b"{}", "begins with"),
        (LINES[0][0], "begins with"),
        (b'{"type":"recording","version":2,"edge":"store-042"}', "reads version 1"),
        (b'{"type":"recording","version":1,"edge":"Store 42"}', "begins with"),
        (b"\xff\xfe", "begins with"),
    ],
)
def test_what_is_no_recording_is_refused_at_its_first_line(first: bytes, said: str) -> None:
    with pytest.raises(RecordingError, match=f"line 1: .*{said}"):
        Recording([first])


@pytest.mark.parametrize(
    "old, new, said",
    [
        (b"-61.5", b'"loud"', "rssi_dbm"),
        (b"-61.5", b"1e999", ""),
        (b"-61.5", b"-500", "rssi_dbm"),
        (b',"rssi_dbm":-61.5', b"", "rssi_dbm"),
        (b'"antenna":2', b'"antenna":-1', "antenna"),
        (b"3074257BF7194E4000001A85", b"307", "epc"),
        (b"2026-11-22T09:00:00.123456Z", b"yesterday", "at"),
        (b"2026-11-22T09:00:00.123456Z", b"2026-11-22T09:00:00", "at"),
        (b"2026-11-22T09:00:00.123456Z", b"1950-11-22T09:00:00Z", "between 1970 and 2200"),
        (b"}\n", b"", ""),
        (b"}\n", b',"mono_ms":-1}\n', "mono_ms"),
        (b"}\n", b',"mono_ms":"noon"}\n', "mono_ms"),
        (b'{"type":"tag"', b'{"type":7', ""),
    ],
)
def test_a_bad_line_is_an_error_that_names_it(old: bytes, new: bytes, said: str) -> None:
    bad = LINES[0][0].replace(old, new)
    assert bad != LINES[0][0]
    recording = iter(Recording([HEADING, LINES[2][0], b"\n", bad]))

    assert next(recording) == LINES[2][1]
    with pytest.raises(RecordingError, match=f"line 4: .*{said}"):
        next(recording)


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", fullmatch=True)
TIMES = st.integers(0, 7_258_118_400_000_000 - 1)
HEX = st.from_regex(r"(?:[0-9A-F]{4}){1,31}", fullmatch=True)
SMALL = st.integers(0, 65_535)
READS = st.one_of(
    st.builds(
        TagRead,
        at_us=TIMES,
        gate=NAMES,
        antenna=SMALL,
        epc=HEX,
        rssi_dbm=st.floats(-200, 100),
        tid=st.none() | HEX,
        phase_deg=st.none() | st.floats(0, 360),
        count=st.integers(1, 1000),
    ),
    st.builds(
        WeightSample,
        at_us=TIMES,
        shelf=NAMES,
        cell=SMALL,
        grams=st.floats(-1e8, 1e8),
        stable=st.none() | st.booleans(),
    ),
    st.builds(Scale, at_us=TIMES, shelf=NAMES, cells=st.none() | st.lists(SMALL, max_size=3).map(tuple)),
    st.builds(WeightFault, at_us=TIMES, shelf=NAMES, cell=SMALL, fault=st.text(max_size=20)),
    st.builds(Trigger, at_us=TIMES, gate=NAMES, input=SMALL, on=st.booleans()),
)


@given(st.lists(READS, max_size=5))
def test_what_is_written_is_read_again(reads: list[Read]) -> None:
    assert list(Recording([heading("e"), *map(line, reads)])) == reads
