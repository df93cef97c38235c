"""Everything about one passage of one tag, taken from a recording that is played through the aggregator as it is."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge.aggregator.found import Decided, Recorder
from edge.aggregator.gate import Side
from edge.config import EdgeConfig, GateConfig
from edge.errors import RecordingError
from edge.explain.why import Why, why
from edge.fit import Site
from edge.reads import TagRead, Trigger
from edge.recording import EPOCH, MICROSECOND
from edge.replay import events
from wire.events import Event, Passage, TagMovement

BEFORE_US, AFTER_US = 3_000_000, 1_500_000  # shown around a passage
REST_US = 60_000_000  # so long before it at most, reads tell how the tag was read at rest
LONGEST_US = 60_000_000  # of what is shown of a tag of which nothing was said


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`reads`, `company` (of other tags) and `triggers` lie between `from_us` and `to_us`."""

    gate: GateConfig
    epc: str
    from_us: int
    to_us: int
    reads: Sequence[TagRead]
    company: Sequence[TagRead]
    triggers: Sequence[Trigger]
    rest: Counter[Side]  # reads in the time before, since the tag last moved, a minute at most
    rested_s: float  # how long that was
    movement: TagMovement | None
    passage: Passage | None
    others: Sequence[TagMovement]  # of the same passage
    elsewhere: Sequence[TagMovement]  # other passages of the tag
    why: Why | None  # what the decision was made of
    assumed: Sequence[str]  # of the door, where its configuration was not there

    def side(self, antenna: int) -> Side | None:
        return self.gate.antennas.get(antenna)

    @property
    def antennas(self) -> list[int]:
        """Outside first, as one walks in."""
        return sorted(self.gate.antennas, key=lambda a: (self.gate.antennas[a] is Side.INSIDE, a))


def tell(
    config: EdgeConfig,
    recording: Path,
    epc: str,
    *,
    gate: str | None = None,
    passage: str | None = None,
    assumed: Sequence[str] = (),
) -> Story:
    """One passage of a tag: the one named, or the last of those of which something was said.

    Args:
        passage: its id, as events carry it.
        assumed: what was, of the door, for the recording came without its configuration.

    Raises:
        RecordingError: the recording cannot be read, or the tag, the gate or the passage is not in it.
    """
    decided: list[Decided] = []

    def keep(each: Decided) -> None:
        if epc in each.epcs:
            decided.append(each)

    said = list(_replayed(config, recording, keep))
    mine = [e for e in said if isinstance(e, TagMovement) and e.epc == epc and gate in (None, e.gate)]
    chosen = _chosen(mine, passage, epc)
    if chosen is not None:
        name = chosen.gate
        whole = next((e for e in said if isinstance(e, Passage) and e.passage == chosen.passage), None)
    else:
        name = gate or _gate_of(config, recording, epc)
        whole = None
    reads = [read for _, read in Site(config).timed_of(recording, warn=False)
             if isinstance(read, TagRead | Trigger) and read.gate == name]  # fmt: skip
    own = [read for read in reads if isinstance(read, TagRead) and read.epc == epc]
    if not own:
        raise RecordingError(f"{recording}: {name} read no tag {epc}; it read {_some(reads)}")
    if whole is None:
        whole = _busiest(own, (e for e in said if isinstance(e, Passage) and e.gate == name))
    configured = next((each for each in config.gates if each.name == name), None)
    if configured is None:
        raise RecordingError(f"gate {name!r} is not in the configuration")
    from_us, to_us = _span(own, whole, chosen)
    moved = [microseconds(e.decided_at) for e in mine if e is not chosen]
    rest_us = max([reads[0].at_us, from_us - REST_US, *(at for at in moved if at < from_us)])
    inside = [read for read in reads if from_us <= read.at_us <= to_us]
    return Story(
        gate=configured, epc=epc, from_us=from_us, to_us=to_us,
        reads=[read for read in inside if isinstance(read, TagRead) and read.epc == epc],
        company=[read for read in inside if isinstance(read, TagRead) and read.epc != epc],
        triggers=[read for read in inside if isinstance(read, Trigger)],
        rest=Counter(
            configured.antennas[read.antenna] for read in own
            if rest_us <= read.at_us < from_us and read.antenna in configured.antennas
        ),
        rested_s=max(0, from_us - rest_us) / 1e6,
        movement=chosen, passage=whole,
        others=[
            e for e in said
            if isinstance(e, TagMovement) and e.epc != epc and whole and e.passage == whole.passage
        ],
        elsewhere=[e for e in mine if e is not chosen],
        why=_why(decided, name, epc, whole),
        assumed=assumed,
    )  # fmt: skip


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _why(decided: Sequence[Decided], gate: str, epc: str, passage: Passage | None) -> Why | None:
    """Of the decision that said the passage; of one of which nothing was said, the tag's last."""
    mine = [(each, found) for each in decided if each.gate == gate and (found := why(each, epc))]
    named = [found for each, found in mine if passage and _says(each, passage.passage)]
    if named or passage:
        return named[-1] if named else None
    return mine[-1][1] if mine else None


