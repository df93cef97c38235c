"""The driver against a reader on a real TCP port."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from edge.errors import ProtocolError, ReaderLost, ReaderRefused
from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.reader import LlrpReader
from edge.reads import Antenna, Lost, Read, TagRead, Trigger
from tests.support.llrp_reader import FakeReader, notification, report, tag

NOON = 1763800000000000  # what the fake's connection event says, and what our clock says in these tests
A, B, C = "3074257BF7194E4000001A85", "3074257BF7194E4000001A86", "3074257BF7194E4000001A87"
VERSION, CONNECT, DELETE, ADD, START, ENABLE, REPORTS, CLOSE = 46, 1, 21, 20, 22, 24, 64, 14


def driver(
    fake: FakeReader, now: int = NOON, silence_s: float | None = None, session: int | None = None
) -> LlrpReader:
    config = LlrpConfig(driver="llrp", url=fake.url, silence_s=silence_s, session=session)
    return LlrpReader(config, "dock-1", lambda: now)


async def take(batches: AsyncIterator[Sequence[Read]], count: int) -> list[Read]:
    reads: list[Read] = []
    while len(reads) < count:
        reads += await anext(batches)
    return reads


def epcs(reads: list[Read]) -> list[str]:
    return [read.epc for read in reads if isinstance(read, TagRead)]


async def test_sets_a_fresh_reader_up_and_reads() -> None:
    async with FakeReader().listening() as fake:
        reader = driver(fake)
        assert (reader.name, reader.detail, reader.clock_offset_ms) == ("dock-1", "", None)
        async with reader.open() as batches:
            assert reader.detail == "Impinj model 2001002, firmware 5.14"
            assert reader.clock_offset_ms == 0
            fake.send(report(tag(A, NOON - 500, antenna=3, rssi=0xC4), tag(B, NOON - 400)))
            assert await take(batches, 2) == [
                TagRead(at_us=NOON - 500, gate="dock-1", antenna=3, epc=A, rssi_dbm=-60.0),
                TagRead(at_us=NOON - 400, gate="dock-1", antenna=1, epc=B, rssi_dbm=-55.0),
            ]
        assert fake.heard[:2] == [VERSION, CONNECT]
        assert fake.heard.index(ADD) < fake.heard.index(ENABLE) < fake.heard.index(REPORTS)
        assert fake.heard[-1] == CLOSE


async def test_a_reader_that_waits_to_be_started_is_started() -> None:
    async with FakeReader(starts_by_itself=False).listening() as fake, driver(fake).open():
        assert list(fake.rospecs.values()) == [2]


async def test_a_reader_that_is_running_our_rospec_is_left_to_run_and_what_it_held_is_read() -> None:
    async with FakeReader().listening() as fake:
        async with driver(fake).open():
            pass
        fake.heard.clear()
        long_ago = NOON - 7200 * 1_000_000
        fake.held = [report(tag(A, long_ago)), report(tag(B, long_ago + 1000), tag(C, NOON))]
        reader = driver(fake)
        async with reader.open() as batches:
            reads = await take(batches, 3)
        assert [read.at_us for read in reads] == [long_ago, long_ago + 1000, NOON]
        assert not {DELETE, ADD, ENABLE, START} & set(fake.heard)
        assert reader.clock_offset_ms == 0


async def test_other_settings_replace_what_runs_and_what_it_had_read_is_kept() -> None:
    async with FakeReader().listening() as fake:
        async with driver(fake).open():
            before = list(fake.rospecs)
        fake.held = [report(tag(A, NOON))]
        async with driver(fake, session=2).open() as batches:
            assert epcs(await take(batches, 1)) == [A]
            assert len(fake.rospecs) == 1
            assert list(fake.rospecs) != before


async def test_reads_that_come_while_the_reader_is_set_up_are_not_lost() -> None:
    fake = FakeReader(before={ADD: report(tag(A, NOON)), 3: report(tag(B, NOON))}, slow={ADD})
    async with fake.listening(), driver(fake).open() as batches:
        fake.send(report(tag(C, NOON)))
        assert epcs(await take(batches, 3)) == [B, A, C]


async def test_a_reader_that_answers_what_has_no_answer_and_refuses_what_is_optional(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # 1: says nothing of itself; 26: knows no GET_ROSPECS; 21: has nothing to delete
    fake = FakeReader(answers_holding=False, refuses={1: 109, 26: 109, 21: 100}, starts_by_itself=False)
    async with fake.listening(), driver(fake).open() as batches:
        fake.send(report(tag(A, NOON)))
        assert epcs(await take(batches, 1)) == [A]
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


INPUTS, HOLD, KEEPALIVE = "00E1 0008", "00E2 0005 80", "00DC 0009 01 000001F4"


@pytest.mark.parametrize(
    "refused, asked, not_asked", [(INPUTS, [KEEPALIVE, HOLD], INPUTS), (HOLD, [KEEPALIVE], HOLD)]
)
async def test_a_reader_that_refuses_a_configuration_is_asked_for_less(
    refused: str, asked: list[str], not_asked: str
) -> None:
    class Picky(FakeReader):
        def _do(self, type: int, body: bytes) -> int:
            return 101 if type == 3 and bytes.fromhex(refused) in body else super()._do(type, body)

    async with Picky().listening() as fake, driver(fake).open():
        assert all(bytes.fromhex(each) in fake.bodies[3] for each in asked)
        assert bytes.fromhex(not_asked) not in fake.bodies[3]


@pytest.mark.parametrize(
    "request_type, words", [(20, "ADD_ROSPEC"), (24, "ENABLE_ROSPEC"), (3, "keepalives")]
)
async def test_what_a_reader_must_do_and_refuses_is_said_in_its_words(request_type: int, words: str) -> None:
    async with FakeReader(refuses={request_type: 101}).listening() as fake:
        with pytest.raises(ReaderRefused, match=f"{words}.*101, 'no'"):
            async with driver(fake).open():
                pass


async def test_a_reader_that_will_not_start_is_refused() -> None:
    async with FakeReader(refuses={22: 101}, starts_by_itself=False).listening() as fake:
        with pytest.raises(ReaderRefused, match="start reading"):
            async with driver(fake).open():
                pass


@pytest.mark.parametrize(
    "attempt, words", [(1, "opened itself"), (2, "our last connection"), (3, "cannot"), (9, "9")]
)
async def test_a_busy_reader_refuses_and_nothing_is_sent_to_it(attempt: int, words: str) -> None:
    async with FakeReader(attempt=attempt).listening() as fake:
        with pytest.raises(ReaderRefused, match=words):
            async with driver(fake).open():
                pass
        assert fake.heard == []


async def test_nobody_there_is_lost() -> None:
    async with FakeReader().listening() as fake:
        gone = driver(fake)
    with pytest.raises(ReaderLost, match=rf"tcp://127\.0\.0\.1:{fake.port}: .*refused"):
        async with gone.open():
            pass


async def test_a_hang_up_is_lost_after_what_came_before_it() -> None:
    async with FakeReader().listening() as fake, driver(fake).open() as batches:
        fake.send(report(tag(A, NOON)) + report(tag(B, NOON))[:20])
        fake.hang_up()
        assert epcs(await take(batches, 1)) == [A]
        with pytest.raises(ReaderLost, match=r"hung up|reset"):
            await anext(batches)


async def test_a_reader_without_keepalives_is_lost() -> None:
    async with FakeReader().listening() as fake, driver(fake, silence_s=1.5).open() as batches:
        with pytest.raises(ReaderLost, match=r"silent for 1\.5 s"):
            await anext(batches)


async def test_a_keepalive_says_that_all_was_told() -> None:
    async with FakeReader().listening() as fake, driver(fake).open() as batches:
        fake.send(report(tag(A, NOON)) + bytes.fromhex("043E 0000000A 00000005"))
        assert len(await anext(batches)) == 1
        assert await anext(batches) == []


async def test_keepalives_are_answered_with_their_own_number() -> None:
    async with FakeReader().listening() as fake, driver(fake).open() as batches:
        fake.send(bytes.fromhex("043E 0000000A 00000005") + report(tag(A, NOON)))
        await take(batches, 1)
        fake.send(report(tag(A, NOON)))
        await take(batches, 1)
        assert 72 in fake.heard


async def test_an_announced_end_is_lost() -> None:
    async with FakeReader().listening() as fake, driver(fake).open() as batches:
        fake.send(notification(bytes.fromhex("0101 0004")))
        with pytest.raises(ReaderLost, match="closed the connection"):
            await anext(batches)


async def test_a_reader_that_stops_reading_by_itself_is_lost() -> None:
    async with FakeReader().listening() as fake, driver(fake).open() as batches:
        ours = next(iter(fake.rospecs)).to_bytes(4, "big")
        fake.send(notification(bytes.fromhex("00F9 000D 01 00000001 00000000")))  # another's
        fake.send(report(tag(A, NOON)))
        await take(batches, 1)
        fake.send(notification(bytes.fromhex("00F9 000D 01") + ours + bytes(4)))
        with pytest.raises(ReaderLost, match="stopped reading"):
            await anext(batches)


async def test_inputs_are_triggers_of_the_gate() -> None:
    async with FakeReader().listening() as fake, driver(fake, now=NOON + 2000).open() as batches:
        fake.send(notification(bytes.fromhex("00F8 0007 0001 80")))
        fake.send(notification(bytes.fromhex("00F8 0007 0002 00")))
        assert await take(batches, 2) == [
            Trigger(at_us=NOON + 2000, gate="dock-1", input=1, on=True),
            Trigger(at_us=NOON + 2000, gate="dock-1", input=2, on=False),
        ]
        assert bytes.fromhex("00E1 0008 0002 80 02") in fake.bodies[3]


async def test_a_wrong_clock_is_measured_and_corrected() -> None:
    fourteen_s = 14_000_000
    async with FakeReader().listening() as fake:
        reader = driver(fake, now=NOON + fourteen_s)
        async with reader.open() as batches:
            assert reader.clock_offset_ms == -14_000
            fake.send(report(tag(A, NOON - 250)))
            (read,) = await take(batches, 1)
        assert read.at_us == NOON + fourteen_s - 250


async def test_a_clock_that_is_set_while_we_read_is_followed() -> None:
    hour = 3600 * 1_000_000
    async with FakeReader().listening() as fake:
        reader = driver(fake)
        async with reader.open() as batches:
            fake.send(report(tag(A, NOON + hour - 10), tag(B, NOON + hour)))
            assert [read.at_us for read in await take(batches, 2)] == [NOON, NOON]
        assert reader.clock_offset_ms == 3_600_000


async def test_uptime_tells_when_held_reads_were_made_and_no_offset_is_claimed() -> None:
    started = bytes.fromhex("0081 000C 00000000000F4240")  # up for 1 s
    seen = bytes.fromhex("00F0 001A 8D 3074257BF7194E4000001A85 85 0000000000030D40")  # at 0.2 s
    async with FakeReader(stamp=started, held=[report(seen)]).listening() as fake:
        reader = driver(fake)
        async with reader.open() as batches:
            (read,) = await take(batches, 1)
        assert read.at_us == NOON - 800_000
        assert reader.clock_offset_ms is None


async def test_a_read_without_any_time_antenna_or_strength() -> None:
    async with FakeReader(stamp=b"").listening() as fake, driver(fake).open() as batches:
        fake.send(report(bytes.fromhex("00F0 0011 8D 3074257BF7194E4000001A85")))
        (read,) = await take(batches, 1)
        assert read == TagRead(at_us=NOON, gate="dock-1", antenna=0, epc=A, rssi_dbm=-60.0)


async def test_an_odd_epc_is_padded_and_an_empty_one_is_nobodys() -> None:
    empty, ten_bits = bytes.fromhex("00F0 000A 00F1 0006 0000"), bytes.fromhex("00F0 000B 00F1 0007 0008 AB")
    async with FakeReader().listening() as fake, driver(fake).open() as batches:
        fake.send(report(empty) + report(empty, ten_bits))
        assert epcs(await take(batches, 1)) == ["AB00"]


async def test_a_channel_is_given_as_its_frequency() -> None:
    hops = bytes.fromhex("008F 0021 0348 0001 0090 0019 0092 0015 80 0093 0010 01 00 0002 000DC6CE 000DC8C2")
    channels = [bytes.fromhex(f"00F0 0014 8D 3074257BF7194E4000001A85 87 {n:04X}") for n in (2, 3)]
    async with FakeReader(capabilities=hops).listening() as fake, driver(fake).open() as batches:
        fake.send(report(*channels))
        mhz = [read.channel_mhz for read in await take(batches, 2) if isinstance(read, TagRead)]
        assert mhz == [903.362, None]


async def test_damaged_reports_end_the_connection_and_what_was_good_is_kept() -> None:
    async with FakeReader().listening() as fake, driver(fake).open() as batches:
        fake.send(report(tag(A, NOON)) + report(b"\x00\xf0\x00\x04"))
        assert epcs(await take(batches, 1)) == [A]
        with pytest.raises(ProtocolError, match="without an EPC"):
            await anext(batches)


async def test_what_precedes_garbage_is_not_lost() -> None:
    async with FakeReader().listening() as fake, driver(fake).open() as batches:
        fake.send(report(tag(A, NOON)) + b"HTTP/1.1 400 Bad Request\r\n")
        assert epcs(await take(batches, 1)) == [A]
        with pytest.raises(ProtocolError, match="LLRP version 2"):
            await anext(batches)


async def test_what_a_person_should_know_is_logged_once_and_what_others_should_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with FakeReader().listening() as fake, driver(fake, now=NOON + 5).open() as batches:
        for params in (
            "00FF 0007 00 0002",
            "00FA 0005 50",
            "00FA 0005 5A",
            "00FB 0004",
            "00FC 0009 0003 686F74",
        ):
            fake.send(notification(bytes.fromhex(params)))
        fake.send(notification(bytes.fromhex("00FF 0007 01 0002")))
        fake.send(bytes.fromhex("0464 00000014 00000000 011F 000A 0064 0002 6E6F")[:20])
        assert await take(batches, 3) == [
            Antenna(at_us=NOON + 5, gate="dock-1", antenna=2, connected=False),
            Lost(
                at_us=NOON + 5, device="dock-1", from_us=NOON + 5, to_us=NOON + 5,
                reason="the reader's report buffer was full",
            ),
            Antenna(at_us=NOON + 5, gate="dock-1", antenna=2, connected=True),
        ]  # fmt: skip
        fake.send(report(tag(A, NOON)))
        await take(batches, 1)
    said = [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert said == [
        "dock-1: antenna 2 is disconnected",
        "dock-1: the reader's report buffer is 80 % full: we are too slow for it",
        "dock-1: the reader's report buffer was full; reads are lost",
        "dock-1: the reader says: hot",
        "dock-1: the reader says that something was wrong: status 100, 'no'",
    ]


async def test_cancelling_while_the_reader_is_mute_ends_at_once() -> None:
    async with FakeReader(mute={1}).listening() as fake:
        entering = asyncio.ensure_future(driver(fake).open().__aenter__())
        await fake.hears(CONNECT)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
