"""How many reads a second one core turns into movements, with few and with many tags known, beside LLRP decoders.

    python -m benchmarks.gate_speed [KNOWN ...] [--rounds N] [--write]

A gate of four antennas whose reader makes 2,000 reads a second: `KNOWN` tags stand around, and a load of 100 goes
through every 20 s, in and out in turn. The standing tags are known (read once and more) before the clock starts.

*Reads a second* are counted from `TagRead` values to events, in CPU time, the median of rounds in which all take
turns; in lists of 20, what comes within the 10 ms for which the agent gathers reads, and of 500, the most that it takes
at once when it is behind. *Decided* is how long after a load's last read its movements are dated at the latest, *said*
when they are told, in the time of the reads; *computed* is what the longest call that said something took. *Bytes* that
a known tag takes are those that Python counts (tracemalloc), and by how much the process grows, its name included.
With --write, docs/benchmarks.md gets all that, and LLRP decoding in the same run.
"""

import gc
import os
import subprocess
import sys
import time
import tracemalloc
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

from benchmarks import llrp_decode
from benchmarks.page import PAGE, measured, put
from benchmarks.shares import table
from edge.aggregator.aggregator import Aggregator
from edge.aggregator.gate import Gate, Side
from edge.reads import TagRead, TimedRead
from wire.events import Event, TagMovement

KNOWN = (100, 1_000, 10_000, 100_000)
ROUNDS = 5
LISTS = (20, 500)
READS_HZ = 2_000
EVERY_S = 20.0
LASTS_S = 120.0
LOAD = 100
SPEED_M_S = 1.2
ANTENNAS = {1: Side.OUTSIDE, 2: Side.OUTSIDE, 3: Side.INSIDE, 4: Side.INSIDE}
PLACE_M = {1: -0.7, 2: -0.7, 3: 0.7, 4: 0.7}
BEGAN_US = 1_800_000_000_000_000
AROUND_M = 4.0  # a load is read so far from the sill
HEAD = (
    "known tags", *(f"reads/s, lists of {each}" for each in LISTS), "decided after", "said after", "computed in",
    "bytes a known tag", "process grows by",
)  # fmt: skip


def _epc(number: int) -> str:
    return f"3074257BF7194E40{number:08X}"


def _standing(known: int, at_s: float, rng: Random, number: int) -> TagRead:
    tag = number % known
    antenna = 1 + tag % 4
    return TagRead(
        at_us=BEGAN_US + round(1e6 * at_s), gate="dock-1", antenna=antenna, epc=_epc(tag),
        rssi_dbm=-68.0 - tag % 8 + rng.choice((0.0, 0.5)),
    )  # fmt: skip


def _passing(at_s: float, rng: Random) -> TagRead | None:
    """A read of the load that is at the door then, if one is."""
    turn, into_s = divmod(at_s, EVERY_S)
    away_m = SPEED_M_S * (into_s - EVERY_S / 2)
    if abs(away_m) > AROUND_M:
        return None
    y = away_m if int(turn) % 2 == 0 else -away_m
    tag, antenna = rng.randrange(LOAD), rng.randint(1, 4)
    power = -52.0 - 3.0 * (y - PLACE_M[antenna]) ** 2 + rng.gauss(0.0, 2.0)
    if power < -76.0:
        return None
    return TagRead(
        at_us=BEGAN_US + round(1e6 * at_s), gate="dock-1", antenna=antenna, epc=_epc(1_000_000 + tag),
        rssi_dbm=power,
    )  # fmt: skip


def reads(known: int) -> Iterator[TagRead]:
    rng, number = Random(7), 0
    for step in range(round(LASTS_S * READS_HZ)):
        at_s = step / READS_HZ
        if (passing := _passing(at_s, rng)) is not None and rng.random() < 0.5:
            yield passing
        else:
            number += 1
            yield _standing(known, at_s, rng, number)


@dataclass(slots=True)
class Measured:
    """By length of list, reads a CPU second; and of every time that something was said: how long it took."""

    rates: dict[int, list[float]] = field(default_factory=lambda: {each: [] for each in LISTS})
    decided_s: list[float] = field(default_factory=list)
    said_s: list[float] = field(default_factory=list)
    computed_s: list[float] = field(default_factory=list)


