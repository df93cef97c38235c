"""Tags at a warehouse gate with one antenna on either side: crossing, passing near, standing, turning back.

    python -m benchmarks.gates_a        prints the scores over (run, tag): in, out or none

Data: github.com/ganjar87/RFID_reading_dataset; Alfian et al., Food Control 2020, 110, 107016. Antenna 0 of a file is
taken as outside. Each run is a recording of its own. The first and last antenna of a tag, and EdgeX's rule for moves
between locations, re-implemented here from its documentation and source, stand beside for comparison.
"""

import csv
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import log10
from pathlib import Path

from benchmarks.data import folder
from edge import recording
from edge.config import EdgeConfig
from edge.reads import TagRead
from edge.replay import events
from wire.events import TagMovement

GATE = "gate"
ANTENNAS = {1: "outside", 2: "inside"}
TRUTH = {"0": "in", "1": "out"}  # the file's labels; 2 passes near, 3 stands, 4 turns back: none
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CONFIG = EdgeConfig.model_validate({"edge": "gates-a", "gates": [{"name": GATE, "antennas": ANTENNAS}]})

Said = Mapping[str, str]  # EPC to in or out; undecided or none may be left out


def reads(source: Path) -> tuple[list[TagRead], str]:
    """A run's reads and truth. Columns: EPC, time, antenna, count, RSSI (linear), label; no EPC in status rows."""
    taken, label = [], ""
    with source.open(newline="", encoding="utf-8") as lines:
        for row in csv.reader(lines):
            label = row[5]
            if row[0]:
                at = datetime.strptime(row[1] + "+0000", "%Y/%m/%d %H:%M:%S.%f%z")
                taken.append(
                    TagRead(
                        at_us=(at - EPOCH) // timedelta(microseconds=1), gate=GATE, antenna=int(row[2]) + 1,
                        epc=row[0], rssi_dbm=10 * log10(float(row[4])) - 100,
                    )
                )  # fmt: skip
    return taken, TRUTH.get(label, "none")


def ours(taken: list[TagRead]) -> Iterator[tuple[str, str]]:
    """A gate that had been on for a while; an earlier read of some other tag says so."""
    earlier = TagRead(at_us=taken[0].at_us - 60_000_000, gate=GATE, antenna=1, epc="0000", rssi_dbm=-75.0)
    return ((epc, outcome) for epc, outcome in just_on([earlier, *taken]) if epc != earlier.epc)


def just_on(taken: list[TagRead]) -> Iterator[tuple[str, str]]:
    """A gate that was switched on with the tags in view: it cannot tell what came from what stands there."""
    lines = [recording.heading("gates-a"), *map(recording.line, taken)]
    for event in events(CONFIG, lines):
        if isinstance(event, TagMovement):
            yield event.epc, event.outcome.value


def first_last(taken: list[TagRead]) -> Iterator[tuple[str, str]]:
    ends: dict[str, tuple[int, int]] = {}
    for read in taken:
        ends[read.epc] = (ends[read.epc][0] if read.epc in ends else read.antenna, read.antenna)
    return ((epc, "in" if last == 2 else "out") for epc, (first, last) in ends.items() if first != last)


def edgex(taken: list[TagRead]) -> Iterator[tuple[str, str]]:
    """First and last location after EdgeX app-rfid-llrp-inventory: a tag moves to antenna L from P when the mean of the
    last 20 powers at L exceeds that at P by an offset that falls from 6 dB by 8 dB a second, half a second after
    the last read at P. With its default settings.
    """
    powers: dict[tuple[str, int], deque[float]] = defaultdict(lambda: deque(maxlen=20))
    last_us: dict[tuple[str, int], int] = {}
    first: dict[str, int] = {}
    place: dict[str, int] = {}
    for read in taken:
        here = powers[read.epc, read.antenna]
        here.append(read.rssi_dbm)
        last_us[read.epc, read.antenna] = read.at_us
        at = place.setdefault(read.epc, read.antenna)
        first.setdefault(read.epc, read.antenna)
        if at == read.antenna or len(here) < 2:
            continue
        there = powers[read.epc, at]
        waited_ms = (read.at_us - last_us[read.epc, at]) / 1000
        offset = min(6.0, 6.0 - 0.008 * (waited_ms - 500))
        if sum(here) / len(here) > sum(there) / len(there) + offset:
            place[read.epc] = read.antenna
    return ((epc, "in" if at == 2 else "out") for epc, at in place.items() if at != first[epc])


def score(runs: Iterable[tuple[Said, set[str], str]]) -> str:
    said: Counter[str] = Counter()
    for answers, tags, truth in runs:
        for epc in tags:
            answer = answers.get(epc, "none")
            crossing = truth != "none"
            said["all"] += 1
            said["crossings"] += crossing
            said["right"] += answer == truth or (not crossing and answer not in ("in", "out"))
            said["crossed"] += crossing and answer == truth
            said["reversed"] += crossing and answer in ("in", "out") and answer != truth
            said["undecided"] += answer == "undecided"
            said["false"] += not crossing and answer in ("in", "out")
    still = said["all"] - said["crossings"]
    return (
        f"{100 * said['right'] / said['all']:6.1f} {100 * said['crossed'] / said['crossings']:9.1f} "
        f"{100 * said['reversed'] / said['crossings']:8.1f} {100 * said['false'] / still:11.1f} "
        f"{100 * said['undecided'] / said['all']:9.1f}"
    )


def main() -> None:
    runs = [reads(path) for path in sorted(folder("gates-a").glob("*.csv"))]
    print(f"{len(runs)} runs, in %: overall, crossings right, reversed, false moves, undecided")
    methods = {"stockbeat": ours, "switched on": just_on, "first/last": first_last, "edgex rule": edgex}
    for name, method in methods.items():
        answers = [(dict(method(taken)), {read.epc for read in taken}, truth) for taken, truth in runs]
        print(f"{name:12} {score(answers)}")


if __name__ == "__main__":
    main()
