"""Writes down what really happened, as it happens: one JSON object a line, in a file nobody else writes."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from simulators.people import ShelfAction

Shelves = dict[str, dict[str, int]]  # bay -> GTIN -> units


class Truth:
    """The ground truth of one run. `began_at` is the wall clock at the world's second 0."""

    def __init__(
        self, path: Path, *, began_at: datetime, seed: int, opening: Mapping[str, Mapping[str, int]]
    ) -> None:
        self._began_at = began_at
        self._file = path.open("a", encoding="utf-8")
        self._shelves: Shelves = defaultdict(dict, {bay: dict(units) for bay, units in opening.items()})
        self._inside: dict[str, None] = {}  # in the order of coming in
        self._write("start", 0.0, seed=seed, shelves=self._shelves)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def crossed(self, at_s: float, gate: str, epc: str, direction: str, load: str) -> None:
        if direction == "in":
            self._inside[epc] = None
        else:
            del self._inside[epc]
        self._write("crossed", at_s, gate=gate, epc=epc, direction=direction, load=load)

    def turned_back(self, at_s: float, gate: str, epc: str, load: str) -> None:
        self._write("turned_back", at_s, gate=gate, epc=epc, load=load)

    def stray(self, at_s: float, gate: str, epc: str) -> None:
        self._write("stray", at_s, gate=gate, epc=epc)

    def shelf(self, action: ShelfAction) -> None:
        self._shelves[action.bay][action.gtin] += action.units
        self._write(
            "shelf",
            action.at_s,
            action=action.act.value,
            bay=action.bay,
            gtin=action.gtin,
            units=action.units,
        )

    def end(self, at_s: float) -> None:
        self._write("end", at_s, shelves=self._shelves, inside=list(self._inside))

    def _write(self, kind: str, at_s: float, **what: Any) -> None:
        at = self._began_at + timedelta(seconds=at_s)
        line = {"type": kind, "at": at.isoformat(timespec="microseconds").replace("+00:00", "Z"), **what}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
