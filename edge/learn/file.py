"""Writes what a gate has learned, for people to read and for the agent to load (edge/calibration.py)."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from edge.aggregator.model import Factor, Model
from edge.errors import LabelsError
from edge.learn.labels import Way
from edge.learn.learn import Learned

FACTORS = {
    Factor.SPREAD: "its power varies",
    Factor.BURST: "it is read more often than at rest",
    Factor.SIDES: "the sides that read it change as the load crosses",
    Factor.PROFILE: "it is read when and where the load is",
    Factor.SHIFT: "its power falls on the one side and rises on the other",
    Factor.RISE: "its power rises as the load crosses",
    Factor.HISTORY: "it has moved, or stood, in passages before",
}


def write(learned: Learned, path: Path, at: datetime) -> None:
    """Replace the file at once: whoever reads it meanwhile sees the old one or the new one.

    Raises:
        LabelsError: it cannot be written.
    """
    text = "\n".join(_lines(learned, at)) + "\n"
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise LabelsError(f"{path}: {error.strerror or error}") from error


def remark(learned: Learned) -> str:
    if not learned.kept:
        return ""
    return "learning did no better than what holds for doors in general, so these are the values of that"


def _lines(learned: Learned, at: datetime) -> Iterator[str]:
    before, after = learned.whole_before, learned.whole_before if learned.kept else learned.whole_after
    counts = before.counts
    yield f"# What the gate {learned.gate.name} has learned of itself. `calibration` in its [[gates]] names this file."
    yield "# Written by `stockbeat gates learn`; learn anew once antennas, power or parked goods are others."
    yield "version = 1"
    yield f'gate = "{learned.gate.name}"'
    yield ""
    yield "[learned]                        # for people: nothing is decided by it"
    yield f"at = {at:%Y-%m-%dT%H:%M:%SZ}"
    yield f"recordings = {len(learned.runs)}"
    for way in Way:
        yield f"tags_{way} = {counts[way.value]}"
    yield f"right_percent = {_percent(after.right, after.tags)}            # cross-validated"
    yield f"right_percent_before = {_percent(before.right, before.tags)}     # of the same, not having learned"
    yield f'remark = "{remark(learned)}"'
    yield from _values(learned.model, learned)


def _values(model: Model, learned: Learned) -> Iterator[str]:
    for number, side in sorted(learned.gate.antennas.items()):
        antenna = model.antenna(number)
        yield ""
        yield f"[antennas.{number}]                     # log-odds that a tag it reads is on its own side:"
        yield f'side = "{side.value}"'
        yield f"base = {antenna.base:g}                       # at the tag's usual power,"
        yield f"per_db = {antenna.per_db:g}                     # and more for each dB above"
    yield ""
    yield "[weights]                        # of what tells a tag that moves from one that stands"
    for factor, words in FACTORS.items():
        yield f"{factor.value} = {model.weights[factor]:g}".ljust(33) + f"# {words}"
    yield ""
    yield "[odds]"
    yield (
        f"moving = {model.moving:g}".ljust(33) + "# log-odds that a tag moved, before anything is known of it"
    )
    yield f"rest_db = {model.rest_db:g}".ljust(33) + "# spread of a tag's power at rest, in dB"
    yield f"own = {model.own:g}".ljust(33) + "# how far a tag's own sides count beside its load's"
    yield f"load = {model.load:g}".ljust(33) + "# log-odds, the most that a load adds"
    yield ""
    yield "[confidence]                     # what is said: scale x log-odds + shift, no more than `most`"
    yield f"scale = {model.scale:g}"
    yield f"shift = {model.shift:g}"
    yield f"most = {model.certain:g}"


def _percent(right: int, of: int) -> str:
    return f"{100 * right / of:.1f}" if of else "0"
