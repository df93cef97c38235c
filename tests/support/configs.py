"""Configurations of an edge as people write them, and what is said of them."""

from pathlib import Path

import pytest

from edge.config import EdgeConfig, load
from edge.errors import ConfigError

GATE = '[[gates]]\nname = "dock-1"\nantennas = { 1 = "outside", 2 = "inside" }\n'
SHELF = '[[shelves]]\nname = "aisle-1"\n'


def read(folder: Path, text: str) -> EdgeConfig:
    (folder / "edge.toml").write_text(text, "utf-8")
    return load(folder / "edge.toml")


def problems(folder: Path, text: str) -> list[str]:
    """What load says of this text, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    first, *lines = str(caught.value).splitlines()
    assert first == f"{folder / 'edge.toml'}:"
    return [line.removeprefix("  ") for line in lines]
