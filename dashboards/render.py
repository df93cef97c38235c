"""Dashboards to the JSON that Grafana provisions."""

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.dock_doors import dock_doors
from dashboards.shelf_levels import shelf_levels

FOLDER = Path(__file__).parent / "grafana"


def render(board: Dashboard) -> str:
    """The dashboard's JSON, the same each time.

    The SDK leaves out the panels' ids, which old versions of Grafana need, and gives each variable one that means
    nothing.
    """
    model: dict[str, Any] = json.loads(json.dumps(board.build(), cls=JSONEncoder))
    for number, panel in enumerate(model["panels"], start=1):
        panel["id"] = number
    for variable in model["templating"]["list"]:
        variable.pop("id", None)
    return json.dumps(model, indent=2, ensure_ascii=False) + "\n"


def all_dashboards() -> dict[str, str]:
    """File name to content of every dashboard."""
    return {
        "dock-doors.json": render(dock_doors()),
        "shelf-levels.json": render(shelf_levels()),
    }


def write(folder: Path = FOLDER) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in all_dashboards().items():
        path = folder / name
        path.write_text(content, "utf-8")
        written.append(path)
    return written
