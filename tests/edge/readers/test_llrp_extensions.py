"""Versions, a vendor's extensions and settings, against a reader on a real TCP port. Bytes by LLRP 1.1, section 17, and
Impinj's Octane LLRP extensions."""

from typing import Any

import pytest

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.reader import LlrpReader
from edge.reads import TagRead, Trigger
from tests.support.llrp_reader import OK, FakeReader, message, notification, report, tag

NOON = 1763800000000000  # what the fake's connection event says
A = "3074257BF7194E4000001A85"
ADD, GET_CONFIG, VERSION, SET_VERSION, CUSTOM = 20, 2, 46, 47, 1023

# Another maker's, so without extensions: 4 antennas, 4 inputs; holds; 10, 20 and 30 dBm; fixed channels of Europe;
# modes 1 (Tari 6.25 to 12.5 us) and 2 (25 us).
OTHER = bytes.fromhex(
    "0089 001E 0004 4000 0000651B 001E886A 0004 352E3134 008D 0008 0004 0000"
    "008E 001C 48 01 0000 00000001 00000020 00000001 000005E4 00000008"
    "008F 0083 00FA 0002 0090 007B"
    "0091 0008 0001 03E8  0091 0008 0002 07D0  0091 0008 0003 0BB8"
    "0092 001B 00 0094 0016 0004 000D35A4 000D37FC 000D3A54 000D3CAC"
    "0148 0044 0149 0020 00000001 80 02 02 02 0003D090 000005DC 0000186A 000030D4 00000000"
    "0149 0020 00000002 80 02 02 02 0003D090 000005DC 000061A8 000061A8 00000000"
)
# Its antennas as they are set now: 1 and 2 at power 2, channel 4, mode 1, session 1 and 32 tags.
PRESENT = b"".join(
    (lambda raw: raw[:2] + len(raw).to_bytes(2, "big") + raw[4:])(
        bytes.fromhex(
            f"00DE 0000 {antenna:04X} 00DF 0006 0001 00E0 000A 0000 0004 0002"
            "014A 0018 00 014F 0008 0001 0000 0150 000B 40 0020 00000000"
        )
    )
    for antenna in (1, 2)
)


def driver(fake: FakeReader, **settings: Any) -> LlrpReader:
    config = LlrpConfig(driver="llrp", url=fake.url, **settings)
    return LlrpReader(config, "dock-1", lambda: NOON)


async def opened(fake: FakeReader, **settings: Any) -> bytes:
    """Let a driver set the reader up; returns the body of the ADD_ROSPEC that it sent."""
    async with fake.listening(), driver(fake, **settings).open():
        return fake.bodies[ADD]


def has(body: bytes, words: str) -> bool:
    return bytes.fromhex(words) in body


async def test_a_reader_of_1_1_is_spoken_to_in_1_1() -> None:
    fake = FakeReader(newest=2)
    async with fake.listening(), driver(fake).open() as batches:
        assert fake.bodies[SET_VERSION] == b"\x02"
        assert set(fake.versions) == {2}
        fake.send(bytes.fromhex("083E 0000000A 00000005") + report(tag(A, NOON)))
        assert len(await anext(batches)) == 1
        await fake.hears(72)
    assert set(fake.versions) == {2}


@pytest.mark.parametrize("newest", [None, 1])
async def test_a_reader_of_1_0_1_is_spoken_to_in_1_0_1(newest: int | None) -> None:
    fake = FakeReader(newest=newest)
    async with fake.listening(), driver(fake).open():
        assert SET_VERSION not in fake.heard
        assert fake.versions[0] == 2
        assert set(fake.versions[1:]) == {1}


async def test_a_reader_that_says_nothing_to_the_question_is_taken_for_1_0_1() -> None:
    fake = FakeReader(mute={VERSION})
    async with fake.listening(), driver(fake).open():
        assert set(fake.versions[1:]) == {1}


