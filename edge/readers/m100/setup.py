"""Brings a module to read, whatever state it was left in."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edge.errors import ReaderLost, ReaderRefused
from edge.readers.m100.config import M100Config
from edge.readers.m100.protocol import (
    HARDWARE,
    MOST_ROUNDS,
    REGIONS,
    SOFTWARE,
    Command,
    Framing,
    region_name,
    text,
    with_query,
)
from edge.readers.m100.session import Session
from edge.readers.streams import Stream

log = logging.getLogger(__name__)

_NEVER_SELECT = b"\x01"
_RESERVED = 0x22  # in the command to read many rounds
FRAMINGS = {"auto": (Framing.BB, Framing.AA), "bb": (Framing.BB,), "aa": (Framing.AA,)}


class Contact(NamedTuple):
    session: Session
    framing: Framing
    detail: str


async def contact(
    stream: Stream, framings: Sequence[Framing], name: str, now_us: Callable[[], int]
) -> Contact:
    """A session with a module that has said what it is, in the first of these framings in which it does.

    Raises:
        ReaderLost: hung up, or it is no such module.
    """
    for framing in framings:
        session = Session(stream, framing, name, now_us)
        await session.calm()
        try:
            hardware = await session.ask(Command.INFORMATION, bytes([HARDWARE]))
        except ReaderLost:
            continue  # hung up, or silent: either shows with the next, or to whoever tried them all
        software = await session.ask(Command.INFORMATION, bytes([SOFTWARE]))
        said = [text(each.params) for each in (hardware, software) if each.command == Command.INFORMATION]
        return Contact(session, framing, f"{', '.join(filter(None, said)) or 'M100 family'} ({framing.name})")
    tried = " or ".join(f"{each.name}h" for each in framings)
    raise ReaderLost(f"nothing answers there as a module of the M100 family, in frames that begin {tried}")


async def set_up(session: Session, config: M100Config, name: str) -> None:
    """Configure and start; returns when it reads.

    Raises:
        ReaderRefused: the module will not, with its own words.
        ReaderLost: as Session.
    """
    await _set_region(session, config.region)
    if config.power_dbm is not None:
        await _set_power(session, config.power_dbm, name)
    if config.session is not None or config.q is not None:
        query = await session.must(Command.GET_QUERY, b"", "to say its session and Q")
        if len(query.params) != 2:
            raise ReaderRefused(f"the module says its session and Q as {query.params.hex() or 'nothing'}")
        wanted = with_query(query.params, config.session, config.q)
        await session.set(Command.SET_QUERY, wanted, f"session {config.session}, Q {config.q}")
    await _read_all_tags(session, name)
    start(session, config)


def start(session: Session, config: M100Config) -> None:
    """Many rounds, or the first one. No answer but tags, or that there are none. Raises ReaderLost."""
    if config.poll_s is None:
        session.send(Command.READ_MANY, bytes([_RESERVED]) + MOST_ROUNDS.to_bytes(2, "big"))
    else:
        session.send(Command.READ_ONCE)


async def _set_region(session: Session, region: str) -> None:
    try:
        await session.set(Command.SET_REGION, bytes([REGIONS[region]]), f"region {region!r}")
        refusal = ""
    except ReaderRefused as error:
        refusal = f"{error}; "
    said = await session.ask(Command.GET_REGION)
    code = said.params[0] if said.command == Command.GET_REGION and said.params else 0
    if refusal or code != REGIONS[region]:
        raise ReaderRefused(
            f"{refusal}the module is set to region {region_name(code)!r}, not to {region!r}. "
            "Configure the region that it was sold for"
        )


async def _set_power(session: Session, dbm: float, name: str) -> None:
    await session.set(Command.SET_POWER, round(dbm * 100).to_bytes(2, "big"), f"{dbm:g} dBm")
    said = await session.ask(Command.GET_POWER)
    is_dbm = int.from_bytes(said.params, "big") / 100
    if said.command == Command.GET_POWER and abs(is_dbm - dbm) >= 0.5:  # modules have steps
        log.warning("%s: told to send %g dBm, the module sends %g dBm", name, dbm, is_dbm)


async def _read_all_tags(session: Session, name: str) -> None:
    """A selection that another program left would hide all tags but some. Not every board knows the command."""
    try:
        await session.ask(Command.SELECT_MODE, _NEVER_SELECT, also=Command.SELECT, tries=1)
    except ReaderLost as error:
        log.debug("%s: the module's selection is left as it is: %s", name, error)