def _says(decided: Decided, passage: str) -> bool:
    return any(isinstance(event, Passage) and event.passage == passage for event in decided.events)


def _replayed(config: EdgeConfig, recording: Path, recorder: Recorder) -> Iterable[Event]:
    try:
        with recording.open("rb") as lines:
            yield from events(config, lines, recorder=recorder)
    except OSError as error:
        raise RecordingError(f"{recording}: {error.strerror or error}") from error
    except RecordingError as error:
        raise RecordingError(f"{recording}: {error}") from error


def _chosen(mine: Sequence[TagMovement], passage: str | None, epc: str) -> TagMovement | None:
    if passage is None:
        return mine[-1] if mine else None
    for event in mine:
        if event.passage == passage:
            return event
    there = ", ".join(event.passage for event in mine) or "none"
    raise RecordingError(
        f"{passage!r} is no passage in which something was said of {epc}; there are: {there}"
    )


def _gate_of(config: EdgeConfig, recording: Path, epc: str) -> str:
    """The gate that read a tag most."""
    gates, tags = Counter[str](), Counter[str]()
    for _, read in Site(config).timed_of(recording, warn=False):
        if isinstance(read, TagRead):
            tags[read.epc] += 1
            gates[read.gate] += read.epc == epc
    if not gates.total():
        most = ", ".join(tag for tag, _ in tags.most_common(3)) or "none"
        raise RecordingError(f"{recording}: no read of tag {epc}; of its {len(tags)} tags, read most: {most}")
    return gates.most_common(1)[0][0]


def _some(reads: Iterable[TagRead | Trigger]) -> str:
    tags = Counter(read.epc for read in reads if isinstance(read, TagRead))
    return ", ".join(tag for tag, _ in tags.most_common(3)) or "none"


def _busiest(own: Sequence[TagRead], passages: Iterable[Passage]) -> Passage | None:
    """The passage in which a tag was read most; None if it was read in none."""
    best, most = None, 0
    for passage in passages:
        begin, end = microseconds(passage.began_at), microseconds(passage.ended_at)
        count = sum(begin <= read.at_us <= end for read in own)
        if count > most:
            best, most = passage, count
    return best


def _span(own: Sequence[TagRead], passage: Passage | None, movement: TagMovement | None) -> tuple[int, int]:
    if passage is None:
        middle = max(own, key=lambda read: read.rssi_dbm).at_us
        begin = max(own[0].at_us, middle - LONGEST_US // 2)
        return begin, min(own[-1].at_us, begin + LONGEST_US) + 1
    ends = [microseconds(passage.ended_at)]
    if movement is not None:
        ends += [microseconds(movement.decided_at), microseconds(movement.at)]
    begins = microseconds(passage.began_at)
    if movement is not None:
        begins = min(begins, microseconds(movement.at))
    return begins - BEFORE_US, max(ends) + AFTER_US
