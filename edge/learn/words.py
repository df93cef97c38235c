"""What is said of a door that has learned: how often it was right, recording by recording, and what it is unsure of."""

from collections import Counter
from collections.abc import Iterator, Sequence

from edge.learn.labels import Way
from edge.learn.learn import Learned
from edge.learn.passes import Run, chains
from edge.learn.score import MOVES, Score

FEW_RUNS = 10  # of a direction, below which chance decides
FEW_READS = 20  # of an antenna in all recordings
SMALL = 3  # tags: a load that is judged nearly by itself
SHOWN = 12  # of a list
CONTRADICTS = 0.9  # so sure it was of something else than the label says
ROWS = (
    ("right of all", "right", "tags"),
    ("in right", "in right", "in"),
    ("out right", "out right", "out"),
    ("none right", "none right", "none"),
    ("booked right of crossings", "booked", "crossed"),
    ("booked wrongly", "booked wrongly", "tags"),
    ("moved, though none did", "false", "none"),
)
LEANS = 3.0  # times as many recordings of one direction as of the other


def report(learned: Learned) -> Iterator[str]:
    before, after = learned.whole_before, learned.whole_after
    counts = before.counts
    yield (
        f"gate {learned.gate.name}: {len(learned.runs)} recordings; tags in {counts['in']}, out {counts['out']}, "
        f"none {counts['none']}"
    )
    yield ""
    yield from _table(learned)
    yield ""
    yield f"{'':28}{'not having learned':>20}{'cross-validated':>20}"
    for name, key, of in ROWS:
        if counts[of]:
            yield f"{name:28}{_share(before, key, of):>20}{_share(after, key, of):>20}"
    yield ""
    yield "confidence that was said of movements, cross-validated:"
    for name, number, right, mean in after.bins():
        yield f"  {name}: {number} movements, said {100 * mean:.1f} %, right {100 * right / number:.1f} %"
    yield ""
    if learned.kept:
        yield "learning did no better than what holds for doors in general: the file keeps the values of that"
    unsure = list(doubts(learned))
    yield "unsure about:" if unsure else "nothing is left to be unsure about that these recordings could show"
    for line in unsure:
        yield line if line.startswith(" ") else f"- {line}"


def _table(learned: Learned) -> Iterator[str]:
    """A line a recording: right of its tags before and after. All alike are shown as one."""
    width = max(9, *(len(run.name) for run in learned.runs))
    yield f"{'recording':{width}}  labels       right before  right after"
    alike = 0
    for run in learned.runs:
        before, after = learned.before[run.name], learned.after[run.name]
        if before.right == before.tags == after.right:
            alike += 1
            continue
        yield (
            f"{run.name:{width}}  {_labels(run):11} {f'{before.right} of {before.tags}':>13}"
            f"  {f'{after.right} of {after.tags}':>11}"
        )
    if alike:
        yield f"{alike} recording{'s' * (alike != 1)}: all right, before and after"


def _labels(run: Run) -> str:
    return "/".join(way.value for way in Way if way in run.ways.values()) or "-"


def _share(score: Score, key: str, of: str) -> str:
    right, total = score.counts[key], score.counts[of]
    return f"{right}/{total} {100 * right / total:.1f} %" if total else "-"


def doubts(learned: Learned) -> Iterator[str]:
    """What a person should know before trusting it."""
    yield from _rows(learned.runs)
    yield from _directions(learned.runs)
    yield from _loads(learned.runs)
    yield from _antennas(learned)
    yield from _unread(learned.runs)
    yield from _contradicted(learned)


def _rows(runs: Sequence[Run]) -> Iterator[str]:
    if len(runs) > 1 and len(chains([run.seen for run in runs])) == 1:
        yield (
            "all recordings follow each other without a break: those that were left out had neighbours among those "
            "learned from, so it may be less often right than it says; add passes of another day"
        )


