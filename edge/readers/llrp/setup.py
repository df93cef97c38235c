"""Brings a reader to read on its antennas, whatever state it was left in, without losing what it has held for us.

The order is the one that readers in the field are known to take: version, capabilities, vendor's extensions,
configuration, ROSpec, and only then "events and reports may come". A ROSpec with our number has our content: one that
is running already is left to run, for to delete it would blind the gate, and could drop what was read while nobody was
connected.
"""

import logging
from dataclasses import dataclass

from edge.errors import ReaderRefused
from edge.readers.llrp.air import Plan, needs_present, plan
from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.protocol.answers import RoSpecState, air_settings, rospecs, versions
from edge.readers.llrp.protocol.capabilities import Capabilities, capabilities
from edge.readers.llrp.protocol.commands import (
    ALL_CAPABILITIES,
    PRESENT_ANTENNAS,
    full_config,
    keepalive_config,
    rospec_id,
)
from edge.readers.llrp.protocol.impinj import ENABLE_EXTENSIONS
from edge.readers.llrp.protocol.types import Type
from edge.readers.llrp.rospec import body_of, number_of
from edge.readers.llrp.session import NoAnswer, Session

log = logging.getLogger(__name__)

_ALL = 0  # in place of a ROSpec's number

# The newest version that we speak: LLRP 1.1. The two messages about versions are always of that version, for 1.0.1 does
# not know them (LLRP 1.1, section 9.1).
_NEWEST = 2
# A reader that does not know the question has no reason to think long. One that does not answer is taken for 1.0.1.
_VERSION_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Ready:
    """A reader that reads."""

    able: Capabilities
    rospec: int
    kept: bool  # it has read on since we left, and held what it read


async def agree_on_version(session: Session) -> None:
    """Use LLRP 1.1 where the reader does; 1.0.1 where it refuses the question, or says nothing to it."""
    try:
        answer, body = await session.ask(
            Type.GET_SUPPORTED_VERSION, version=_NEWEST, within_s=_VERSION_TIMEOUT_S
        )
        if not answer.ok:
            return
        current, newest = versions(body)
        if current < _NEWEST <= newest:
            answer, _ = await session.ask(Type.SET_PROTOCOL_VERSION, bytes([_NEWEST]), version=_NEWEST)
            current = _NEWEST if answer.ok else current
        session.version = min(current, _NEWEST)
    except NoAnswer as error:
        log.debug("%s; going on with LLRP 1.0.1", error)


async def set_up(session: Session, config: LlrpConfig, name: str) -> Ready:
    """Returns when the reader reads.

    Raises:
        ReaderRefused: it will not, with its own words; or it cannot do what the settings ask for.
        ReaderLost, ProtocolError: as Session.
    """
    answer, body = await session.ask(Type.GET_READER_CAPABILITIES, ALL_CAPABILITIES)
    able = capabilities(body) if answer.ok else Capabilities()
    extensions = await _extended(session, able, name)
    holds = await _configure(session, config, able, name)
    present = {}
    if needs_present(config):
        answer, body = await session.ask(Type.GET_READER_CONFIG, PRESENT_ANTENNAS)
        present = air_settings(body) if answer.ok else {}
    try:
        planned = plan(config, able, present, extensions=extensions)
    except ReaderRefused as error:
        raise ReaderRefused(f"{name}: {error}") from None
    rospec, found = await _instruct(session, planned, name)
    session.tell(Type.ENABLE_EVENTS_AND_REPORTS)
    return Ready(able, rospec, kept=found and holds)


async def _extended(session: Session, able: Capabilities, name: str) -> bool:
    """Whether an Impinj reader speaks its own extensions now: it has to be asked in each connection."""
    if not able.impinj:
        return False
    answer, _ = await session.ask(Type.CUSTOM_MESSAGE, ENABLE_EXTENSIONS)
    if not answer.ok:
        log.warning("%s: reader refuses Impinj's extensions (%s); going on without", name, answer)
    return answer.ok