def watching(known: int) -> Aggregator:
    """A gate that has been on for ten minutes, and has read all that stands around."""
    aggregator = Aggregator([Gate(name="dock-1", antennas=ANTENNAS)], [], boot="bench")
    aggregator.device_up("dock-1", BEGAN_US // 1000 - 600_000, BEGAN_US - 600_000_000)
    rng, number = Random(1), max(2 * known, 20_000)
    standing = (_standing(known, -590.0 + n * 580.0 / number, rng, n) for n in range(number))
    for read in standing:
        aggregator.observe_all([(read.at_us // 1000, read)])
    return aggregator


def measure(known: int, stream: Sequence[TimedRead], each: int, result: Measured) -> None:
    """One round."""
    aggregator, said, seconds = watching(known), list[Event](), 0.0
    lists = [stream[at : at + each] for at in range(0, len(stream), each)]
    gc.collect()
    for some in lists:
        began = time.process_time()
        events = aggregator.observe_all(some)
        took = time.process_time() - began
        seconds += took
        if moved := [event for event in events if isinstance(event, TagMovement)]:
            said += moved
            result.computed_s.append(took)
            if each == min(LISTS):
                last_s = _last_read_s(stream, moved[0].decided_at.timestamp())
                result.decided_s.append(moved[0].decided_at.timestamp() - last_s)
                result.said_s.append(some[-1][0] / 1000 - last_s)
    if len(said) < 0.9 * LOAD * (LASTS_S / EVERY_S - 1):
        raise SystemExit(
            f"only {len(said)} movements: {LOAD} tags went through {LASTS_S / EVERY_S:.0f} times"
        )
    result.rates[each].append(len(stream) / seconds)


def _last_read_s(stream: Sequence[TimedRead], before_s: float) -> float:
    """When a load was last read before a moment."""
    upto = round((before_s - BEGAN_US / 1e6) * READS_HZ)
    loads = (
        read
        for _, read in reversed(stream[:upto])
        if isinstance(read, TagRead) and read.epc >= _epc(1_000_000)
    )
    return next(loads).at_us / 1e6


def memory(known: int, *, traced: bool) -> float:
    """Bytes that a known tag takes, beyond what a gate that knows a hundred does; in a process of its own."""
    words = [
        sys.executable,
        "-m",
        "benchmarks.gate_speed",
        "--memory",
        str(known),
        *(["--traced"] if traced else []),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    return float(done.stdout)


def _grown(known: int, *, traced: bool) -> float:
    watching(100)
    gc.collect()
    if traced:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0] if traced else _resident()
    aggregator = watching(known)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0] if traced else _resident()
    del aggregator
    return (after - before) / known


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def rows(known: Sequence[int], rounds: int) -> list[list[str]]:
    """What a table of HEAD shows."""
    streams = {each: [(read.at_us // 1000, read) for read in reads(each)] for each in known}
    found = {each: Measured() for each in known}
    for _ in range(rounds):
        for each in LISTS:
            for tags, stream in streams.items():
                measure(tags, stream, each, found[tags])
    return [
        [
            f"{tags:,}",
            *(f"{median(one.rates[each]):,.0f}" for each in LISTS),
            f"{max(one.decided_s):.2f} s",
            f"{max(one.said_s):.2f} s",
            f"{1000 * median(one.computed_s):.0f} ms",
            *(f"{memory(tags, traced=traced):,.0f}" if tags >= 10_000 else "" for traced in (True, False)),
        ]
        for tags, one in found.items()
    ]


def main() -> None:
    words = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    words.add_argument("known", metavar="KNOWN", type=int, nargs="*", default=list(KNOWN))
    words.add_argument("--rounds", type=int, default=ROUNDS)
    words.add_argument(
        "--write", action="store_true", help="measure LLRP decoding too, and write docs/benchmarks.md"
    )
    words.add_argument(
        "--memory", type=int, metavar="KNOWN", help="only print the bytes that a known tag takes"
    )
    words.add_argument("--traced", action="store_true", help="as Python counts them")
    given = words.parse_args()
    if given.memory:
        print(_grown(given.memory, traced=given.traced))
        return
    speed = table(HEAD, rows(given.known, given.rounds))
    print(f"{speed}\n", flush=True)
    if given.write:
        decoding = table(llrp_decode.HEAD, list(llrp_decode.rows(50_000, given.rounds)))
        print(decoding)
        put(PAGE, "edge", f"{measured()}.", speed, decoding)


if __name__ == "__main__":
    main()
