"""Tags at a warehouse gate with one antenna on either side: crossing, passing near, standing, turning back.

    python -m benchmarks.gates_a        prints the scores over (run, tag): in, out or none, uncalibrated

Data: github.com/ganjar87/RFID_reading_dataset; cite Alfian et al., Food Control 2020, 110, 107016. Antenna 0 of a file
is taken as outside. Each run is a recording of its own, played as it is: a gate switched on with the tags in view.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import log10
from pathlib import Path

from benchmarks import peers
from benchmarks.data import folder
from benchmarks.said import Said, lines, ours
from benchmarks.shares import percent, table
from edge.config import EdgeConfig
from edge.reads import TagRead

SITE = "gates-a"
GATE = "gate"
ANTENNAS = {1: "outside", 2: "inside"}
TRUTH = {"0": "in", "1": "out"}  # the file's labels; 2 passes near, 3 stands, 4 turns back: none
KINDS = {"0": "in", "1": "out", "2": "passes near", "3": "stands", "4": "turns back"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CONFIG = EdgeConfig.model_validate({"edge": SITE, "gates": [{"name": GATE, "antennas": ANTENNAS}]})


@dataclass(frozen=True, slots=True)
class Run:
    name: str
    reads: Sequence[TagRead]
    kind: str
    truth: str  # in, out or none, of every tag

    @property
    def tags(self) -> set[str]:
        return {read.epc for read in self.reads}


def run(source: Path) -> Run:
    """Columns: EPC, time, antenna, count, RSSI (linear), label; rows of the reader's status have no EPC."""
    taken, label = [], ""
    with source.open(newline="", encoding="utf-8") as rows:
        for row in csv.reader(rows):
            label = row[5]
            if row[0]:
                at = datetime.strptime(row[1] + "+0000", "%Y/%m/%d %H:%M:%S.%f%z")
                taken.append(
                    TagRead(
                        at_us=(at - EPOCH) // timedelta(microseconds=1), gate=GATE, antenna=int(row[2]) + 1,
                        epc=row[0], rssi_dbm=10 * log10(float(row[4])) - 100,
                    )
                )  # fmt: skip
    return Run(source.stem, taken, KINDS[label], TRUTH.get(label, "none"))


def runs() -> list[Run]:
    return [run(path) for path in sorted(folder("gates-a").glob("*.csv"))]


def recorded(one: Run, *, been_on: bool = False) -> list[bytes]:
    """A run as a recording; of a door that had `been_on`, as an earlier read of some other tag says."""
    earlier = TagRead(at_us=one.reads[0].at_us - 60_000_000, gate=GATE, antenna=1, epc="0000", rssi_dbm=-75.0)
    return lines(SITE, [earlier, *one.reads] if been_on else one.reads)


@dataclass(slots=True)
class Score:
    """Of (run, tag): what was said, against in, out or none. A movement back and forth is no right answer to either."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong_runs: set[str] = field(default_factory=set)
    sure: list[tuple[float, bool]] = field(
        default_factory=list
    )  # confidence of each movement, and if it was right

    HEAD = (
        "method",
        "right of all",
        "crossings right",
        "reversed",
        "false moves",
        "undecided",
        "runs all right",
    )
    HEAD_BOOKED = ("method", "crossings booked right", "booked wrongly", "asked")

    def add(self, one: Run, answers: Iterable[Said]) -> None:
        by_tag: Mapping[str, list[Said]] = defaultdict(list)
        for said in answers:
            by_tag[said.epc].append(said)
        self.counts["runs"] += 1
        for epc in one.tags:
            self._tag(one, by_tag.get(epc, []))

    def _tag(self, one: Run, answers: Sequence[Said]) -> None:
        counts, crossing = self.counts, one.truth != "none"
        moves = [said for said in answers if said.moves]
        booked = [said.outcome for said in moves if said.books]
        right = [said.outcome for said in moves] == ([one.truth] if crossing else [])
        counts["all"] += 1
        counts["crossings"] += crossing
        counts["right"] += right
        counts["crossed"] += right and crossing
        counts["reversed"] += crossing and any(said.outcome != one.truth for said in moves)
        counts["false"] += not crossing and bool(moves)
        counts["undecided"] += any(said.outcome == "undecided" for said in answers)
        counts["booked"] += crossing and booked == [one.truth]
        counts["booked wrongly"] += any(outcome != one.truth for outcome in booked)
        unsure = any(said.outcome == "undecided" or (said.moves and not said.books) for said in answers)
        counts["asked"] += unsure and not booked
        self.sure += [(said.confidence, said.outcome == one.truth) for said in moves]
        if not right:
            self.wrong_runs.add(one.name)

    def row(self, name: str) -> list[str]:
        counts, still = self.counts, self.counts["all"] - self.counts["crossings"]
        return [
            name, percent(counts["right"], counts["all"]), percent(counts["crossed"], counts["crossings"]),
            str(counts["reversed"]), percent(counts["false"], still), str(counts["undecided"]),
            f"{counts['runs'] - len(self.wrong_runs)} of {counts['runs']}",
        ]  # fmt: skip

    def row_booked(self, name: str) -> list[str]:
        counts = self.counts
        return [
            name, percent(counts["booked"], counts["crossings"]), percent(counts["booked wrongly"], counts["all"]),
            percent(counts["asked"], counts["all"]),
        ]  # fmt: skip


def uncalibrated(all_runs: Sequence[Run], *, been_on: bool = False) -> Score:
    score = Score()
    for one in all_runs:
        score.add(one, ours(CONFIG, recorded(one, been_on=been_on)))
    return score


def of_peers(all_runs: Sequence[Run]) -> Iterator[tuple[str, Score]]:
    for name, peer in peers.ONCE.items():
        score = Score()
        for one in all_runs:
            score.add(one, peer(one.reads, ANTENNAS))
        yield name, score


def main() -> None:
    taken = runs()
    rows = [
        uncalibrated(taken).row("stockbeat"),
        uncalibrated(taken, been_on=True).row("stockbeat, on for a minute"),
    ]
    print(table(Score.HEAD, [*rows, *(score.row(name) for name, score in of_peers(taken))]))


if __name__ == "__main__":
    main()
