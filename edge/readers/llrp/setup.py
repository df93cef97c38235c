"""Brings a reader to read on all its antennas, whatever state it was left in, without losing what it has held for us.

The order is the one that readers in the field are known to take: capabilities, configuration, ROSpec, and only then
"events and reports may come". Our ROSpec's number is derived from its content, so one that is running already is known
again, and left to run: to delete it would blind the gate, and could drop what was read while nobody was connected.
"""

import logging
import zlib

from edge.errors import ReaderRefused
from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.protocol.answers import Capabilities, RoSpecState, capabilities, rospecs
from edge.readers.llrp.protocol.commands import (
    ALL_CAPABILITIES,
    Type,
    full_config,
    keepalive_config,
    read_all_antennas,
    rospec_id,
)
from edge.readers.llrp.session import Session

log = logging.getLogger(__name__)

_ALL = 0  # in place of an ROSpec's number


def our_rospec(config: LlrpConfig) -> int:
    """The number of the ROSpec for these settings: other settings, another number. Never 0, which means all."""
    return zlib.crc32(read_all_antennas(_ALL, config.session)) & 0x7FFF_FFFF or 1


async def set_up(session: Session, config: LlrpConfig, name: str) -> Capabilities:
    """Returns when the reader reads.

    Raises:
        ReaderRefused: it will not, with its own words.
        ReaderLost, ProtocolError: as Session.
    """
    answer, body = await session.ask(Type.GET_READER_CAPABILITIES, ALL_CAPABILITIES)
    able = capabilities(body) if answer.ok else Capabilities()
    await _configure(session, config, able, name)
    await _instruct(session, config, name)
    session.tell(Type.ENABLE_EVENTS_AND_REPORTS)
    return able


async def _configure(session: Session, config: LlrpConfig, able: Capabilities, name: str) -> None:
    """Ask for everything, and for less where that is refused: a reader takes or leaves a configuration whole."""
    keepalive_ms = round(config.keepalive_s * 1000)
    answer, _ = await session.ask(
        Type.SET_READER_CONFIG, full_config(keepalive_ms, able.gpis, hold=able.holds)
    )
    for body, without in (
        (full_config(keepalive_ms, 0, hold=able.holds), "its inputs"),
        (keepalive_config(keepalive_ms), "its inputs, events of its antennas, and holding of reports"),
    ):
        if answer.ok:
            return
        log.warning("%s: reader refuses our configuration (%s); going on without %s", name, answer, without)
        answer, _ = await session.ask(Type.SET_READER_CONFIG, body)
    if not answer.ok:
        raise ReaderRefused(f"reader refuses to send keepalives: {answer}")


async def _instruct(session: Session, config: LlrpConfig, name: str) -> None:
    """See that our ROSpec, and no other, is active."""
    ours = our_rospec(config)
    found = await _states(session)
    if found is None or found.keys() - {ours}:
        # What another ROSpec saw is wanted too, and it might not outlive its ROSpec.
        session.tell(Type.ENABLE_EVENTS_AND_REPORTS)
        for other in [_ALL] if found is None else found.keys() - {ours}:
            answer, _ = await session.ask(Type.DELETE_ROSPEC, rospec_id(other))
            if not answer.ok:
                log.debug("%s: reader keeps ROSpec %d: %s", name, other, answer)
    state = (found or {}).get(ours)
    if state == RoSpecState.ACTIVE:
        return
    if state is None:
        await _must(session, name, Type.ADD_ROSPEC, read_all_antennas(ours, config.session))
    if state != RoSpecState.INACTIVE:
        await _must(session, name, Type.ENABLE_ROSPEC, rospec_id(ours))
    # Its start trigger is Immediate, and yet some wait to be told; the others may refuse, as it runs already.
    answer, _ = await session.ask(Type.START_ROSPEC, rospec_id(ours))
    if not answer.ok and not await _active(session, ours):
        raise ReaderRefused(f"reader refuses to start reading: {answer}")


async def _must(session: Session, name: str, request: Type, body: bytes) -> None:
    answer, _ = await session.ask(request, body)
    if not answer.ok:
        raise ReaderRefused(f"reader refuses {request.name}: {answer}")


async def _active(session: Session, rospec: int) -> bool:
    states = await _states(session)
    return states is not None and states.get(rospec) == RoSpecState.ACTIVE


async def _states(session: Session) -> dict[int, int] | None:
    """The state of each ROSpec by its number; None where the reader will not say."""
    answer, body = await session.ask(Type.GET_ROSPECS)
    return rospecs(body) if answer.ok else None