def _directions(runs: Sequence[Run]) -> Iterator[str]:
    passes = Counter(way for run in runs for way in set(run.ways.values()))
    for way, words in ((Way.IN, "went in"), (Way.OUT, "went out")):
        if not passes[way]:
            yield f"one-sided: there is no recording in which anything {words}"
        elif passes[way] < FEW_RUNS:
            yield f"only {_recordings(passes[way])} in which something {words}; ten and more tell apart from chance"
    low, high = sorted((passes[Way.IN], passes[Way.OUT]))
    if low >= FEW_RUNS and high > LEANS * low:
        yield f"{passes[Way.IN]} recordings in, {passes[Way.OUT]} out: the rarer direction is known less well"
    nothing = [run for run in runs if set(run.ways.values()) == {Way.NONE}]
    if len(nothing) < FEW_RUNS:
        only = "only " if nothing else ""
        yield f"{only}{_recordings(len(nothing))} in which nothing crossed: passing and turning back are hardly known"


def _loads(runs: Sequence[Run]) -> Iterator[str]:
    loads = [sum(way is not Way.NONE for way in run.ways.values()) for run in runs]
    loads = [load for load in loads if load]
    if loads and min(loads) > SMALL:
        yield f"no load of {SMALL} tags or fewer, all of {min(loads)} at least: how it does on one tag is not known"
    if not any(way is Way.NONE for run in runs for way in run.ways.values()):
        yield "no tag that stood by or passed near: what it takes for a movement is not known"
    elif not any({Way.NONE} < set(run.ways.values()) for run in runs):
        yield "no recording has tags that stood by while others crossed: goods parked beside the door are not known"


def _antennas(learned: Learned) -> Iterator[str]:
    total = Counter[int]()
    for run in learned.runs:
        total.update(run.counts)
    for number, side in sorted(learned.gate.antennas.items()):
        if total[number] < FEW_READS:
            yield f"antenna {number} ({side.value}) read {total[number]} times in all: what it tells is not known"
        base = learned.model.antenna(number).base
        if base < 0:
            other = "inside" if side.value == "outside" else "outside"
            yield f"antenna {number} looks {side.value}, and reads as one that looks {other}: are cables crossed?"
    used = Counter(tuple(sorted(n for n, c in run.counts.items() if c)) for run in learned.runs)
    if len(used) > 1:
        usual = used.most_common(1)[0][0]
        others = [
            run.name for run in learned.runs if tuple(sorted(n for n, c in run.counts.items() if c)) != usual
        ]
        rest = ", ".join(map(str, usual))
        yield f"{_recordings(len(others))} not read by the antennas of the rest ({rest}): {_some(others)}"


def _unread(runs: Sequence[Run]) -> Iterator[str]:
    unread = [f"{run.name} {epc}" for run in runs for epc in run.unread]
    if unread:
        yield f"labelled, and never read there: {_some(unread)}"


def _contradicted(learned: Learned) -> Iterator[str]:
    """Tags of which something else than their label was said, and surely, with and without having learned."""
    held = {run.name: run for run in learned.held}
    found = []
    for run in learned.runs:
        for epc, way in run.ways.items():
            said = [_surely(each, epc, way) for each in (run, held[run.name])]
            if all(said):
                found.append(f"{run.name} {epc}: labelled {way.value}, reads say {said[1]}")
    if found:
        yield f"labels that the reads contradict, {len(found)} in all; are they right?"
        for line in found[:SHOWN]:
            yield f"    {line}"
        if len(found) > SHOWN:
            yield f"    and {len(found) - SHOWN} more"


def _surely(run: Run, epc: str, way: Way) -> str | None:
    for event in run.said.get(epc, ()):
        if event.outcome in MOVES and event.outcome.value != way.value and event.confidence >= CONTRADICTS:
            return event.outcome.value
    return None


def _recordings(number: int) -> str:
    return "1 recording" if number == 1 else f"{number or 'no'} recordings"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
