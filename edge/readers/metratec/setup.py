"""Finds out which generation a reader is, and brings it to read on all its antennas, whatever it was left doing.

The order is that of metraTec's own libraries: stop, ask who it is, region, power, what to report, antennas, inputs,
heartbeat, and only then start.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import Literal, Protocol

from edge.errors import ProtocolError, ReaderLost, ReaderRefused
from edge.readers.metratec.config import MetratecConfig
from edge.readers.metratec.protocol import ascii, at
from edge.readers.metratec.protocol.lines import Lines
from edge.readers.metratec.protocol.rounds import Decoder
from edge.readers.metratec.session import ANSWER_S, MOST_BAD_LINES, Session
from edge.readers.streams import Stream

log = logging.getLogger(__name__)

Kind = Literal["ascii", "at"]

_AT = re.compile(rb"OK|ERROR|AT.*|\+[A-Z]{2,8}\b.*")
_ASCII = re.compile(
    rb"(?:BRA|NCM|UCO|NOS|CCE|GMO|DNS|HBT|SRT|OK!).*|(?:IVF|ARP) \d+|(?:[0-9A-Fa-f]{4}){2,31}|IN\d .*"
)
# Asked in turn. An AT reader answers the first; the others know no such command, say so, and are known by it; one in
# continuous mode takes only BRK, one asleep only WAK.
_PROBES = (b"\rAT\r", b"BRK\r", b"WAK\r")


async def generation(stream: Stream, name: str) -> Kind:
    """Which generation answers.

    Raises:
        ReaderLost: nothing answers.
        ProtocolError: what answers is neither.
    """
    lines, strange = Lines(), list[bytes]()
    for probe in _PROBES:
        stream.write(probe)
        until = asyncio.get_running_loop().time() + ANSWER_S / 2
        while (left_s := until - asyncio.get_running_loop().time()) > 0:
            lines.receive(await stream.read(left_s))
            for line in lines.lines():
                if _AT.fullmatch(line):
                    return "at"
                if _ASCII.fullmatch(line):
                    return "ascii"
                strange.append(line)
            if len(strange) > MOST_BAD_LINES:
                break
    if strange:
        raise ProtocolError(
            f"what answers is no metraTec reader ({strange[-1][:40]!r}), or the port's speed is wrong"
        )
    raise ReaderLost(f"{name}: nothing answers; is the reader on, and the port's speed right?")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a reader was found to be, or told."""

    detail: str
    inputs: bool


class Dialect(Protocol):
    """What differs between the generations. `first` is the number that the reader gives to what we call 1."""

    first_antenna: int
    first_input: int
    decoder: Decoder

    async def set_up(self, session: Session, config: MetratecConfig, name: str) -> Setting:
        """Returns when the reader reads. Raises ReaderRefused, with the reader's own words; and as Session."""

    def stop(self, session: Session) -> None:
        """Tell it to stop reading, without waiting."""


class AtDialect:
    first_antenna = 1
    first_input = 1

    def __init__(self, config: MetratecConfig) -> None:
        self._lines = at.AtLines(at.Fields(tid=config.tid))  # as we left it, if it still reads for us
        self.decoder = at.decoder(self._lines)

    async def set_up(self, session: Session, config: MetratecConfig, name: str) -> Setting:
        await _try_at(session, "AT+BINV")
        await _try_at(session, "AT+BINVR")
        await self._ask_for_fields(session, config)
        about = [_about(line) for line in await _try_at(session, "ATI") or []]
        if config.region:
            await _must_at(session, f"AT+REG={config.region}")
        if config.power_dbm is not None:
            await _must_at(session, f"AT+PWR={config.power_dbm}")
        start = await _antennas_at(session, config)
        inputs = await _try_at(session, "AT+IEV=1") is not None
        await _must_at(session, f"AT+HBT={config.heartbeat_s}")
        about += await _values_at(session, "REG", "PWR")
        self._lines.forget()  # the answers were not of a round
        await _must_at(session, start)
        return Setting(", ".join(word for word in about if word), inputs)

    async def _ask_for_fields(self, session: Session, config: MetratecConfig) -> None:
        """RSSI always, the TID if wanted; as many parameters as this firmware has, the others as they are."""
        values = (await _settings_at(session)).split(",")
        wanted = ["0", "1", "1" if config.tid else "0"]  # each time, not only new tags; RSSI; TID
        if len(values) >= 5:
            wanted += [values[3], "0"]  # no phase: its unit is nowhere said
        await _must_at(session, "AT+INVS=" + ",".join([*wanted, *values[len(wanted) :]]))

    def stop(self, session: Session) -> None:
        session.send("AT+BINV")


def _about(line: str) -> str:
    """One of the lines that answer ATI, as a person would say it."""
    name, _, value = line.partition(":")
    return f"{ {'+SW': 'firmware ', '+SERIAL': 'serial number '}.get(name, '') }{' '.join(value.split())}"


async def _settings_at(session: Session) -> str:
    """What AT+INVS is set to. Whatever came before this answer belongs to what was asked before."""
    found = ""

    def last(line: str) -> bool:
        nonlocal found
        found = line.partition(":")[2].strip() if line.startswith("+INVS:") else found
        return line == "OK" and bool(found)

    await session.ask("AT+INVS?", last)
    return found


