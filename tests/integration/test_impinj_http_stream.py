"""Impinj's HTTP data stream over real HTTP: started, cut, stalled, garbled, behind a certificate of its own."""

import asyncio
import hashlib
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from edge.errors import ReaderRefused
from edge.readers import build
from edge.readers.impinj_iot.config import ImpinjIotConfig
from edge.readers.reader import Reader
from edge.readers.surroundings import Surroundings
from edge.reads import Trigger
from simulators import link, trouble
from simulators.impinj_iot.device import Look
from simulators.impinj_iot.serve import Served
from tests.support.iot import Radio, a_radio
from tests.support.supervised import Site, now_us, watching
from tests.support.tcp_faults import faulty_link

pytestmark = pytest.mark.timeout(60)

LOGIN = "root:impinj"
AGENT = Surroundings(
    edge="store-042", environment={"STOCKBEAT_IMPINJ_USERNAME": "root", "STOCKBEAT_IMPINJ_PASSWORD": "impinj"}
)


def reader_at(url: str, *, agent: Surroundings = AGENT, **settings: object) -> Reader:
    config = ImpinjIotConfig.model_validate({"driver": "impinj_iot", "url": url} | settings)
    return build(config, "dock-1", now_us, agent)


@asynccontextmanager
async def serving(
    troubled: str = "none", *, running: bool = True, ahead_us: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Radio, Served, int]]:
    served = Served(
        Look("impinj-1"),
        lambda: now_us() + ahead_us,
        login=LOGIN,
        running=running,
        presets=("default", "door"),
    )
    async with (
        a_radio(served, ahead_us=ahead_us) as radio,
        link.tcp(served.web.session, trouble.maker(troubled, 3), tls=tls) as (_, port),
    ):
        yield radio, served, port


async def seen_all(radio: Radio, site: Site) -> None:
    await site.until(lambda: not radio.missing(site))


async def test_a_stopped_reader_is_started_and_every_read_comes_once() -> None:
    async with (
        serving(running=False) as (radio, served, port),
        watching(reader_at(f"http://127.0.0.1:{port}", control=True, preset="door")) as site,
    ):
        await site.until(lambda: site.ups == 1)
        assert served.web.active == "door"
        for _ in range(20):
            radio.sees(20)
            await asyncio.sleep(0.01)
        served.device.input(2, on=True)
        await seen_all(radio, site)
        await site.until(lambda: any(isinstance(each, Trigger) for each in site.reads))
    radio.holds(site)
    assert site.reasons == []
    assert all(-2_000 <= late <= 200_000 for late in radio.lateness_us(site))


async def test_another_preset_that_runs_is_stopped_and_ours_is_left_alone() -> None:
    async with serving() as (radio, served, port):
        url = f"http://127.0.0.1:{port}"
        async with watching(reader_at(url, control=True, preset="door")) as site:
            await site.until(lambda: site.ups == 1)
            assert served.web.active == "door"
        async with watching(reader_at(url, control=True, preset="door")) as site:
            await site.until(lambda: site.ups == 1)
            radio.sees(5)
            await seen_all(radio, site)
    radio.holds(site)


async def test_an_inventory_that_stops_is_started_again() -> None:
    async with (
        serving() as (radio, served, port),
        watching(reader_at(f"http://127.0.0.1:{port}", control=True)) as site,
    ):
        await site.until(lambda: site.ups == 1)
        served.web.run(None)
        await site.until(lambda: site.ups == 2 and served.reading)
        radio.sees(5)
        await seen_all(radio, site)
    assert site.reasons == ["the reader stopped its inventory"]


@pytest.mark.parametrize("name", ["drip", "slow", "hang-up:0.4", "half-frame:0.4"])
async def test_whatever_its_line_does_nothing_comes_twice_or_changed(name: str) -> None:
    """What the reader sent into a line that was cut is lost: HTTP acknowledges nothing."""
    async with (
        serving(name) as (radio, served, port),
        watching(reader_at(f"http://127.0.0.1:{port}", silent_s=1.0)) as site,
    ):
        cuts = name.startswith(("hang", "half"))
        while site.ups < (3 if cuts else 1) or (not cuts and len(site.tags()) < 40):
            if served.reading and len(radio.seen) < (10_000 if cuts else 40):
                radio.sees(2)
            await asyncio.sleep(0.01)
    told = {tag.epc: (tag.antenna, round(tag.rssi_dbm)) for tag in site.tags()}
    assert len(told) == len(site.tags()), "told twice"
    assert told.items() <= {epc: seen[:2] for epc, seen in radio.seen.items()}.items()
    if not cuts:
        radio.holds(site)
    else:
        assert len(told) > 10


