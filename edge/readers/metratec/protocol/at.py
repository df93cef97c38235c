"""The AT generation: PulsarLR, PLRM, DwarfG2, QRG2, DeskID UHF v2.

+CINV: 3034257BF468D480000003EC,E200600311753E33,-61      EPC, then TID and RSSI where they were asked for
+CMINV: <ROUND FINISHED, ANT=2>                           only now is the antenna known
+CMINV: <NO TAGS FOUND>   +CMINV: <Antenna Error>   +IEV: 1,HIGH   +HBT
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edge.readers.metratec.protocol.rounds import (
    EPC,
    Beat,
    Decoder,
    Event,
    Gathering,
    Input,
    Noise,
    Tag,
    Told,
)

_INVENTORY = re.compile(r"\+(?:CM?|M)?INV: ?(.+)")
_ROUND_END = re.compile(r"ROUND FINISHED(?:[, ]+ANT ?=? ?(\d{1,3}))?", re.IGNORECASE)
# An end of which a letter is wrong is no harmless message: it would give this round's tags to the next antenna.
_PART_OF_AN_END = re.compile(r"ROUND|FINI|SHED|ANT ?=|[<>]", re.IGNORECASE)
_INPUT = re.compile(r"\+IEV: ?(\d{1,2}), ?(HIGH|LOW)")
_ANSWER = re.compile(r"OK|ERROR|\+[A-Z]{1,8}: ?.*|AT[A-Z0-9+?=,.;:<>_ -]*")
_RSSI = re.compile(r"-?\d{1,4}", re.ASCII)
_TID = re.compile(r"(?:[0-9A-Fa-f]{2}){0,38}")


@dataclass(frozen=True, slots=True)
class Fields:
    """What AT+INVS was told, which decides what stands in a tag's line and in which order."""

    tid: bool = False
    rssi: bool = True

    @property
    def count(self) -> int:
        return 1 + self.tid + self.rssi


class AtLines:
    """`fields` may be changed whenever no inventory is running."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields
        self._round = Gathering()

    def forget(self) -> None:
        """The reader has stopped, in the middle of a round or not."""
        self._round.forget()

    def line(self, line: bytes, at_us: int) -> Iterator[Event]:
        text = line.decode("ascii", "replace")
        if text == "+HBT":
            yield Beat()
        elif found := _INVENTORY.fullmatch(text):
            yield from self._inventory(found[1], line, at_us)
        elif found := _INPUT.fullmatch(text):
            yield Input(int(found[1]), found[2] == "HIGH")
        elif _ANSWER.fullmatch(text):
            if text.startswith("+"):  # it may have been a line of the round, that came garbled
                self._round.damage(f"a line of it cannot be read: {line[:40]!r}")
            yield Told(text)
        else:
            yield self._noise(line)

    def _inventory(self, said: str, line: bytes, at_us: int) -> Iterator[Event]:
        if said.startswith("<") and said.endswith(">"):
            words = said[1:-1]
            if found := _ROUND_END.fullmatch(words):
                yield self._round.end(int(found[1]) if found[1] else None)
            elif _PART_OF_AN_END.search(words) or not words.isprintable():
                yield self._noise(line)
            elif words.upper() != "NO TAGS FOUND":
                self._round.fault(words)
        elif (tag := self._tag(said, at_us)) is not None:
            self._round.add(tag)
        else:
            yield self._noise(line)

    def _tag(self, said: str, at_us: int) -> Tag | None:
        epc, *rest = said.split(",")
        if not EPC.fullmatch(epc) or 1 + len(rest) != self.fields.count:
            return None
        tid = rest.pop(0) if self.fields.tid else ""
        rssi = rest.pop(0) if self.fields.rssi else "0"
        if not _TID.fullmatch(tid) or not _RSSI.fullmatch(rssi):
            return None
        return Tag(epc.upper(), at_us, int(rssi) if self.fields.rssi else None, tid.upper() or None)

    def _noise(self, line: bytes) -> Noise:
        self._round.damage(f"a line of it cannot be read: {line[:40]!r}")
        return Noise(line)


def decoder(lines: AtLines) -> Decoder:
    return Decoder(lines.line)
