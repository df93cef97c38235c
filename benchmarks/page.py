"""docs/benchmarks.md: what a benchmark writes there, between markers of its own, and what it was measured on."""

import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "benchmarks.md"


def machine() -> str:
    model = next(_models(), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def _models() -> Iterator[str]:
    cpus = Path("/proc/cpuinfo")
    for line in cpus.read_text("utf-8").splitlines() if cpus.exists() else []:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            yield value.strip()


def revision() -> str:
    """What was measured: the commit, and whether files differed from it."""
    words = ["git", "describe", "--always", "--dirty= with changes not committed"]
    told = subprocess.run(words, cwd=DOCS, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "an unknown revision"


def measured(took_s: float, at: str | None = None) -> str:
    """`at`: the revision when measuring began; the present one where not given."""
    today = datetime.now(UTC).date()  # noqa: TID251 - a figure says when it was measured
    return f"Measured {today} at {at or revision()}, on {machine()}; it took {took_s:.0f} s."


def put(page: Path, begin: str, end: str, parts: Sequence[str]) -> None:
    """Put paragraphs between two markers of a page; what is around them stays."""
    text = "\n\n".join([begin, *parts, end])
    now = page.read_text("utf-8")
    before, after = now[: now.index(begin)], now[now.index(end) + len(end) :]
    page.write_text(before + text + after, "utf-8")
