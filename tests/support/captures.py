"""Captured bytes in tests/captures/<driver>/<case>: bytes.hex, expected.json and about.toml."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
FOLDER = Path(__file__).parents[1] / "captures"


@dataclass(frozen=True, slots=True)
class Capture:
    name: str
    wire: bytes
    expected: list[dict[str, Any]]


def cases(driver: str) -> list[Capture]:
    return [_load(folder) for folder in sorted((FOLDER / driver).iterdir())]


def _load(folder: Path) -> Capture:
    lines = (folder / "bytes.hex").read_text("utf-8").splitlines()
    wire = bytes.fromhex("".join(line for line in lines if not line.startswith("#")))
    return Capture(folder.name, wire, json.loads((folder / "expected.json").read_text("utf-8")))


def three_ways(wire: bytes, tail: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """The same bytes whole, one at a time, and with the beginning of something else behind them."""
    yield "whole", [wire]
    yield "byte by byte", [bytes([byte]) for byte in wire]
    yield "with a tail", [wire + tail]


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    """The stream in pieces, cut at these places."""
    marks = [0, *sorted(mark for mark in cuts if mark < len(stream)), len(stream)]
    return [stream[a:b] for a, b in pairwise(marks)]


def drain(
    receive: Callable[[bytes], None], results: Callable[[], Iterator[T]], pieces: list[bytes]
) -> list[T]:
    """Feed the pieces and take what comes out after each."""
    got: list[T] = []
    for piece in pieces:
        receive(piece)
        got.extend(results())
    return got