async def _configure(session: Session, config: LlrpConfig, able: Capabilities, name: str) -> bool:
    """Ask for everything, and for less where that is refused: a reader takes or leaves a configuration whole.

    Returns whether it holds what it reads while nobody is connected.
    """
    keepalive_ms = round(config.keepalive_s * 1000)
    answer, _ = await session.ask(
        Type.SET_READER_CONFIG, full_config(keepalive_ms, able.gpis, hold=able.holds)
    )
    for body, without, holds in (
        (full_config(keepalive_ms, 0, hold=able.holds), "its inputs", able.holds),
        (keepalive_config(keepalive_ms), "its inputs, events of its antennas, and holding of reports", False),
    ):
        if answer.ok:
            return able.holds
        log.warning("%s: reader refuses our configuration (%s); going on without %s", name, answer, without)
        answer, _ = await session.ask(Type.SET_READER_CONFIG, body)
        if answer.ok:
            return holds
    raise ReaderRefused(f"{name}: reader refuses to send keepalives: {answer}")


async def _instruct(session: Session, planned: Plan, name: str) -> tuple[int, bool]:
    """See that our ROSpec, and no other, is active. Returns its number, and whether it was found so."""
    ours = number_of(planned)
    found = await _states(session)
    plain = Plan(planned.antennas, planned.told, extensions=False, tid=False)
    if planned.extensions and (found or {}).get(number_of(plain)) == RoSpecState.ACTIVE:
        planned, ours = plain, number_of(plain)  # it had refused the other before
    if found is None or found.keys() - {ours}:
        # What another ROSpec saw is wanted too, and it might not outlive its ROSpec.
        session.tell(Type.ENABLE_EVENTS_AND_REPORTS)
        session.tell(Type.GET_REPORT)
        for other in [_ALL] if found is None else found.keys() - {ours}:
            answer, _ = await session.ask(Type.DELETE_ROSPEC, rospec_id(other))
            if not answer.ok:
                log.debug("%s: reader keeps ROSpec %d: %s", name, other, answer)
    state = (found or {}).get(ours)
    if state == RoSpecState.ACTIVE:
        return ours, True
    if state is None:
        ours = await _add(session, planned, plain, name)
    if state != RoSpecState.INACTIVE:
        await _must(session, name, Type.ENABLE_ROSPEC, rospec_id(ours))
    # Its start trigger is Immediate, and yet some wait to be told; the others may refuse, as it runs already.
    answer, _ = await session.ask(Type.START_ROSPEC, rospec_id(ours))
    if not answer.ok and not await _active(session, ours):
        raise ReaderRefused(f"{name}: reader refuses to start reading: {answer}")
    return ours, False


async def _add(session: Session, planned: Plan, plain: Plan, name: str) -> int:
    """Add our ROSpec, without a vendor's extensions where those are refused. Returns its number."""
    # What a stranger's AccessSpec does to tags takes time from reading; most readers have none.
    await session.ask(Type.DELETE_ACCESSSPEC, rospec_id(_ALL))
    answer, _ = await session.ask(Type.ADD_ROSPEC, body_of(planned, number_of(planned)))
    if answer.ok:
        return number_of(planned)
    if not planned.extensions or planned.tid:
        raise ReaderRefused(f"{name}: reader refuses {Type.ADD_ROSPEC.name}: {answer}")
    log.warning(
        "%s: reader refuses reports with phase and fine strength (%s); going on without", name, answer
    )
    await _must(session, name, Type.ADD_ROSPEC, body_of(plain, number_of(plain)))
    return number_of(plain)


async def _must(session: Session, name: str, request: Type, body: bytes) -> None:
    answer, _ = await session.ask(request, body)
    if not answer.ok:
        raise ReaderRefused(f"{name}: reader refuses {request.name}: {answer}")


async def _active(session: Session, rospec: int) -> bool:
    states = await _states(session)
    return states is not None and states.get(rospec) == RoSpecState.ACTIVE


async def _states(session: Session) -> dict[int, int] | None:
    """The state of each ROSpec by its number; None where the reader will not say."""
    answer, body = await session.ask(Type.GET_ROSPECS)
    return rospecs(body) if answer.ok else None
