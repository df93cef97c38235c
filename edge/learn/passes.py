"""Labelled recordings of one gate, played as a replay would, and what is known of each tag in each of its passages."""

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
from edge.reads import Read, TagRead, device_of
from edge.recording import Recording
from edge.replay import BOOT, played
from wire.events import TagMovement

IN, OUT, NONE, UNKNOWN = 0, 1, 2, -1  # of a tag in a passage, as a person labelled it
NUMBERS = {Way.IN: IN, Way.OUT: OUT, Way.NONE: NONE}


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A passage of a recording, and what its tags did: `way` by tag, (n,)."""

    scene: Scene
    epcs: Sequence[str]
    way: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a gate made of one labelled recording: the labels of the tags that it read, and what it said of each."""

    labelled: Labelled
    ways: Mapping[str, Way]
    unread: Sequence[str]  # labelled, but the gate did not read them
    counts: Mapping[int, int]  # reads by antenna
    said: Mapping[str, Sequence[TagMovement]]
    samples: Sequence[Sample]

    @property
    def name(self) -> str:
        return self.labelled.name


class Door:
    """One gate of a configuration, ready to judge recordings by any model."""

    def __init__(self, config: GateConfig) -> None:
        self.config = config
        self.gate: Gate = gate_of(config)

    def run(self, labelled: Labelled, model: Model) -> Run:
        """Play a recording from its file.

        Raises:
            RecordingError: it cannot be read, or has no read of this gate; names the file.
        """
        gate = replace(self.gate, model=model)
        decided: list[Decided] = []
        aggregator = Aggregator(
            [gate], [], boot=BOOT, references={gate.name: self.config.reference_tags}, recorder=decided.append
        )
        seen = _Seen(self, labelled)
        said: dict[str, list[TagMovement]] = defaultdict(list)
        for event in played(aggregator, [gate.name], seen.reads()):
            if isinstance(event, TagMovement):
                said[event.epc].append(event)
        ways = {epc: way for epc in sorted(seen.epcs) if (way := labelled.way(epc)) is not None}
        unread = sorted(set(labelled.tags) - seen.epcs)
        return Run(labelled, ways, unread, seen.counts, said, samples(decided, ways))


class _Seen:
    """The reads of one gate in a recording, counted as they go by."""

    def __init__(self, door: Door, labelled: Labelled) -> None:
        self._gate, self._labelled = door.gate, labelled
        self._references = {epc for epcs in door.config.reference_tags.values() for epc in epcs}
        self.epcs: set[str] = set()
        self.counts: dict[int, int] = dict.fromkeys(door.gate.antennas, 0)

    def reads(self) -> Iterator[Read]:
        others: set[str] = set()
        try:
            with self._labelled.path.open("rb") as lines:
                for read in Recording(lines):
                    if device_of(read) != self._gate.name:
                        others.add(device_of(read))
                        continue
                    if isinstance(read, TagRead) and read.antenna in self.counts:
                        self.counts[read.antenna] += 1
                        if read.epc not in self._references:
                            self.epcs.add(read.epc)
                    yield read
        except OSError as error:
            raise RecordingError(f"{self._labelled.path}: {error.strerror or error}") from error
        except RecordingError as error:
            raise RecordingError(f"{self._labelled.path}: {error}") from error
        if not self.epcs:
            there = ", ".join(sorted(others)) or "nothing"
            raise RecordingError(
                f"{self._labelled.path}: no tag was read by an antenna of {self._gate.name}; it is of: {there}"
            )


def samples(decided: Sequence[Decided], ways: Mapping[str, Way]) -> list[Sample]:
    """What is known of the tags in each passage.

    A tag that crossed did so in the passage in which it most probably crossed; of its others nothing is known. One
    that did not cross did so in none.
    """
    best: dict[str, tuple[float, int]] = {}
    for number, each in enumerate(decided):
        judgement = each.found.judgement
        crossed = judgement.moved * (judgement.ways[:, WENT_IN] + judgement.ways[:, WENT_OUT])
        for member in each.members.tolist():
            epc = each.epcs[member]
            best[epc] = max(best.get(epc, (-1.0, -1)), (float(crossed[member]), number))
    found = []
    for number, each in enumerate(decided):
        way = np.full(len(each.epcs), UNKNOWN, np.int64)
        for member in each.members.tolist():
            epc = each.epcs[member]
            label = ways.get(epc)
            if label is Way.NONE or (label is not None and best[epc][1] == number):
                way[member] = NUMBERS[label]
        found.append(Sample(each.found.scene, each.epcs, way))
    return found