async def _antennas_at(session: Session, config: MetratecConfig) -> str:
    """Choose the antennas; returns the command that starts on them."""
    if len(config.antennas) > 1:
        await _must_at(session, "AT+MUX=" + ",".join(map(str, config.antennas)))
        return "AT+CMINV"
    if await _try_at(session, f"AT+ANT={config.antennas[0]}") is None and config.antennas != (1,):
        raise ReaderRefused(f"the reader has no antenna {config.antennas[0]}")
    return "AT+CINV"


async def _try_at(session: Session, command: str) -> list[str] | None:
    """The lines of the answer; None where the reader says ERROR."""
    lines = await session.ask(command, lambda line: line in ("OK", "ERROR"))
    if lines[-1] == "ERROR":
        log.debug("%s: ERROR %s", command, lines[:-1])
        return None
    return [line for line in lines[:-1] if not line.startswith("AT")]


async def _must_at(session: Session, command: str) -> None:
    lines = await session.ask(command, lambda line: line in ("OK", "ERROR"))
    if lines[-1] == "ERROR":
        words = " ".join(line for line in lines[:-1] if not line.startswith("AT"))
        raise ReaderRefused(f"the reader refuses {command}" + (f": {words}" if words else ""))


async def _values_at(session: Session, *names: str) -> list[str]:
    """What settings the reader says it has."""
    found = []
    for name in names:
        for line in await _try_at(session, f"AT+{name}?") or []:
            found.append(f"{'region' if name == 'REG' else 'power'} {line.partition(':')[2].strip()}")
    return found


class AsciiDialect:
    first_antenna = 0  # assumed: metraTec's own library begins with antenna 0
    first_input = 0  # the events are IN0 and IN1

    def __init__(self) -> None:
        self._lines = ascii.AsciiLines()
        self.decoder = ascii.decoder(self._lines)

    async def set_up(self, session: Session, config: MetratecConfig, name: str) -> Setting:
        if config.tid:
            raise ReaderRefused("tid = true: this generation gives TIDs only one by one; leave it out")
        about = await self._wake(session)
        if config.region:
            await _must_ascii(session, f"STD {config.region}")
            about += f", region {config.region}"
        if config.power_dbm is not None:
            await _must_ascii(session, f"CFG PWR {config.power_dbm}")
            about += f", power {config.power_dbm}"
        await _try_ascii(session, "VBL 1")
        self._lines.twice = await _try_ascii(session, "SET EPC ON")
        await _must_ascii(session, "SET TRS ON")
        await _antennas_ascii(session, config)
        inputs = True
        for number in (0, 1):
            inputs &= await _try_ascii(session, f"SEC COMM {number} #SPIN{number}#RIP {number}")
            inputs &= await _try_ascii(session, f"SEC EDGE {number} BOTH")
        await _must_ascii(session, f"HBT {config.heartbeat_s}")
        session.send("CNR INV")
        return Setting(about, inputs)

    async def _wake(self, session: Session) -> str:
        """Stop whatever it does; returns what it says of itself."""
        answer = await _answer(session, "BRK", "BRA", "NCM", "CCE")
        if answer.startswith("CCE"):  # it wants checksums: this command's is right, and ends that
            await _answer(session, "COF 4F5E", "OK")
            await _answer(session, "BRK", "BRA", "NCM")
        hardware = await _answer(session, "HWR")
        if hardware.startswith("UCO"):
            return " ".join((await _answer(session, "REV")).split())
        return " ".join(f"{hardware}, firmware {await _answer(session, 'RFW')}".split())

    def stop(self, session: Session) -> None:
        session.send("BRK")


async def _antennas_ascii(session: Session, config: MetratecConfig) -> None:
    wanted = config.antennas
    if len(wanted) == 1:
        await _try_ascii(session, "SAP ARP OFF")
        if not await _try_ascii(session, f"SAP MAN {wanted[0] - 1}") and wanted != (1,):
            raise ReaderRefused(f"the reader has no antenna {wanted[0]}")
        return
    if wanted != tuple(range(1, len(wanted) + 1)):
        raise ReaderRefused(
            f"this generation tries its antennas in order from the first: write antennas = "
            f"{list(range(1, len(wanted) + 1))}, not {list(wanted)}"
        )
    await _must_ascii(session, "SAP ARP ON")
    await _must_ascii(session, f"SAP AUT {len(wanted)}")


async def _answer(session: Session, command: str, *wanted: str) -> str:
    """The answer to a command; the first of the `wanted` ones, where it matters which."""
    lines = await session.ask(command, lambda line: not wanted or line.startswith(wanted))
    return lines[-1]


async def _try_ascii(session: Session, command: str) -> bool:
    answer = await _answer(session, command)
    if not answer.startswith("OK"):
        log.debug("%s: %s", command, answer)
    return answer.startswith("OK")


async def _must_ascii(session: Session, command: str) -> None:
    answer = await _answer(session, command)
    if not answer.startswith("OK"):
        words = ascii.REFUSALS.get(answer[:3])
        raise ReaderRefused(f"the reader refuses {command}: {answer}" + (f" ({words})" if words else ""))
