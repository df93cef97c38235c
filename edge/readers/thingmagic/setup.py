"""Brings a module to read on its antennas, whatever state it was left in."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.streams import connect
from edge.readers.thingmagic.config import ThingmagicConfig
from edge.readers.thingmagic.protocol import commands
from edge.readers.thingmagic.protocol.answers import Version, antennas, version
from edge.readers.thingmagic.protocol.commands import Opcode
from edge.readers.thingmagic.session import Session
from edge.readers.urls import DeviceUrl, SerialUrl, parse

log = logging.getLogger(__name__)

# 115200 as delivered; the others are what a module can be set to, and keeps if that was saved (MercuryAPI's own list).
BAUDS = (115200, 921600, 460800, 230400, 57600, 38400, 19200, 9600)
# A module that streams may answer nothing until the search that it is in has ended, after a second at most.
HELLO_S, HELLO_TRIES = 0.5, 3
# From the boot loader to the application: it answers when it is there, or says nothing and is there a little later.
BOOT_S = 2.0
_IN_BOOT_LOADER = 1  # the two lowest bits of the program that runs
_DAMAGED = (0x0200, 0x0201)  # statuses of a boot loader that finds no application


def places(config: ThingmagicConfig, last: int | None) -> list[DeviceUrl]:
    """Where to try, in order: a serial port without a speed at each speed, the one that worked `last` first."""
    url = parse(config.url, baud=0)
    if not isinstance(url, SerialUrl) or url.baud:
        return [url]
    bauds = [baud for baud in (last, *BAUDS) if baud]
    return [replace(url, baud=baud) for baud in dict.fromkeys(bauds)]


@asynccontextmanager
async def contact(
    urls: list[DeviceUrl], name: str, now_us: Callable[[], int]
) -> AsyncIterator[tuple[Session, Version, DeviceUrl]]:
    """A connection to a module that has said its version, at the first of these places where one does.

    Raises:
        ReaderLost: nothing is there, or it is no such module.
        ReaderRefused: the port is in use by another program or not ours to open.
    """
    async with AsyncExitStack() as kept:
        for url in urls:
            async with AsyncExitStack() as tried:
                session = Session(await tried.enter_async_context(connect(url)), name, now_us)
                if (said := await _hello(session)) is not None:
                    kept.push_async_exit(tried.pop_all())
                    break
        else:
            speeds = [str(url.baud) for url in urls if isinstance(url, SerialUrl)]
            at = f" at {', '.join(speeds)} baud" if speeds else ""
            raise ReaderLost(f"{urls[0]}: nothing there answers as a ThingMagic module{at}")
        yield session, said, url


async def _hello(session: Session) -> Version | None:
    await session.calm()
    try:
        answer = await session.ask(commands.VERSION, HELLO_S, HELLO_TRIES)
    except ReaderLost:
        return None  # hung up, or silent: either shows at the next place, or to whoever tried them all
    return version(answer.data) if answer.status == 0 else None


async def set_up(session: Session, config: ThingmagicConfig, name: str) -> Version | None:
    """Configure and start; returns when it reads, with the version if it had to be booted for that.

    Raises:
        ReaderRefused: the module will not, with its own words.
        ReaderLost, ProtocolError: as Session.
    """
    booted = await _leave_boot_loader(session)
    await _set_region(session, config.region)
    await session.must(commands.USE_GEN2, "Gen2")
    await session.must(commands.set_antennas(config.antennas), f"antennas {_list(config.antennas)}")
    if config.power_dbm is not None:
        await session.must(commands.set_power(config.power_dbm), f"{config.power_dbm:g} dBm")
    if config.antenna_power_dbm:
        each = ", ".join(f"{port} = {dbm:g} dBm" for port, dbm in config.antenna_power_dbm.items())
        await session.must(commands.set_antenna_power(config.antenna_power_dbm), f"antennas' power {each}")
    if config.session is not None:
        await session.must(commands.set_session(config.session), f"session {config.session}")
    if config.q is not None:
        await session.must(commands.set_q(config.q), f"Q {config.q}")
    await session.must(commands.EVERY_READ, "to report every read")
    await _look_for_antennas(session, config, name)
    await session.must(commands.START, "to start reading")
    return booted


async def _leave_boot_loader(session: Session) -> Version | None:
    program = await session.must(commands.CURRENT_PROGRAM, "to say which program it runs")
    if not program.data or program.data[0] & 3 != _IN_BOOT_LOADER:
        return None
    answer = await session.ask(commands.BOOT, BOOT_S, tries=1)
    if answer.status in _DAMAGED:
        raise ReaderRefused(
            f"the module cannot start its firmware: {commands.words(answer.status)}; load it anew"
        )
    if (
        answer.status and answer.status != 0x0101
    ):  # some are in their application by then, and do not know it there
        raise ReaderRefused(f"the module refuses to start its firmware: {commands.words(answer.status)}")
    return version((await session.must(commands.VERSION, "to say its version")).data)


async def _set_region(session: Session, region: str) -> None:
    answer = await session.ask(commands.set_region(region))
    if answer.status == 0:
        return
    now = await session.ask(commands.GET_REGION)
    is_set = commands.region_name(now.data[0]) if now.data and now.status == 0 else "none"
    raise ReaderRefused(
        f"the module refuses region {region!r}: {commands.words(answer.status)}; it is set to {is_set!r}. "
        "Configure the region that it was sold for"
    )


async def _look_for_antennas(session: Session, config: ThingmagicConfig, name: str) -> None:
    """Say which are missing, as far as the module can tell: it detects those only that pass direct current."""
    answer = await session.ask(commands.DETECT_ANTENNAS)
    if answer.status or answer.opcode != Opcode.GET_ANTENNA_PORT:
        return
    seen = antennas(answer.data)
    if any(seen.values()) and (missing := [port for port in config.antennas if not seen.get(port)]):
        log.warning("%s: the module detects no antenna at %s", name, _list(missing))


def _list(ports: tuple[int, ...] | list[int]) -> str:
    return ", ".join(map(str, ports))
