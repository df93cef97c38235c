"""A door for a recording that comes without its configuration: its gates and antennas, and where those look.

Which side an antenna looks to is nowhere in a recording. It is told on the command line, or assumed and said to be so.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.aggregator.gate import Side
from edge.config import EdgeConfig, GateConfig
from edge.errors import ConfigError, RecordingError
from edge.reads import Antenna, TagRead, Trigger, WeightSample
from edge.recording import Recording
from edge.shelf_config import BayConfig, ShelfConfig

EXAMPLE = "1=outside,2=outside,3=inside,4=inside"


@dataclass(slots=True)
class _There:
    """What a recording has reads of."""

    edge: str
    antennas: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))  # by gate
    cells: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))  # by shelf
    inputs: set[int] = field(default_factory=set)


def sides(text: str) -> dict[int, Side]:
    """What `--antennas` says: 1=outside,2=inside.

    Raises:
        ConfigError: it says nothing of the kind.
    """
    found: dict[int, Side] = {}
    for part in text.split(","):
        number, _, side = (word.strip() for word in part.partition("="))
        if not (number.isascii() and number.isdigit() and int(number) > 0 and side in tuple(Side)):
            raise ConfigError(
                f"--antennas: {part.strip()!r} should be an antenna's number and its side, outside or inside, "
                f"as in {EXAMPLE}"
            )
        found[int(number)] = Side(side)
    if missing := [side for side in Side if side not in found.values()]:
        raise ConfigError(
            f"--antennas: none looks {missing[0]}; direction needs one on each side, as in {EXAMPLE}"
        )
    return found


def door_of(recording: Path, told: Mapping[int, Side] | None) -> tuple[EdgeConfig, list[str]]:
    """A configuration with everything that a recording has reads of, and what had to be assumed for it, in words.

    Args:
        told: which side antennas look to, at all of its gates; without, the lower half of a gate's numbers is taken to
            look outside.

    Raises:
        RecordingError: the recording cannot be read.
        ConfigError: its antennas allow no assumption.
    """
    there = _there(recording)
    gates, assumed = [], []
    for name, numbers in there.antennas.items():
        antennas = dict(told) if told else _halves(name, sorted(numbers))
        if not told:
            assumed.append(_halves_said(name, antennas))
        gates.append(GateConfig(name=name, antennas=antennas))
    if there.inputs:
        assumed.append(
            "inputs are drawn and not judged: only a configuration (--config) says what is wired to them"
        )
    shelves = tuple(
        ShelfConfig(name=name, bays=tuple(BayConfig(name=f"cell-{cell}", cells=(cell,), capacity=1, items=())
                                          for cell in sorted(cells)))
        for name, cells in there.cells.items()
    )  # fmt: skip
    return EdgeConfig(edge=there.edge, gates=tuple(gates), shelves=shelves), assumed


def _there(recording: Path) -> _There:
    try:
        with recording.open("rb") as lines:
            found = Recording(lines)
            there = _There(found.edge)
            for read in found:
                match read:
                    case TagRead() | Antenna():
                        there.antennas[read.gate].add(read.antenna)
                    case WeightSample():
                        there.cells[read.shelf].add(read.cell)
                    case Trigger():
                        there.inputs.add(read.input)
    except OSError as error:
        raise RecordingError(f"{recording}: {error.strerror or error}") from error
    except RecordingError as error:
        raise RecordingError(f"{recording}: {error}") from error
    return there


def _halves(gate: str, numbers: list[int]) -> dict[int, Side]:
    if len(numbers) < 2:
        raise ConfigError(
            f"{gate} has reads of antenna {numbers[0]} only: which way a tag went needs an antenna on each side, or "
            f"photo-eyes; name the door's configuration with --config, or all its antennas, as --antennas {EXAMPLE}"
        )
    half = (len(numbers) + 1) // 2
    return {number: Side.OUTSIDE if place < half else Side.INSIDE for place, number in enumerate(numbers)}


def _halves_said(gate: str, antennas: Mapping[int, Side]) -> str:
    by_side = {side: ", ".join(str(n) for n, looks in antennas.items() if looks is side) for side in Side}
    said = " and ".join(f"{numbers} {side.value}" for side, numbers in by_side.items())
    told = ",".join(f"{number}={side.value}" for number, side in antennas.items())
    return (
        f"assumed, since a recording does not say it: antennas of {gate} look {said}; if not, in may be out: say it "
        f"with --antennas {told}, or name the door's configuration with --config"
    )
