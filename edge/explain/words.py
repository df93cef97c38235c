"""Why, in words: what each side read of a tag and when, what its load did, how it was read at rest, what was said."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from edge.aggregator.gate import Side
from edge.aggregator.model import DEFAULT
from edge.explain import why
from edge.explain.story import Story
from edge.reads import TagRead
from edge.recording import EPOCH
from wire.events import Direction

LEAST_REST_S = 3.0
MOST_OTHERS = 5  # other passages of the tag that are listed
ENOUGH = 2  # reads of a side, that their middle says anything: one may be a reflection
OUTCOMES = {
    Direction.IN: "went in",
    Direction.OUT: "went out",
    Direction.TURNED_BACK: "came near and turned back",
    Direction.UNDECIDED: "is undecided: a person is asked",
}


def title(story: Story) -> str:
    said = f"{OUTCOMES[story.movement.outcome]}, confidence {story.movement.confidence:g}" if story.movement else (
        "at rest or not through: nothing is said of it"
    )  # fmt: skip
    return f"{story.gate.name}  {story.epc}  {said}"


def account(story: Story) -> list[str]:
    """Lines, each a reason."""
    return [
        *story.assumed,
        *_passage(story),
        *_others(story),
        *_own(story),
        *_rest(story),
        *_load(story),
        *_eyes(story),
        *(why.reasons(story.why) if story.why else ()),
        *_door(story),
    ]


def clock(at_us: int | datetime) -> str:
    at = at_us if isinstance(at_us, datetime) else EPOCH + timedelta(microseconds=at_us)
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


def middle_us(reads: Sequence[TagRead]) -> int:
    """The middle of reads in time, weighted by power."""
    weights = [10 ** (read.rssi_dbm / 10) for read in reads]
    zero = reads[0].at_us
    later = sum(w * (read.at_us - zero) for w, read in zip(weights, reads, strict=True)) / sum(weights)
    return zero + round(later)


def by_side(story: Story, reads: Sequence[TagRead]) -> dict[Side, list[TagRead]]:
    found: dict[Side, list[TagRead]] = {side: [] for side in Side}
    for read in reads:
        if (side := story.side(read.antenna)) is not None:
            found[side].append(read)
    return found


def _passage(story: Story) -> Iterator[str]:
    if story.passage is None:
        yield "no passage: nothing that moved was noticed while it was read"
        return
    begin, end = story.passage.began_at, story.passage.ended_at
    lasted = (end - begin).total_seconds()
    yield f"passage {story.passage.passage}: open from {clock(begin)} to {clock(end)} ({lasted:.1f} s)" + (
        f", decided {clock(story.movement.decided_at)}" if story.movement else ""
    )
    if not story.passage.healthy:
        yield "the reader or an antenna was not well throughout: less is known"


def _own(story: Story) -> Iterator[str]:
    sides = by_side(story, story.reads)
    for side in Side:
        reads = sides[side]
        if reads:
            peak = max(read.rssi_dbm for read in reads)
            yield f"{side.value}: {_reads(len(reads))}, strongest {peak:.1f} dBm, middle at {clock(middle_us(reads))}"
        elif side in story.gate.antennas.values():
            yield f"{side.value}: no read"
    if min(len(reads) for reads in sides.values()) >= ENOUGH:
        later = (middle_us(sides[Side.INSIDE]) - middle_us(sides[Side.OUTSIDE])) / 1e6
        order = "outside first, then inside" if later > 0 else "inside first, then outside"
        yield f"{order}: the middles of the two sides are {abs(later):.1f} s apart"


def _rest(story: Story) -> Iterator[str]:
    """By what the gate had come to know, since it judged by that; where it knew nothing, by the reads before."""
    if story.why and story.why.known:
        looking = set(story.gate.antennas.values())
        rates = ", ".join(
            f"{hz:.2f} reads/s {side.value}"
            for side, hz in zip((Side.OUTSIDE, Side.INSIDE), story.why.rest_hz, strict=True)
            if side in looking
        )
        yield f"at rest, as the gate had come to know it: {rates}"
        return
    unknown = "; the gate did not know yet how it is read at rest" if story.why else ""
    yield from (line + unknown for line in _before(story))


def _before(story: Story) -> Iterator[str]:
    if story.rested_s < LEAST_REST_S:
        yield "there was no time before, in which it could have been read at rest"
        return
    spell = "minute" if story.rested_s > 59.0 else f"{story.rested_s:.0f} s"
    if not story.rest.total():
        yield f"not read in the {spell} before: it was not standing here in sight"
        return
    rates = " and ".join(
        f"{story.rest[side] / story.rested_s:.2f} reads/s {side.value}" for side in Side if story.rest[side]
    )
    yield f"in the {spell} before it was read at rest: {rates}"


def _load(story: Story) -> Iterator[str]:
    if story.passage is None:
        return
    counts = Counter(event.outcome for event in story.others)
    if not counts:
        yield "no other tag moved with it: it is judged by itself"
    else:
        said = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Direction if counts[outcome])
        yield f"of its load: {said}; {_strays(story.passage.strays)}"
    movers = {event.epc for event in story.others}
    sides = by_side(story, [read for read in story.company if read.epc in movers])
    if sides[Side.OUTSIDE] and sides[Side.INSIDE]:
        later = (middle_us(sides[Side.INSIDE]) - middle_us(sides[Side.OUTSIDE])) / 1e6
        way = "inwards" if later > 0 else "outwards"
        outside, inside = len(sides[Side.OUTSIDE]), len(sides[Side.INSIDE])
        yield f"the load's reads, {outside} outside and {inside} inside, go {way} by {abs(later):.1f} s"


def _eyes(story: Story) -> Iterator[str]:
    broken = [f"input {each.input} at {clock(each.at_us)}" for each in story.triggers if each.on]
    if broken:
        more = f" and {len(broken) - 4} more" if len(broken) > 4 else ""
        yield f"switched on: {', '.join(broken[:4])}{more}"


def _door(story: Story) -> Iterator[str]:
    learned = story.gate.calibration
    if learned is None:
        yield f"no calibration: {why.calibration(DEFAULT)}"
        return
    of = learned.values.learned
    yield (
        f"calibration {learned.path.name}, learned {of.at:%Y-%m-%d} from {of.recordings} recordings: "
        + why.calibration(learned.model())
    )


def _others(story: Story) -> Iterator[str]:
    """The tag's other passages, and how to have them drawn."""
    if not story.elsewhere:
        return
    if story.movement is None:
        yield "something was said of it in other passages; to draw one, name it:"
    else:
        earlier = sum(event.mono_ms < story.movement.mono_ms for event in story.elsewhere)
        count = len(story.elsewhere) + 1
        yield f"passage {earlier + 1} of the {count} in which something was said of it; to draw another, name it:"
    for event in story.elsewhere[-MOST_OTHERS:]:
        yield f"--passage {event.passage}: {event.outcome.value} at {clock(event.at)}, confidence {event.confidence:g}"
    if (more := len(story.elsewhere) - MOST_OTHERS) > 0:
        yield f"and {more} before these"


def _reads(number: int) -> str:
    return "1 read" if number == 1 else f"{number} reads"


def _strays(number: int) -> str:
    return "1 tag stood by" if number == 1 else f"{number} tags stood by"
