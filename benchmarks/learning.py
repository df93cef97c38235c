"""Learning a door as anybody does: `stockbeat gates learn`, a process of its own."""

import subprocess
import sys
from pathlib import Path

from edge.errors import EdgeError


class NotLearned(EdgeError):
    """What was to be measured with a learned door is not."""


def learn(config: Path, gate: str, labels: Path, out: Path) -> None:
    """Write the gate file `out` from the labelled recordings of `labels`, whose paths start at its folder.

    Raises:
        NotLearned: with the last that the command said.
    """
    words = [
        sys.executable, "-m", "stockbeat", "gates", "learn", "--config", str(config), "--gate", gate,
        "--labels", str(labels), "--out", str(out),
    ]  # fmt: skip
    told = subprocess.run(words, cwd=labels.parent, capture_output=True, text=True, check=False)
    if told.returncode or not out.exists():
        said = (told.stderr or told.stdout).strip().splitlines()
        raise NotLearned(f"`stockbeat gates learn` did not: {said[-1] if said else 'it said nothing'}")