async def test_a_link_that_is_cut_without_a_word_is_noticed_and_held_reads_keep_their_time() -> None:
    async with serving() as (radio, served, port), faulty_link(port) as line:
        reader = reader_at(f"http://127.0.0.1:{line.port}")
        async with watching(reader) as site:
            await site.until(lambda: site.ups == 1 and served.reading)
            radio.sees(10)
            await seen_all(radio, site)
            line.silent = True  # stalled for a while: the reader holds
            radio.sees(20)
            await asyncio.sleep(2.0)
            line.silent = False
            await seen_all(radio, site)
            assert site.reasons == []
            assert all(-2_000 <= late <= 200_000 for late in radio.lateness_us(site))
            line.reset()
            await site.until(lambda: site.ups == 2)
    radio.holds(site)


async def test_its_clock_is_asked_for_so_that_it_is_right_from_the_first_read() -> None:
    behind_us = -3_600_000_000
    async with serving(ahead_us=behind_us) as (radio, served, port):
        reader = reader_at(f"http://127.0.0.1:{port}")
        async with watching(reader) as site:
            await site.until(lambda: site.ups == 1 and served.reading)
            radio.sees(20)
            await seen_all(radio, site)
    assert reader.clock_offset_ms is not None
    assert abs(reader.clock_offset_ms + 3_600_000) < 200
    assert all(-200_000 <= late <= 200_000 for late in radio.lateness_us(site))


@pytest.mark.parametrize(
    "settings, agent, words",
    [
        ({}, Surroundings(environment={}), "401, the reader does not accept our user and password"),
        (
            {"control": True, "preset": "nothing"},
            AGENT,
            "no inventory preset 'nothing'; it has default, door",
        ),
    ],
)
async def test_a_refusal_says_what_to_do(
    settings: dict[str, object], agent: Surroundings, words: str
) -> None:
    async with serving() as (_, _, port):
        with pytest.raises(ReaderRefused, match=words):
            async with reader_at(f"http://127.0.0.1:{port}", agent=agent, **settings).open():
                pass


async def test_something_else_on_that_port_is_said_to_be() -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ReaderRefused, match="no Impinj IoT device interface"):
            async with reader_at(f"http://127.0.0.1:{port}").open():
                pass


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """A certificate that signs itself, as a reader's does, and its SHA-256 fingerprint."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=impinj-1", "-days", "1",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    der = ssl.PEM_cert_to_DER_cert((tmp_path / "cert.pem").read_text())
    return made, hashlib.sha256(der).hexdigest()


def said(caplog: pytest.LogCaptureFixture) -> str:
    return " ".join(each.getMessage() for each in caplog.records if each.name.startswith("edge."))


async def test_a_certificate_of_its_own_is_believed_by_its_fingerprint_alone(
    certificate: tuple[ssl.SSLContext, str], caplog: pytest.LogCaptureFixture
) -> None:
    tls, fingerprint = certificate
    async with serving(tls=tls) as (radio, served, port):
        url = f"https://127.0.0.1:{port}"
        with pytest.raises(ReaderRefused, match="tls_fingerprint"):
            async with reader_at(url).open():
                pass
        with pytest.raises(ReaderRefused, match=f"fingerprint {fingerprint.upper()}"):
            async with reader_at(url, tls_fingerprint="00" * 32).open():
                pass
        assert not said(caplog)
        async with watching(reader_at(url, tls_fingerprint=fingerprint)) as site:
            await site.until(lambda: site.ups == 1 and served.reading)
            radio.sees(20)
            await seen_all(radio, site)
        async with watching(reader_at(url, verify=False)) as anybody:
            await anybody.until(lambda: anybody.ups == 1)
    radio.holds(site)
    assert "whoever answers" in said(caplog)
