"""Loads of 100 tags through a door of four antennas, with about 72 strays around it.

    python -m benchmarks.gates_b                       prints the scores
    python -m benchmarks.gates_b convert RUN DIR       writes a run as a recording with a site to match

Data: github.com/corentinbouton/RFID-tags-detection (MIT), runs of 6 January 2023. Antennas 1 and 2 look to one side
(here: outside), 3 and 4 to the other. The load goes through about 20 times a run, back and forth.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

from benchmarks import peers
from benchmarks.data import folder
from benchmarks.passes import Pass, Score, crossings, score
from benchmarks.said import lines, ours
from benchmarks.shares import table
from edge.config import EdgeConfig
from edge.errors import RecordingError
from edge.reads import TagRead

GATE = "dock-1"
SITE = "gates-b"
ANTENNAS = {1: "outside", 2: "outside", 3: "inside", 4: "inside"}
RUNS = ("run-x1", "run-x2", "run-x3", "run-x5")
LABELS = "labels/actual=moving__q=100__tagsize=15.csv"

EDGE_TOML = f"""edge = "{SITE}"

[uplink]
url = "mqtt://127.0.0.1:1883"

[clock]
trust = true

[[gates]]
name = "{GATE}"
role = "dock"
joins = {{ outside = "yard", inside = "backroom" }}
antennas = {{ 1 = "outside", 2 = "outside", 3 = "inside", 4 = "inside" }}
"""
CLOUD_TOML = """[ledger]
url = "sqlite:///ledger.db"

[broker]
url = "mqtt://127.0.0.1:1883"
"""
MASTER = {
    "items.csv": "gtin,name,uom,unit_grams,abc,epc_prefix\n09506000134352,Tagged case,case,,A,AD\n",
    "opening.csv": "place,gtin,quantity\n",
    "contents.csv": "sscc,gtin,quantity\n",
    "sites.toml": f"""[[site]]
name = "{SITE}"
time_zone = "Europe/Paris"
edges = ["{SITE}"]
places = ["yard", "backroom"]
gates = [ {{ edge = "{SITE}", gate = "{GATE}", outside = "yard", inside = "backroom", book_at = 0.9 }} ]
""",
    "rules.toml": "# no rules: a door alone\n",
}


def reads(source: Path) -> Iterator[TagRead]:
    """The reads of one file: `Timestamp;EPC;TID;Antenna;RSSI;Frequency;…` with decimal commas, after // lines."""
    with source.open(newline="", encoding="utf-8") as lines:
        for row in csv.reader((line for line in lines if not line.startswith("//")), delimiter=";"):
            at = datetime.fromisoformat(row[0][:26] + row[0][27:])  # seven digits of seconds; six are kept
            yield TagRead(
                at_us=(at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
                gate=GATE,
                antenna=int(row[3]),
                epc=row[1],
                rssi_dbm=float(row[4].replace(",", ".")),
                channel_mhz=float(row[5].replace(",", ".")),
            )


def moving() -> frozenset[str]:
    return frozenset((folder("gates-b") / LABELS).read_text("utf-8").split())


def convert(source: Path, target: Path) -> None:
    """Write `recording.jsonl`, `edge.toml`, `cloud.toml` and `master/` into a folder: a cloud of its own."""
    (target / "master").mkdir(parents=True, exist_ok=True)
    (target / "edge.toml").write_text(EDGE_TOML, "utf-8")
    (target / "cloud.toml").write_text(CLOUD_TOML, "utf-8")
    for name, text in MASTER.items():
        (target / "master" / name).write_text(text, "utf-8")
    with (target / "recording.jsonl").open("wb") as out:
        out.writelines(lines(SITE, reads(source)))


CONFIG = EdgeConfig.model_validate({"edge": SITE, "gates": [{"name": GATE, "antennas": ANTENNAS}]})


@dataclass(frozen=True, slots=True)
class Run:
    name: str
    reads: Sequence[TagRead]
    moving: frozenset[str]
    passes: Sequence[Pass]


def run(name: str) -> Run:
    taken, tags = list(reads(folder("gates-b") / f"{name}.csv")), moving()
    inside = {antenna for antenna, side in ANTENNAS.items() if side == "inside"}
    return Run(name, taken, tags, crossings([read for read in taken if read.epc in tags], inside))


def uncalibrated(one: Run) -> Score:
    return score(one.passes, one.moving, ours(CONFIG, lines(SITE, one.reads)))


def of_peers(one: Run) -> Iterator[tuple[str, Score]]:
    """EdgeX's rule runs on by itself; the others are helped by being told when the passes were."""
    yield "EdgeX's rule", score(one.passes, one.moving, peers.edgex_moves(one.reads, ANTENNAS))
    for name, peer in peers.ONCE.items():
        if peer is not peers.edgex_ends:
            cut = (peer(within(one.reads, p), ANTENNAS) for p in one.passes)
            yield name, score(one.passes, one.moving, chain.from_iterable(cut))


def within(taken: Sequence[TagRead], one: Pass) -> list[TagRead]:
    return [read for read in taken if one.from_us <= read.at_us < one.to_us]


def main(arguments: list[str]) -> None:
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return
    converting = arguments[:1] == ["convert"]
    if converting and len(arguments) != 3:
        raise SystemExit("convert takes a run and a folder: python -m benchmarks.gates_b convert RUN DIR")
    if unknown := [run for run in (arguments[1:2] if converting else arguments) if run not in RUNS]:
        raise SystemExit(f"{unknown[0]!r} is none of the runs: {', '.join(RUNS)}")
    try:
        recordings = folder("gates-b")
    except RecordingError as error:
        raise SystemExit(str(error)) from None
    if converting:
        convert(recordings / f"{arguments[1]}.csv", Path(arguments[2]))
        return
    for name in arguments or RUNS:
        one = run(name)
        rows = [uncalibrated(one).row("stockbeat"), *(peer.row(rule) for rule, peer in of_peers(one))]
        print(f"{name}: {len(one.passes)} passes\n{table(Score.HEAD, rows)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