async def test_a_reader_that_hangs_up_at_the_question_is_not_asked_again() -> None:
    class Shy(FakeReader):
        def _answer(self, type: int, id: int, body: bytes) -> None:
            super()._answer(type, id, body)
            if type == VERSION:
                self.hang_up()

    fake = Shy(mute={VERSION})
    async with fake.listening():
        reader = driver(fake)
        with pytest.raises(ReaderLost):
            async with reader.open():
                pass
        async with reader.open():
            assert fake.heard.count(VERSION) == 1


async def test_an_impinj_reader_reports_phase_and_fine_strength() -> None:
    fake = FakeReader()
    async with fake.listening(), driver(fake).open() as batches:
        assert fake.bodies[CUSTOM] == bytes.fromhex("0000651A 15 00000000")
        selector = (
            "03FF 0028 0000651A 00000032 03FF 000E 0000651A 00000034 0001 03FF 000E 0000651A 00000035 0001"
        )
        assert has(fake.bodies[ADD], selector)
        # Antenna 1, -55 dBm, then Impinj's: phase 1024 of 4096, -55.25 dBm, TID E2801160.
        fake.send(
            report(
                bytes.fromhex(
                    f"00F0 004D 8D {A} 81 0001 86 C9 84 {NOON:016X}"
                    "03FF 000E 0000651A 00000038 0400 03FF 000E 0000651A 00000039 EA6B"
                    "03FF 0012 0000651A 00000037 0002 E2801160"
                )
            )
        )
        assert await anext(batches) == [
            TagRead(
                at_us=NOON, gate="dock-1", antenna=1, epc=A, rssi_dbm=-55.25, phase_deg=90.0, tid="E2801160"
            )
        ]


async def test_tids_are_asked_for_by_name() -> None:
    body = await opened(FakeReader(), tid=True, search="focus")
    assert has(body, "03FF 0036 0000651A 00000032 03FF 000E 0000651A 00000033 0001")
    assert has(body, "00DE 0019 0000 014A 0013 00 03FF 000E 0000651A 00000017 0003")


async def test_a_reader_that_refuses_extensions_is_used_without(caplog: pytest.LogCaptureFixture) -> None:
    body = await opened(FakeReader(extensions=109))
    assert not has(body, "0000651A")
    assert "refuses Impinj's extensions" in caplog.text


async def test_a_reader_that_refuses_a_report_with_extensions_is_asked_without_and_known_again() -> None:
    class Picky(FakeReader):
        def _do(self, type: int, body: bytes) -> int:
            return 100 if type == ADD and has(body, "0000651A") else super()._do(type, body)

    fake = Picky()
    async with fake.listening():
        for _ in range(2):
            async with driver(fake).open():
                assert not has(fake.bodies[ADD], "0000651A")
        assert fake.heard.count(ADD) == 2  # with, and without: the second connection finds it running


async def test_another_makers_reader_is_not_asked_for_extensions() -> None:
    fake = FakeReader(capabilities=OTHER)
    assert not has(await opened(fake), "0000651A")
    assert CUSTOM not in fake.heard


async def test_what_is_not_asked_for_stays_as_the_reader_is_set() -> None:
    fake = FakeReader(capabilities=OTHER, config=PRESENT)
    body = await opened(fake, power_dbm=29.9)
    assert fake.bodies[GET_CONFIG] == bytes.fromhex("0000 03 0000 0000")
    # Hop table 0 and channel 4 as before, and the second power, 20 dBm: the highest not above what was asked.
    assert has(body, "00DE 0010 0000 00E0 000A 0000 0004 0002")
    assert not has(body, "014A")


