"""A passage as a PNG. Needs matplotlib, which the extra `gates` brings."""

from pathlib import Path
from textwrap import wrap

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from edge.aggregator.gate import Side
from edge.explain import words
from edge.explain.story import Story, microseconds
from wire.events import Direction

COLOURS = {Side.OUTSIDE: "#b45309", Side.INSIDE: "#1d4ed8"}
MARKS = "osD^v<>p"
OTHERS, ON, OPEN, SILL, DECIDED = "0.8", "0.45", "#fef3c7", "#15803d", "0.3"
CROSSED = (Direction.IN, Direction.OUT)
COLUMNS = 150  # of the reasons, at their size
LINE_INCHES = 0.155  # of height for each of them


def draw(story: Story, path: Path) -> None:
    """Write the picture: reads by antenna, power over time, inputs and passage, and the reasons below."""
    reasons = [
        part for line in words.account(story) for part in wrap("• " + line, COLUMNS, subsequent_indent="  ")
    ]
    below = LINE_INCHES * len(reasons)
    figure = Figure(figsize=(10.0, 5.4 + below), layout="constrained")
    lanes, power, why = figure.subplots(3, 1, height_ratios=(2.0, 3.0, below))
    power.sharex(lanes)
    figure.suptitle(words.title(story), fontsize=11)
    _lanes(story, lanes)
    _power(story, power)
    why.axis("off")
    why.text(
        0.0, 1.0, "\n".join(reasons), va="top", fontsize=8.5, family="sans-serif", transform=why.transAxes
    )
    figure.savefig(path, dpi=120, metadata={"Software": None})


def _seconds(story: Story, at_us: int) -> float:
    return (at_us - story.from_us) / 1e6


def _lanes(story: Story, axes: Axes) -> None:
    """Who read when: the tag's own reads by antenna, those of the others small behind them, inputs below."""
    names = []
    for lane, antenna in enumerate(story.antennas):
        side = story.gate.antennas[antenna]
        others = [_seconds(story, read.at_us) for read in story.company if read.antenna == antenna]
        mine = [_seconds(story, read.at_us) for read in story.reads if read.antenna == antenna]
        axes.plot(others, [lane] * len(others), "|", color=OTHERS, markersize=9)
        axes.plot(mine, [lane] * len(mine), "|", color=COLOURS[side], markersize=15, markeredgewidth=1.8)
        names.append(f"{antenna} {side.value}")
    for number in sorted({each.input for each in story.triggers}):
        changes = [each for each in story.triggers if each.input == number]
        ends = [*(each.at_us for each in changes[1:]), story.to_us]
        spans = [
            (_seconds(story, each.at_us), (end - each.at_us) / 1e6)
            for each, end in zip(changes, ends, strict=True) if each.on
        ]  # fmt: skip
        axes.broken_barh(spans, (len(names) - 0.3, 0.6), facecolors=ON)
        names.append(f"input {number}")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_title("reads", fontsize=9, loc="left")
    _passage(story, axes)
    axes.legend(
        handles=marks(story), loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=5, fontsize=8, frameon=False,
        borderaxespad=0.2,
    )  # fmt: skip


def marks(story: Story) -> list[Artist]:
    """What the marks of the upper drawing mean, those that it has."""
    found: list[Artist] = []
    if story.company:
        found.append(Line2D([], [], color=OTHERS, marker="|", markersize=9, linestyle="", label="other tags"))
    if story.triggers:
        found.append(Patch(color=ON, label="input on"))
    if story.passage is not None:
        found.append(Patch(color=OPEN, label="passage open"))
    if story.movement is not None:
        if story.movement.outcome in CROSSED:
            found.append(Line2D([], [], color=SILL, linewidth=1.2, label="crossed the sill"))
        found.append(Line2D([], [], color=DECIDED, linewidth=1, linestyle=":", label="decided"))
    return found


def _power(story: Story, axes: Axes) -> None:
    for place, antenna in enumerate(story.antennas):
        mine = [read for read in story.reads if read.antenna == antenna]
        if mine:
            side = story.gate.antennas[antenna]
            axes.plot(
                [_seconds(story, read.at_us) for read in mine], [read.rssi_dbm for read in mine],
                MARKS[place % len(MARKS)], color=COLOURS[side], markersize=4, alpha=0.85,
                label=f"{antenna} {side.value}",
            )  # fmt: skip
    axes.set(xlabel=f"seconds from {words.clock(story.from_us)} UTC", ylabel="dBm")
    axes.grid(color="0.93")
    _passage(story, axes)
    if story.reads:
        axes.legend(fontsize=8, loc="best")


def _passage(story: Story, axes: Axes) -> None:
    if story.passage is not None:
        begin, end = microseconds(story.passage.began_at), microseconds(story.passage.ended_at)
        axes.axvspan(_seconds(story, begin), _seconds(story, end), color=OPEN, zorder=0)
    if story.movement is not None:
        if story.movement.outcome in CROSSED:
            axes.axvline(_seconds(story, microseconds(story.movement.at)), color=SILL, linewidth=1.2)
        decided = _seconds(story, microseconds(story.movement.decided_at))
        axes.axvline(decided, color=DECIDED, linewidth=1, linestyle=":")
