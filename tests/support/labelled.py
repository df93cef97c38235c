"""Labelled passes of a simulated door: a recording each, labels.csv and the door's configuration."""

from collections.abc import Callable, Iterable
from pathlib import Path

from edge import recording
from edge.reads import TagRead
from tests.support.doors import epc, going_in, going_out, merged, stand, turning, walk

SITE = 'edge = "store-042"\n\n[[gates]]\nname = "dock-1"\nantennas = { 1 = "outside", 2 = "inside" }\n'
SETTLE_S = 12.0  # goods at rest are known by then
Way = Callable[[float], list[tuple[float, float]]]
WAYS: dict[str, Way] = {"in": going_in, "out": going_out, "none": turning}


def door(folder: Path, more: str = "") -> Path:
    path = folder / "edge.toml"
    path.write_text(SITE + more, "utf-8")
    return path


def a_pass(
    folder: Path, name: str, way: str, *, seed: int, tags: int = 6, strays: int = 3, gate: str = "dock-1"
) -> None:
    """A load of tags 100, 101 …, beside goods at rest, tags 500 …"""
    offsets = [0.1 * number for number in range(tags)]
    load = [
        walk(epc(100 + number), WAYS[way](SETTLE_S + 4.0 + offset), seed=seed, gate=gate)
        for number, offset in enumerate(offsets)
    ]
    rest = [
        stand(epc(500 + number), 0.0, SETTLE_S + 10.0, antenna=1 + number % 2, hz=1.0, seed=seed, gate=gate)
        for number in range(strays)
    ]
    write(folder / name, merged(*load, *rest))


def write(path: Path, reads: Iterable[TagRead]) -> None:
    path.write_bytes(b"".join([recording.heading("store-042"), *map(recording.line, reads)]))


def labels(folder: Path, lines: Iterable[str], name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(["recording,epc,direction", *lines]) + "\n", "utf-8")
    return path


def passes(folder: Path, each: int, ways: Iterable[str] = ("in", "out", "none")) -> list[str]:
    """So many passes each way, and their lines of labels.csv."""
    lines = []
    for way in ways:
        for number in range(each):
            name = f"{way}-{number:02d}.jsonl"
            a_pass(folder, name, way, seed=number)
            lines.append(f"{name},,{way}")
            lines += [f"{name},{epc(500 + stray)},none" for stray in range(3)] if way != "none" else []
    return lines