async def test_each_setting_goes_where_it_belongs() -> None:
    fake = FakeReader(capabilities=OTHER, config=PRESENT)
    body = await opened(
        fake, antennas=[1, 3], power_dbm={1: 10, 3: 30}, channel=2, mode=1, tari_us=6.25, session=2, population=200
    )  # fmt: skip
    assert has(body, "00B7 006A 0002 0001 0003")
    air = "014A 0018 00 014F 0008 0001 186A 0150 000B 80 00C8 00000000"
    assert has(body, "00DE 0028 0001 00E0 000A 0000 0002 0001" + air)
    assert has(body, "00DE 0028 0003 00E0 000A 0000 0002 0003" + air)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"antennas": [2, 5]}, "antenna 5 is asked for; the reader has 1 to 4"),
        ({"power_dbm": 31.5}, "power_dbm 31.5 is asked for; the reader has 10 to 30"),
        ({"power_dbm": {1: 20, 9: 20}}, "antenna 9 is asked for"),
        ({"mode": 1002}, "mode 1002 is asked for; the reader has 1, 2"),
        ({"mode": 2, "tari_us": 6.25}, "tari_us 6.25 is asked for; mode 2 of the reader has 25 to 25"),
        ({"channel": 5}, r"channel 5 is asked for; the reader has 1 to 4 \(865.7, 866.3, 866.9, 867.5 MHz\)"),
        ({"hop_table": 1}, "hop_table 1 is asked for; the reader has none: its region has fixed channels"),
        ({"search": "dual"}, r"search is asked for, which only Impinj readers know; this one is no Impinj"),
        ({"tid": True, "mode": 7}, "mode 7 is asked for.*; tid is asked for"),
    ],
)
async def test_what_a_reader_cannot_do_is_refused_with_what_it_can(
    settings: dict[str, Any], words: str
) -> None:
    fake = FakeReader(capabilities=OTHER, config=PRESENT)
    with pytest.raises(ReaderRefused, match=f"dock-1: .*{words}"):
        await opened(fake, **settings)
    assert ADD not in fake.heard


async def test_a_hopping_reader_has_no_channel_to_choose() -> None:
    hops = bytes.fromhex("008F 0021 0348 0001 0090 0019 0092 0015 80 0093 0010 07 00 0002 000DC6CE 000DC8C2")
    with pytest.raises(ReaderRefused, match="channel 1 is asked for; the reader's region hops"):
        await opened(FakeReader(capabilities=OTHER[:58] + hops), channel=1)
    body = await opened(FakeReader(capabilities=OTHER[:58] + hops), hop_table=7)
    assert has(body, "00E0 000A 0007 0001 0000")


async def test_inputs_are_on_when_low_and_believed_when_they_last() -> None:
    now = [NOON]
    fake = FakeReader(capabilities=OTHER)
    async with fake.listening():
        config = LlrpConfig(driver="llrp", url=fake.url, active_low=(1,), debounce_ms=20)
        async with LlrpReader(config, "dock-1", lambda: now[0]).open() as batches:
            for level in ("00", "80", "00"):  # it bounces once
                fake.send(notification(bytes.fromhex("00F8 0007 0001" + level)))
            fake.send(report(tag(A, NOON)))
            assert isinstance((await anext(batches))[0], TagRead)
            now[0] += 20_000
            assert await anext(batches) == [Trigger(at_us=NOON, gate="dock-1", input=1, on=True)]


async def test_what_the_reader_held_is_said_to_be_whole_only_where_it_held_it() -> None:
    fake = FakeReader()
    async with fake.listening():
        reader = driver(fake)
        assert not reader.held
        for held, loses_power in ((False, False), (True, True), (False, False), (True, False)):
            async with reader.open() as batches:
                assert reader.held is held
                fake.send(report(tag(A, NOON)))
                await anext(batches)
            if loses_power:
                fake.rospecs.clear()


@pytest.mark.timeout(60)
async def test_a_request_without_an_answer_is_named_with_its_reader() -> None:
    fake = FakeReader(mute={ADD})
    async with fake.listening():
        with pytest.raises(ReaderLost, match=r"dock-1: the reader does not answer ADD_ROSPEC within 10 s"):
            async with driver(fake).open():
                pass


async def test_an_error_message_answers_any_request() -> None:
    class Curt(FakeReader):
        def _answer(self, type: int, id: int, body: bytes) -> None:
            if type == ADD:
                self.send(message(100, id, OK[:4] + b"\x00\x6d" + OK[6:]))
            else:
                super()._answer(type, id, body)

    fake = Curt(capabilities=OTHER)
    async with fake.listening():
        with pytest.raises(ReaderRefused, match="refuses ADD_ROSPEC: status 109"):
            async with driver(fake).open():
                pass
