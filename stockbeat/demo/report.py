"""What a run of the demo reports: the truth, the ledger, every difference, and how long things took."""

import csv
import tomllib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stockbeat.demo.feed import Feed
from stockbeat.demo.judge import Booked, compare_balances, pair, percentiles
from stockbeat.demo.site import EXAMPLE, Site
from stockbeat.demo.truth import Move, balances, happened, opening, places

UNDECIDED_TASKS = ("undecided", "uncertain", "identify")  # what the site could not tell by itself
# Asked from the beginning of a bay with several items, which nobody has counted: no movement is open in that.
NEVER_COUNTED = "its weight does not tell how many stand there"
PAGE = 1000


def movements(site: Site) -> list[dict[str, Any]]:
    """Every movement of the site's ledger, oldest first. Raises ProcessError when the cloud does not answer."""
    return _all(site, "movements", "position")


def ledger_balances(site: Site) -> dict[tuple[str, str], int]:
    """Units by (place, gtin), as the API tells them; empty places left out. Raises ProcessError."""
    rows = site.ask("/api/v1/balances?site=store-042")["balances"]
    return {(row["location"], row["gtin"]): int(row["quantity"]) for row in rows if int(row["quantity"])}


def _all(site: Site, what: str, cursor: str, query: str = "") -> list[dict[str, Any]]:
    """Every row of a list of the API, page by page behind its cursor."""
    rows: list[dict[str, Any]] = []
    while True:
        after = rows[-1][cursor] if rows else 0
        page = site.ask(f"/api/v1/{what}?site=store-042&after={after}&limit={PAGE}{query}")[what]
        if not page:
            return rows
        rows += page


def true_balances(site: Site) -> dict[tuple[str, str], int]:
    """Units by (place, gtin) as they should be after what really happened."""
    where, stock = _master()
    return balances((h.move for h in happened(site.truth(), where)), stock)


def make(site: Site, feed: Feed | None, *, watched: bool = True) -> dict[str, Any]:
    """The report, ready for JSON; `differences` is empty when the ledger tells the truth."""
    where, _ = _master()
    truth = happened(site.truth(), where)
    rows = movements(site)
    booked = [(row["position"], _booked(row)) for row in rows if row["kind"] != "opening"]
    pairs, differences = pair(truth, [booking for _, booking in booked], watched=watched)
    should, says = true_balances(site), ledger_balances(site)
    differences += compare_balances(should, says)
    # Those that time has settled count too: at some moment the site could not tell.
    tasks = [
        task
        for task in _all(site, "tasks", "id", "&state=all")
        if task["kind"] in UNDECIDED_TASKS and task["details"].get("why") != NEVER_COUNTED
    ]
    differences += [f"left for a person to decide: {task['kind']} {task['subject']}" for task in tasks]
    decided = [(position, b) for position, b in booked if b.decided_at is not None]
    return {
        "seed": site.seed,
        "truth": {"happened": len(truth), "balances": _spelled(should), "lines": list(site.truth())},
        "ledger": {"movements": rows, "balances": _spelled(says)},
        "alerts": _all(site, "alerts", "id", "&state=all"),
        "differences": differences,
        "latency_s": {
            "moved_to_booked": percentiles([_s(p.truth.at, p.booked.recorded_at) for p in pairs]),
            "decided_to_booked": percentiles(
                [_s(b.decided_at, b.recorded_at) for _, b in decided if b.decided_at]
            ),
            "decided_to_console": percentiles(
                [
                    _s(b.decided_at, at)
                    for n, b in decided
                    if b.decided_at and feed and (at := feed.seen_at(n))
                ]
            ),
        },
    }


def _master() -> tuple[Any, list[Move]]:
    master = EXAMPLE / "master"
    with (master / "items.csv").open(encoding="utf-8", newline="") as file:
        gtins = [row["gtin"] for row in csv.DictReader(file)]
    with (master / "opening.csv").open(encoding="utf-8", newline="") as file:
        stock = opening(csv.DictReader(file))
    return places(tomllib.loads((master / "sites.toml").read_text("utf-8")), gtins), stock


def _booked(row: Mapping[str, Any]) -> Booked:
    evidence = row["evidence"]
    decided = evidence.get("decided_at")
    return Booked(
        subject=evidence.get("epc") or evidence.get("bay") or "",
        move=Move(row["gtin"], row["src"], row["dst"], int(row["quantity"])),
        event_at=datetime.fromisoformat(row["event_at"]),
        recorded_at=datetime.fromisoformat(row["recorded_at"]),
        decided_at=datetime.fromisoformat(decided) if decided else None,
    )


def _spelled(quantities: Mapping[tuple[str, str], int]) -> dict[str, int]:
    return {f"{place} {gtin}": quantity for (place, gtin), quantity in sorted(quantities.items())}


def _s(earlier: datetime | None, later: datetime) -> float:
    assert earlier is not None
    return (later - earlier).total_seconds()
