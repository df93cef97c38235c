"""What of one core weighing takes: many cells, few of which change.

    python -m benchmarks.shelf_speed [SECONDS]

Cells of boards that send 10 or 80 samples a second, in shelves of six bays, with noise of 0.2 g; at one bay a second
a unit is taken or put back. Printed: process CPU time as a share of one core at that rate, from `WeightSample` values
to events, what of that is folding columns (the rest is handing samples over, in lists as the agent's engine does), and
memory by channel.
"""

import sys
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from random import Random

from benchmarks.shares import table
from edge.aggregator.aggregator import Aggregator
from edge.aggregator.hypotheses import Item
from edge.aggregator.place import Bay
from edge.aggregator.shelf import Shelf
from edge.engine import MOST_READS
from edge.reads import WeightSample
from wire.events import Change, ShelfChange

SECONDS = 60
WARM_S = 10  # in which every bay finds its first rest
SITES = ((1_000, 10), (256, 80))  # channels, samples a second
BAYS = 6
BEGAN_MS = 1_800_000_000_000
UNIT = 330.0
HEAD = (
    "channels",
    "samples a second",
    "of one core",
    "of it folding columns",
    "bytes a channel",
    "changes said",
)


def site(channels: int) -> list[Shelf]:
    shelves = []
    for at in range(0, channels, BAYS):
        bays = tuple(
            Bay(
                name=f"B{n}", cells=(n,), capacity=24,
                items=(Item(gtin=f"{at + n:013d}0", unit_grams=UNIT, unit_cv=0.01),),
            )
            for n in range(min(BAYS, channels - at))
        )  # fmt: skip
        shelves.append(Shelf(name=f"aisle-{at // BAYS}", bays=bays))
    return shelves


def samples(channels: int, hz: int, seconds: int, rng: Random) -> Iterator[list[WeightSample]]:
    """Each list is a tenth of a second's, in order of time."""
    grams = [20 * UNIT] * channels
    noise = [rng.gauss(0.0, 0.2) for _ in range(4_096)]
    for tenth in range(seconds * 10):
        if tenth % 10 == 5:
            which = rng.randrange(channels)
            grams[which] += -UNIT if grams[which] > 19.5 * UNIT else UNIT
        block = []
        for n in range(hz // 10):
            ms = BEGAN_MS + tenth * 100 + n * 1_000 // hz
            draw = rng.randrange(4_096)
            for channel in range(channels):
                block.append(
                    WeightSample(
                        at_us=ms * 1000, shelf=f"aisle-{channel // BAYS}", cell=channel % BAYS,
                        grams=grams[channel] + noise[(draw + 37 * channel) % 4_096],
                    )
                )  # fmt: skip
        yield block


def measured(channels: int, hz: int, seconds: int) -> list[str]:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    aggregator = Aggregator([], site(channels), boot="speed")
    for block in samples(channels, hz, 5, Random(1)):
        for sample in block:
            aggregator.observe(sample, sample.at_us // 1000)
    memory = (tracemalloc.get_traced_memory()[0] - before) / channels
    tracemalloc.stop()
    aggregator = Aggregator([], site(channels), boot="speed")
    spent = folding = 0.0
    said = 0
    for number, block in enumerate(samples(channels, hz, WARM_S + seconds, Random(2))):
        spent_now, folding_now, said_now = _fed(aggregator, block)
        if number < 10 * WARM_S:
            continue
        spent, folding, said = spent + spent_now, folding + folding_now, said + said_now
    return [
        f"{channels:,}", str(hz), f"{100 * spent / seconds:.2f} %", f"{100 * folding / seconds:.2f} %",
        f"{memory:,.0f}", str(said),
    ]  # fmt: skip


def _fed(aggregator: Aggregator, block: Sequence[WeightSample]) -> tuple[float, float, int]:
    """CPU seconds for all of them, and for the one that completed a block of columns, which folds it."""
    timed = [(sample.at_us // 1000, sample) for sample in block]
    lists = [timed[at : at + MOST_READS] for at in range(1, len(timed), MOST_READS)]
    began = time.process_time()
    events = aggregator.observe_all(timed[:1])
    folded = time.process_time()
    for some in lists:
        events += aggregator.observe_all(some)
    ended = time.process_time()
    said = sum(isinstance(event, ShelfChange) and event.outcome is Change.OK for event in events)
    return ended - began, folded - began, said


def main() -> None:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    print(table(HEAD, [measured(channels, hz, seconds) for channels, hz in SITES]))


if __name__ == "__main__":
    main()
