"""A passage as a PNG. Needs matplotlib, which the extra `gates` brings."""

from pathlib import Path
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edge.aggregator.gate import Side
from edge.explain import words
from edge.explain.story import Story, microseconds
from wire.events import Direction

COLOURS = {Side.OUTSIDE: "#b45309", Side.INSIDE: "#1d4ed8"}
MARKS = "osD^v<>p"
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
        axes.plot(others, [lane] * len(others), "|", color="0.8", markersize=9)
        axes.plot(mine, [lane] * len(mine), "|", color=COLOURS[side], markersize=15, markeredgewidth=1.8)
        names.append(f"{antenna} {side.value}")
    for number in sorted({each.input for each in story.triggers}):
        changes = [each for each in story.triggers if each.input == number]
        ends = [*(each.at_us for each in changes[1:]), story.to_us]
        spans = [
            (_seconds(story, each.at_us), (end - each.at_us) / 1e6)
            for each, end in zip(changes, ends, strict=True) if each.on
        ]  # fmt: skip
        axes.broken_barh(spans, (len(names) - 0.3, 0.6), facecolors="0.45")
        names.append(f"input {number}")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_title("reads (grey: other tags)", fontsize=9, loc="left")
    _passage(story, axes)


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
        axes.axvspan(_seconds(story, begin), _seconds(story, end), color="#fef3c7", zorder=0)
    if story.movement is not None:
        if story.movement.outcome in (Direction.IN, Direction.OUT):
            axes.axvline(_seconds(story, microseconds(story.movement.at)), color="#15803d", linewidth=1.2)
        decided = _seconds(story, microseconds(story.movement.decided_at))
        axes.axvline(decided, color="0.3", linewidth=1, linestyle=":")
