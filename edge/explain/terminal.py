"""A passage as text: antennas over time, power over time, inputs, and the words. Fits 100 columns."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from edge.aggregator.gate import Side
from edge.explain import words
from edge.explain.story import Story, microseconds
from edge.reads import TagRead

COLUMNS = 100
WIDTH, LABEL = 82, 15
LEVELS = ".:-=+*#%@"  # weakest to strongest
WEAKEST, STRONGEST = -78.0, -46.0  # dBm, of the scale
ROWS = 9  # of the power's drawing


def draw(story: Story) -> list[str]:
    """Lines of at most 100 columns."""
    return [
        words.title(story), "", _axis(story), *_antennas(story), *_inputs(story), _passage(story), "",
        *_power(story), "", *(part for line in words.account(story) for part in _wrapped(line)),
    ]  # fmt: skip


def _wrapped(line: str) -> list[str]:
    return wrap(line, COLUMNS, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


def _column(story: Story, at_us: int) -> int:
    share = (at_us - story.from_us) / max(1, story.to_us - story.from_us)
    return min(WIDTH - 1, max(0, int(share * WIDTH)))


def _row(label: str, cells: Sequence[str]) -> str:
    return f"{label[:LABEL]:{LABEL}} {''.join(cells)}".rstrip()


def _axis(story: Story) -> str:
    cells = [" "] * WIDTH
    seconds = (story.to_us - story.from_us) / 1e6
    step = next((s for s in (1, 2, 5, 10, 30, 60, 120, 300) if seconds / s <= 9), 600)
    for number in range(int(seconds // step) + 1):
        begin = _column(story, story.from_us + number * step * 1_000_000)
        for place, letter in enumerate(f"|{number * step}"):
            if begin + place < WIDTH:
                cells[begin + place] = letter
    return _row(f"{words.clock(story.from_us)} +s", cells)


def _antennas(story: Story) -> Iterator[str]:
    for antenna in story.antennas:
        mine = [read for read in story.reads if read.antenna == antenna]
        yield _row(f"{antenna:>3} {story.gate.antennas[antenna].value}", _levels(story, mine))
    for side in Side:
        here = [read for read in story.company if story.side(read.antenna) is side]
        if here:
            yield _row(f"others {side.value}", _density(story, here))


def _levels(story: Story, reads: Sequence[TagRead]) -> list[str]:
    """The strongest read of each column."""
    best: dict[int, float] = {}
    for read in reads:
        column = _column(story, read.at_us)
        best[column] = max(best.get(column, read.rssi_dbm), read.rssi_dbm)
    return [_letter((best[c] - WEAKEST) / (STRONGEST - WEAKEST)) if c in best else " " for c in range(WIDTH)]


def _density(story: Story, reads: Sequence[TagRead]) -> list[str]:
    """How many reads each column has, to the most of any."""
    counts = [0] * WIDTH
    for read in reads:
        counts[_column(story, read.at_us)] += 1
    return [_letter(count / max(counts)) if count else " " for count in counts]


def _letter(share: float) -> str:
    return LEVELS[min(len(LEVELS) - 1, max(0, int(share * len(LEVELS))))]


def _inputs(story: Story) -> Iterator[str]:
    for number in sorted({each.input for each in story.triggers}):
        cells = ["_"] * WIDTH
        changes = [each for each in story.triggers if each.input == number]
        for place, each in enumerate(changes):
            if each.on:
                ends = changes[place + 1].at_us if place + 1 < len(changes) else story.to_us
                first = _column(story, each.at_us)
                cells[first : _column(story, ends) + 1] = "#" * (_column(story, ends) + 1 - first)
        yield _row(f"input {number}", cells)


def _passage(story: Story) -> str:
    cells = [" "] * WIDTH
    if story.passage is not None:
        begin = _column(story, microseconds(story.passage.began_at))
        end = _column(story, microseconds(story.passage.ended_at))
        cells[begin : end + 1] = ["["] + ["-"] * max(0, end - begin - 1) + ["]"] * (end > begin)
    if story.movement is not None:
        cells[_column(story, microseconds(story.movement.at))] = "X"
        cells[_column(story, microseconds(story.movement.decided_at))] = "D"
    return _row("passage", cells)


def _power(story: Story) -> Iterator[str]:
    """Power over time: o read from outside, i from inside, % both."""
    powers = [read.rssi_dbm for read in story.reads]
    if not powers:
        return
    top, bottom = max(powers), min(powers)
    step = max(1.0, (top - bottom) / (ROWS - 1))
    grid = [[" "] * WIDTH for _ in range(ROWS)]
    for read in story.reads:
        letter = "i" if story.side(read.antenna) is Side.INSIDE else "o"
        row, column = min(ROWS - 1, round((top - read.rssi_dbm) / step)), _column(story, read.at_us)
        grid[row][column] = letter if grid[row][column] in (" ", letter) else "%"
    for number, cells in enumerate(grid):
        yield _row(f"{top - number * step:8.1f} dBm", cells)
    yield _row("", ["o outside, i inside, % both; X crossed or last read, D decided"])
