"""Shares with their uncertainty, and tables of them."""

from collections.abc import Sequence
from math import sqrt

Z95 = 1.959964  # two-sided 95 % of a normal distribution


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, after Wilson (1927): honest near 0 and 1 and for few trials; (0, 1) for none.

    It takes trials as independent. Tags of one load are not, so real intervals are wider.
    """
    if of == 0:
        return 0.0, 1.0
    share = right / of
    middle = share + Z95**2 / (2 * of)
    half = Z95 * sqrt(share * (1 - share) / of + Z95**2 / (4 * of**2))
    scale = 1 + Z95**2 / of
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def percent(right: int, of: int) -> str:
    """A share in words: `97.1 % (95.2-98.3)`."""
    if of == 0:
        return "-"
    low, high = wilson(right, of)
    return f"{100 * right / of:.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table that is also fit to read in a terminal; the first column left, the others right."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        padded = [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        return "| " + " | ".join(padded) + " |"

    rule = (
        "|"
        + "|".join("-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths))
        + "|"
    )
    return "\n".join([line(cells[0]), rule, *map(line, cells[1:])])
