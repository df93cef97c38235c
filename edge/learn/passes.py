"""Labelled recordings of one gate, played as a replay would, and what is known of each tag in each of its passages."""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.found import Decided
from edge.aggregator.gate import Gate
from edge.aggregator.judge import Scene
from edge.aggregator.model import Model
from edge.aggregator.paths import WENT_IN, WENT_OUT
from edge.aggregator.slices import Ints
from edge.build import gate_of
from edge.config import GateConfig
from edge.errors import RecordingError
from edge.learn.labels import Labelled, Way
from edge.reads import TagRead, TimedRead, device_of
from edge.recording import Recording
from edge.replay import BOOT, played
from wire.events import TagMovement

IN, OUT, NONE, UNKNOWN = 0, 1, 2, -1  # of a tag in a passage, as a person labelled it
# A recording that begins so soon after another ended goes on where that left off: what stood there is known.
BREAK_MS = 2_000
NUMBERS = {Way.IN: IN, Way.OUT: OUT, Way.NONE: NONE}


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A passage of a recording, and what its tags did: `way` by tag, (n,)."""

    scene: Scene
    epcs: Sequence[str]
    way: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a gate read of one labelled recording: the labels of the tags that it read; steady times in milliseconds."""

    labelled: Labelled
    ways: Mapping[str, Way]
    unread: Sequence[str]  # labelled, but the gate did not read them
    counts: Mapping[int, int]  # reads by antenna
    first_ms: int
    last_ms: int

    @property
    def name(self) -> str:
        return self.labelled.name


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a gate made of a recording: what it said of each tag, and its passages."""

    seen: Seen
    said: Mapping[str, Sequence[TagMovement]]
    samples: Sequence[Sample]

    @property
    def name(self) -> str:
        return self.seen.name

    @property
    def ways(self) -> Mapping[str, Way]:
        return self.seen.ways

    @property
    def unread(self) -> Sequence[str]:
        return self.seen.unread

    @property
    def counts(self) -> Mapping[int, int]:
        return self.seen.counts


class Door:
    """One gate of a configuration, ready to judge recordings by any model."""

    def __init__(self, config: GateConfig) -> None:
        self.config = config
        self.gate: Gate = gate_of(config)

    def runs(self, chain: Sequence[Seen], model: Model) -> list[Run]:
        """Play recordings that follow each other from their files, one after the other, as the door lived them.

        Raises:
            RecordingError: one cannot be read; names the file.
        """
        gate = replace(self.gate, model=model)
        decided: list[Decided] = []
        aggregator = Aggregator(
            [gate], [], boot=BOOT, references={gate.name: self.config.reference_tags}, recorder=decided.append
        )
        reads = (read for each in chain for read in _reads(each.labelled, gate.name))
        said: list[dict[str, list[TagMovement]]] = [defaultdict(list) for _ in chain]
        starts = [each.first_ms for each in chain]
        for event in played(aggregator, [gate.name], reads):
            if isinstance(event, TagMovement):
                said[_of(starts, event.mono_ms)][event.epc].append(event)
        found = samples(decided, starts, [each.ways for each in chain])
        return [Run(each, movements, mine) for each, movements, mine in zip(chain, said, found, strict=True)]

    def seen(self, labelled: Labelled) -> Seen:
        """What the gate read of a recording.

        Raises:
            RecordingError: it cannot be read, or has no read of this gate; names the file.
        """
        references = {epc for epcs in self.config.reference_tags.values() for epc in epcs}
        counts = dict.fromkeys(sorted(self.gate.antennas), 0)
        epcs: set[str] = set()
        times: list[int] = []
        for mono_ms, read in _reads(labelled, self.gate.name):
            times = [min([mono_ms, *times]), max([mono_ms, *times])]
            if isinstance(read, TagRead) and read.antenna in counts:
                counts[read.antenna] += 1
                epcs.add(read.epc)
        epcs -= references
        if not epcs:
            raise RecordingError(f"{labelled.path}: no tag was read by an antenna of {self.gate.name}")
        ways = {epc: way for epc in sorted(epcs) if (way := labelled.way(epc)) is not None}
        return Seen(labelled, ways, sorted(set(labelled.tags) - epcs), counts, times[0], times[1])


def chains(seen: Sequence[Seen]) -> list[list[Seen]]:
    """Recordings in order of time, those together that follow each other without a break."""
    found: list[list[Seen]] = []
    for each in sorted(seen, key=lambda one: (one.first_ms, one.name)):
        if found and 0 <= each.first_ms - found[-1][-1].last_ms <= BREAK_MS:
            found[-1].append(each)
        else:
            found.append([each])
    return found


def _reads(labelled: Labelled, gate: str) -> Iterator[TimedRead]:
    """Those of one gate: a recording may hold others."""
    try:
        with labelled.path.open("rb") as lines:
            yield from (timed for timed in Recording(lines).timed() if device_of(timed[1]) == gate)
    except OSError as error:
        raise RecordingError(f"{labelled.path}: {error.strerror or error}") from error
    except RecordingError as error:
        raise RecordingError(f"{labelled.path}: {error}") from error


def _of(starts: Sequence[int], at_ms: int) -> int:
    return max(0, bisect(starts, at_ms) - 1)


def samples(
    decided: Sequence[Decided], starts: Sequence[int], ways: Sequence[Mapping[str, Way]]
) -> list[list[Sample]]:
    """What is known of the tags in each passage, by the recording in which most of it was.

    A tag that crossed did so in the passage in which it most probably crossed; of its others nothing is known. One
    that did not cross did so in none.
    """
    best: dict[tuple[int, str], tuple[float, int]] = {}
    placed = [_placed(each, starts) for each in decided]
    for number, (each, recordings) in enumerate(zip(decided, placed, strict=True)):
        judgement = each.found.judgement
        crossed = judgement.moved * (judgement.ways[:, WENT_IN] + judgement.ways[:, WENT_OUT])
        for member in each.members.tolist():
            key = recordings[member], each.epcs[member]
            best[key] = max(best.get(key, (-1.0, -1)), (float(crossed[member]), number))
    found: list[list[Sample]] = [[] for _ in starts]
    for number, (each, recordings) in enumerate(zip(decided, placed, strict=True)):
        way = np.full(len(each.epcs), UNKNOWN, np.int64)
        for member in each.members.tolist():
            recording, epc = recordings[member], each.epcs[member]
            label = ways[recording].get(epc)
            if label is Way.NONE or (label is not None and best[recording, epc][1] == number):
                way[member] = NUMBERS[label]
        most = int(np.bincount(recordings).argmax())
        found[most].append(Sample(each.found.scene, each.epcs, way))
    return found


def _placed(decided: Decided, starts: Sequence[int]) -> list[int]:
    """The recording in which each tag crossed, or would have."""
    zero_ms = int(decided.found.reads.ms[0])
    return [_of(starts, zero_ms + round(1000 * at_s)) for at_s in decided.found.judgement.crossed_s.tolist()]
