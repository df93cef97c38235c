"""HTML of the console: which parts there are, what each depends on, and how they are rendered."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud.web import words
from cloud.web.questions.revision import Revision
from cloud.web.questions.snapshot import Snapshot

FOLDER = Path(__file__).parent

# Each part of the page, in the order of a phone's screen, with the marks of a Revision that it shows.
PARTS: dict[str, tuple[str, ...]] = {
    "summary": ("alerts", "booked", "heard", "rules", "tasks", "incidents", "health"),
    "alerts": ("alerts", "booked"),
    "shelves": ("booked", "heard", "levels", "rules", "health"),
    "feed": ("heard",),
    "doors": ("heard", "booked"),
    "work": ("tasks", "incidents", "heard"),
    "health": ("health", "heard"),
}


def changed_parts(before: Revision | None, after: Revision) -> list[str]:
    """The parts that show something which changed; all of them where there was nothing before."""
    if before is None:
        return list(PARTS)
    return [
        part
        for part, marks in PARTS.items()
        if any(getattr(before, mark) != getattr(after, mark) for mark in marks)
    ]


class Renderer:
    """Templates, loaded once. Safe in several threads."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name in (
            "words",
            "verdict",
            "subject",
            "reason",
            "proof",
            "amount",
            "percent",
            "rate",
            "size",
            "slug",
            "span",
        ):
            self._templates.filters[name] = getattr(words, name)
        self._templates.globals["share"] = words.share
        for name in self._templates.list_templates():
            self._templates.get_template(name)  # compiled now, not while the first page waits

    def parts(self, snapshot: Snapshot, names: Iterable[str]) -> dict[str, str]:
        return {name: self._render(f"parts/{name}.html", snapshot) for name in names}

    def page(self, snapshot: Snapshot, site_names: list[str]) -> str:
        return self._render("console.html", snapshot, site_names=site_names)

    def view(self, template: str, zone: ZoneInfo, now: datetime, **more: Any) -> str:
        """A page of its own, with the times of a site."""

        def clock(at: Any) -> str:
            return words.clock(at, zone, now)

        return self._templates.get_template(template).render(clock=clock, **more)

    def message(self, title: str, text: str, *, retry: bool = False) -> str:
        """A page that only says something; with `retry` it asks again by itself."""
        return self._templates.get_template("message.html").render(title=title, text=text, retry=retry)

    def _render(self, template: str, snapshot: Snapshot, **more: Any) -> str:
        def clock(at: Any) -> str:
            return words.clock(at, snapshot.zone, snapshot.now)

        return self._templates.get_template(template).render(page=snapshot, clock=clock, **more)
