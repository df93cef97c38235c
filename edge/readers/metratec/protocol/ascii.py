"""The ASCII generation: DeskID UHF v1, PulsarMX, Dwarf and others of firmware 2 and 3.

A round is a line or more for each tag, the antenna, and how many tags there were, each line ended by CR:

    3034257BF468D480000003EC      what the inventory found
    3034257BF468D480000003EC      the tag's EPC once more, after SET EPC ON
    -61                           its strength, after SET TRS ON
    CER                           a tag that answered, and could not be read: three letters say why
    ARP 01                        the antenna, after SAP ARP ON
    IVF 01                        end of the round, with the number of tags
"""

import re
from collections.abc import Iterator

from edge.readers.metratec.protocol.rounds import (
    EPC,
    Beat,
    Damaged,
    Decoder,
    Event,
    Gathering,
    Input,
    Noise,
    Restarted,
    Tag,
    Told,
)

FAULTS = {
    "ACE": "access error",
    "CER": "CRC error",
    "FLE": "FIFO length error",
    "HBE": "header bit error",
    "PDE": "preamble detect error",
    "RDL": "response length not as expected",
    "RXE": "response length not as expected",
    "TCE": "tag communication error",
    "TOE": "timeout",
    "TOR": "tag out of range",
}
REFUSALS = {
    "CCE": "the command's checksum is wrong",
    "EDX": "a decimal number was expected",
    "EHX": "a hexadecimal number was expected",
    "NOR": "number out of range",
    "NOS": "not supported",
    "UCO": "unknown command",
    "UPA": "unknown parameter",
}

_STOPPED = ("BRA", "NCM")  # the answers to BRK: interrupted just now, and was not reading
_RSSI = re.compile(r"-?\d{1,3}", re.ASCII)
_ANTENNA = re.compile(r"ARP (\d{1,2})", re.ASCII)
_END = re.compile(r"IVF (\d{1,3})", re.ASCII)
_INPUT = re.compile(r"IN(\d) (HI!?|LOW)", re.ASCII)
_WORDS = re.compile(r"[A-Z][A-Za-z0-9_!?.:/# -]{1,79}")


class AsciiLines:
    """`twice` says that SET EPC is on, so that a tag has two lines of digits and the second is its EPC."""

    def __init__(self, *, twice: bool = True) -> None:
        self.twice = twice
        self._round = Gathering()
        self._digits: list[str] = []  # of the tag whose strength has not come yet
        self._faulty = False  # the lines that come belong to a tag that could not be read
        self._antenna: int | None = None

    def line(self, line: bytes, at_us: int) -> Iterator[Event]:
        text = line.decode("ascii", "replace")
        if self._of_a_round(text, at_us):
            return
        if found := _END.fullmatch(text):
            yield self._end(int(found[1]))
        elif (event := self._by_itself(text)) is not None:
            yield event
        else:
            self._round.damage(f"a line of it cannot be read: {line[:40]!r}")
            yield Noise(line)

    def _of_a_round(self, text: str, at_us: int) -> bool:
        """Whether this is a line of a round, which is then taken."""
        if EPC.fullmatch(text):
            self._take_digits(text)
        elif _RSSI.fullmatch(text):
            self._strength(int(text), at_us)
        elif text[:3] in FAULTS and (len(text) == 3 or text[3] == " "):
            self._fault(text[:3])
        elif found := _ANTENNA.fullmatch(text):
            self._antenna = int(found[1])
        else:
            return False
        return True

    def _by_itself(self, text: str) -> Event | None:
        """What a line says that belongs to no round."""
        if text == "HBT":
            return Beat()
        if found := _INPUT.fullmatch(text):
            return Input(int(found[1]), found[2] != "LOW")
        if text == "SRT":
            return Restarted()
        if text[:3] in _STOPPED:
            self.forget()
            return Told(text)
        return Told(text) if _WORDS.fullmatch(text) and not self._begun else None

    def forget(self) -> None:
        """The reader has stopped, in the middle of a round or not."""
        self._round.forget()
        self._digits.clear()
        self._faulty, self._antenna = False, None

    @property
    def _begun(self) -> bool:
        return bool(self._digits or self._round.tags or self._faulty)

    def _take_digits(self, text: str) -> None:
        self._digits.append(text.upper())
        if len(self._digits) > 1 + self.twice:
            self._digits.pop(0)
            self._round.damage("a tag has too many lines")

    def _strength(self, rssi: int, at_us: int) -> None:
        """A strength ends a tag's lines: it is a tag if all its lines are there."""
        if len(self._digits) == 1 + self.twice:
            self._round.add(Tag(self._digits[-1], at_us, rssi))
        elif not self._faulty:
            self._round.damage("a tag's strength without the tag")
        self._digits.clear()
        self._faulty = False

    def _fault(self, code: str) -> None:
        if self._digits:
            self._round.damage("a tag without its strength")
        self._digits.clear()
        self._faulty = True
        self._round.fault(FAULTS[code])

    def _end(self, count: int) -> Event:
        if self._digits:
            self._round.damage("a tag without its strength")
        tags, faults = len(self._round.tags), len(self._round.faults)
        antenna, self._antenna = self._antenna, None
        self._digits.clear()
        self._faulty = False
        ended = self._round.end(antenna)
        # Whether those that could not be read are counted is not said anywhere: either is taken.
        if isinstance(ended, Damaged) or count in (tags, tags + faults):
            return ended
        return Damaged(tags, f"{tags} tags came of {count}")


def decoder(lines: AsciiLines) -> Decoder:
    return Decoder(lines.line)
