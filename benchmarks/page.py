"""docs/benchmarks.md: what a benchmark measured goes between its markers, with the machine and the date."""

import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "benchmarks.md"


def markers(name: str) -> tuple[str, str]:
    return f"<!-- {name}: begin, written by make bench-{name} -->", f"<!-- {name}: end -->"


def put(page: Path, name: str, *parts: str) -> None:
    """Put paragraphs between the markers of a benchmark, `make bench-NAME`; what is around them stays."""
    begin, end = markers(name)
    now = page.read_text("utf-8")
    before, after = now[: now.index(begin)], now[now.index(end) + len(end) :]
    page.write_text(before + "\n\n".join([begin, *parts, end]) + after, "utf-8")


def measured(at: str | None = None) -> str:
    """When, of what and on what, to begin a sentence with. `at`: the revision when measuring began; else now's."""
    today = datetime.now(UTC).date()  # noqa: TID251 - a figure says when it was measured
    return f"Measured {today} at {at or revision()}, on {machine()}"


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
