"""What a gate, or a peer of it, said of one tag; and the aggregator asked in the way that `replay` asks it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from edge import recording
from edge.config import EdgeConfig, load
from edge.reads import Read
from edge.replay import events
from wire.events import TagMovement

BOOK_AT = 0.9  # a door's default: less sure, and a person is asked


class Said(NamedTuple):
    at_us: int
    epc: str
    outcome: str  # in, out, turned_back, undecided
    confidence: float

    @property
    def moves(self) -> bool:
        return self.outcome in ("in", "out")

    @property
    def books(self) -> bool:
        return self.moves and self.confidence >= BOOK_AT


def site(
    folder: Path, edge: str, gate: str, antennas: Mapping[int, str], calibration: Path | None = None
) -> Path:
    """Write a configuration of one gate; returns its path."""
    sides = ", ".join(f'{number} = "{side}"' for number, side in antennas.items())
    text = f'edge = "{edge}"\n\n[[gates]]\nname = "{gate}"\nantennas = {{ {sides} }}\n'
    if calibration:
        text += f'calibration = "{calibration.resolve()}"\n'
    path = folder / f"{edge}.toml" if calibration is None else folder / f"{edge}-{calibration.stem}.toml"
    path.write_text(text, "utf-8")
    return path


def lines(edge: str, reads: Iterable[Read]) -> list[bytes]:
    return [recording.heading(edge), *map(recording.line, reads)]


def ours(config: EdgeConfig | Path, recorded: Iterable[bytes]) -> list[Said]:
    """What the aggregator says of a recording."""
    loaded = load(config) if isinstance(config, Path) else config
    return [
        Said(round(event.at.timestamp() * 1e6), event.epc, event.outcome.value, event.confidence)
        for event in events(loaded, recorded)
        if isinstance(event, TagMovement)
    ]
