"""Whether a recording is of the gates and shelves that a configuration has. The same for `replay` and for the agent."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.aggregator.inbox import LATE_MS
from edge.config import EdgeConfig
from edge.errors import RecordingError
from edge.reads import Antenna, Lost, Read, Scale, TagRead, TimedRead, WeightFault, WeightSample, device_of
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

    def timed(self, lines: Iterable[bytes], *, warn: bool = True) -> Iterator[TimedRead]:
        """The reads of a recording's lines, each held to this site. `warn` of what is odd and no error.

        An antenna or cell that the configuration leaves out is only warned of: a reader reads with all that it has,
        and a live agent passes the others over too.

        Raises:
            RecordingError: naming the line, and what would be right there: it cannot be read, or is of a gate or
                shelf that the configuration does not have.
        """
        recording = Recording(lines)
        odd: set[str] = set()
        back = _Back()
        if warn and recording.edge != self._edge:
            log.warning("the recording is of edge %s, the configuration of %s", recording.edge, self._edge)
        for mono_ms, read in recording.timed():
            if problem := self._unknown(read):
                raise RecordingError(f"line {recording.number}: {problem}")
            if warn and (problem := self._left_out(read)):
                if problem not in odd:
                    odd.add(problem)
                    log.warning("line %d and on: %s", recording.number, problem)
            elif warn and not recording.steady:
                back.look(recording.number, read)
            yield mono_ms, read
        if warn and recording.skipped:
            log.warning("%d lines of unknown types passed over; is the recording newer?", recording.skipped)

    def timed_of(self, path: Path, *, warn: bool = True) -> Iterator[TimedRead]:
        """As `timed`, from a file.

        Raises:
            RecordingError: as `timed`, or the file cannot be read.
        """
        try:
            with path.open("rb") as lines:
                yield from self.timed(lines, warn=warn)
        except OSError as error:
            raise RecordingError(f"{path}: {error.strerror or error}") from error
        except RecordingError as error:
            raise RecordingError(f"{path}: {error}") from error

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


class _Back:
    """Says once of a recording without steady time that its time runs back: at one device, since devices that report
    late are late together. Reads a little behind are in order again before anything is made of them."""

    def __init__(self) -> None:
        self._newest_us: dict[str, int] = {}
        self._said = False

    def look(self, number: int, read: Read) -> None:
        name = device_of(read)
        newest_us = self._newest_us.setdefault(name, read.at_us)
        self._newest_us[name] = max(newest_us, read.at_us)
        back_ms = (newest_us - read.at_us) // 1000
        if back_ms > LATE_MS and not self._said:
            self._said = True
            log.warning(
                "line %d: time runs back by %.1f s at %s, and the recording has no mono_ms: a clock was set, or reads "
                "came late; they count as late here, so that less may be said than the door said; an agent's journal "
                "(stockbeat edge record --from-journal) has the time that nobody sets",
                number, back_ms / 1000, name,
            )  # fmt: skip


_MANY = {"gate": "gates", "shelf": "shelves"}
