"""Small hard scenes at simulated doors (simulators/doors/scenes.py), scored tag by tag.

    python -m benchmarks.scenes [SCENE ...] [--seeds N]

Of each tag, the movements that were said are held against those that happened, in order: the longest common run of both
is right, what was said beyond it is wrong, what is left of the truth was missed, unless at least it was said that
somebody should look, or that the tag turned back. A tag that two doors saw counts once; a crossing that no antenna read
at all does not count.
"""

import tomllib
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from pydantic import ValidationError

from benchmarks.shares import percent, table
from edge.build import aggregator_of
from edge.config import EdgeConfig
from edge.reads import TagRead
from edge.recording import Recording, heading
from edge.replay import AFTER_THE_END_MS, events
from simulators.doors.scenes import SCENES, Scene, as_it_came
from wire.events import Event, TagMovement

SEEDS = 3
LIVED = ("buffered_link", "clock_step")  # by the steady clock, as an agent lives them: a recording has none
BOOK_AT = 0.9
SEEN_S = 15.0  # from the sill: read so long before or after is read on that crossing
HOUR_S = 3600.0  # clock_step sets the clock back by as much
HEAD = (
    "scene",
    "crossings",
    "right",
    "booked right",
    "wrong",
    "booked wrongly",
    "missed",
    "asked",
    "said to turn back",
)


def said(name: str, seed: int, scene: Scene) -> list[Event]:
    """What the aggregator says of a scene."""
    config = EdgeConfig.model_validate(tomllib.loads(scene.config))
    return _lived(config, name, seed) if name in LIVED else list(events(config, scene.lines))


def _lived(config: EdgeConfig, name: str, seed: int) -> list[Event]:
    aggregator = aggregator_of(config, boot="bench")
    found: list[Event] = []
    at_us = now_ms = 0
    for came in as_it_came(name, seed):
        if came.what == "up":
            found += aggregator.device_up(came.gate, came.came_ms, at_us)
        elif came.what == "down":
            found += aggregator.device_down(came.gate, came.came_ms, at_us, "the link is down")
        else:
            (read,) = Recording([heading("doors"), came.line])
            at_us = read.at_us if isinstance(read, TagRead) else at_us
            found += aggregator.advance(came.came_ms, at_us)
            found += aggregator.observe(read, came.read_ms)
        now_ms = came.came_ms
    return found + list(aggregator.advance(now_ms + AFTER_THE_END_MS, at_us + 1000 * AFTER_THE_END_MS))


def score(scene: Scene, told: Iterable[Event]) -> Counter[str]:
    truth: dict[str, list[str]] = defaultdict(list)
    read = _read(scene)
    for happened in scene.truth:
        at_s = datetime.fromisoformat(happened["at"]).timestamp()
        seen = any(
            abs((other - at_s + HOUR_S / 2) % HOUR_S - HOUR_S / 2) < SEEN_S for other in read[happened["epc"]]
        )
        crossed = happened["type"] == "crossed" and seen
        truth[happened["epc"]] += [happened["direction"]] if crossed else []
    moves: dict[str, list[str]] = defaultdict(list)
    booked: dict[str, list[str]] = defaultdict(list)
    asked: set[str] = set()
    turned: set[str] = set()
    for event in told:
        if not isinstance(event, TagMovement):
            continue
        if event.outcome.value in ("in", "out"):
            moves[event.epc].append(event.outcome.value)
            if event.confidence >= BOOK_AT:
                booked[event.epc].append(event.outcome.value)
            else:
                asked.add(event.epc)
        elif event.outcome.value == "undecided":
            asked.add(event.epc)
        else:
            turned.add(event.epc)
    counts = Counter[str]()
    for epc, happened_ in truth.items():
        right = common(tuple(happened_), tuple(moves[epc]))
        sure = common(tuple(happened_), tuple(booked[epc]))
        left = len(happened_) - right
        counts["crossings"] += len(happened_)
        counts["right"] += right
        counts["booked"] += sure
        counts["wrong"] += len(moves[epc]) - right
        counts["booked wrongly"] += len(booked[epc]) - sure
        counts["asked" if epc in asked else "turned" if epc in turned else "missed"] += left
    return counts


def _read(scene: Scene) -> dict[str, list[float]]:
    """When each tag was read, by the reads' own clock, which may be an hour off."""
    found: dict[str, list[float]] = defaultdict(list)
    for read in Recording(scene.lines):
        if isinstance(read, TagRead):
            found[read.epc].append(read.at_us / 1e6)
    return found


@lru_cache(maxsize=4096)
def common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Length of the longest common subsequence."""
    if not one or not other:
        return 0
    if one[0] == other[0]:
        return 1 + common(one[1:], other[1:])
    return max(common(one[1:], other), common(one, other[1:]))


def row(name: str, counts: Counter[str]) -> list[str]:
    crossings = counts["crossings"]
    rest = ("wrong", "booked wrongly", "missed", "asked", "turned")
    return [name, str(crossings), percent(counts["right"], crossings), percent(counts["booked"], crossings),
            *(str(counts[key]) for key in rest)]  # fmt: skip


def measured(names: Sequence[str], seeds: int) -> str:
    """A table over scenes; a scene that the configuration cannot have says so."""
    rows, whole = [], Counter[str]()
    for name in names:
        counts = Counter[str]()
        try:
            for seed in range(1, seeds + 1):
                scene = SCENES[name](seed)
                counts += score(scene, said(name, seed, scene))
        except ValidationError as error:
            rows.append([f"{name}: not measured, {error.errors()[0]['msg'][:60]}", *[""] * (len(HEAD) - 1)])
            continue
        whole += counts
        rows.append(row(name, counts))
    return table(HEAD, [*rows, row("all", whole)])


def main() -> None:
    words = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    words.add_argument("names", metavar="SCENE", nargs="*", default=list(SCENES))
    words.add_argument("--seeds", type=int, default=SEEDS)
    given = words.parse_args()
    print(measured(given.names, given.seeds))


if __name__ == "__main__":
    main()
