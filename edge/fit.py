"""Whether a recording is of the gates and shelves that a configuration has. The same for `replay` and for the agent."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.config import EdgeConfig
from edge.errors import RecordingError
from edge.reads import Antenna, Lost, Read, Scale, TagRead, WeightFault, WeightSample, device_of
from edge.recording import Recording

log = logging.getLogger(__name__)


class Site:
    """The places that a configuration reads at, by name."""

    def __init__(self, config: EdgeConfig) -> None:
        self._edge = config.edge
        self._antennas = {gate.name: frozenset(gate.antennas) for gate in config.gates}
        self._cells = {
            shelf.name: frozenset(cell for bay in shelf.bays for cell in bay.cells)
            for shelf in config.shelves
        }

    def reads(self, lines: Iterable[bytes], *, warn: bool = True) -> Iterator[Read]:
        """The reads of a recording's lines, each held to this site. `warn` of what is odd and no error.

        An antenna or cell that the configuration leaves out is only warned of: a reader reads with all that it has,
        and a live agent passes the others over too.

        Raises:
            RecordingError: naming the line, and what would be right there: it cannot be read, or is of a gate or
                shelf that the configuration does not have.
        """
        recording = Recording(lines)
        odd: set[str] = set()
        if warn and recording.edge != self._edge:
            log.warning("the recording is of edge %s, the configuration of %s", recording.edge, self._edge)
        for read in recording:
            if problem := self._unknown(read):
                raise RecordingError(f"line {recording.number}: {problem}")
            if warn and (problem := self._left_out(read)) and problem not in odd:
                odd.add(problem)
                log.warning("line %d and on: %s", recording.number, problem)
            yield read
        if warn and recording.skipped:
            log.warning("%d lines of unknown types passed over; is the recording newer?", recording.skipped)

    def reads_of(self, path: Path, *, warn: bool = True) -> Iterator[Read]:
        """As `reads`, from a file.

        Raises:
            RecordingError: as `reads`, or the file cannot be read.
        """
        try:
            with path.open("rb") as lines:
                yield from self.reads(lines, warn=warn)
        except OSError as error:
            raise RecordingError(f"{path}: {error.strerror or error}") from error

    def _unknown(self, read: Read) -> str | None:
        name = device_of(read)
        if isinstance(read, WeightSample | Scale | WeightFault) or (
            isinstance(read, Lost) and name in self._cells
        ):
            kind, known = "shelf", self._cells
        else:
            kind, known = "gate", self._antennas
        if name in known:
            return None
        there = ", ".join(known) or "none"
        return f"{kind} {name!r} is not in the configuration; its {_MANY[kind]}: {there}"

    def _left_out(self, read: Read) -> str | None:
        """Of a gate or shelf that is known."""
        match read:
            case TagRead(gate=name, antenna=number) | Antenna(gate=name, antenna=number):
                kind, part, known = "gate", "antenna", self._antennas[name]
            case WeightSample(shelf=name, cell=number) | WeightFault(shelf=name, cell=number):
                kind, part, known = "shelf", "cell", self._cells[name]
            case _:
                return None
        if number in known:
            return None
        there = ", ".join(map(str, sorted(known)))
        return f"{kind} {name!r} has no {part} {number} in the configuration; its {part}s: {there}"


_MANY = {"gate": "gates", "shelf": "shelves"}
