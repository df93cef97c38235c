"""What people are told. Pure: values in, sentences out. Numbers stand without nouns, so one is as right as many."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud.rules.rule import Rule, Suggest, Test

MAX_SUBJECT = (
    200  # the column; RFC 5322 section 2.1.1 wants lines of at most 998, and the library folds longer ones
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    """One item at one bay, as the ledger has it now, in units."""

    site: str
    place: str
    item: str
    gtin: str
    mixed: bool  # the bay is meant to hold other items too
    units: float
    capacity: float
    backroom: str
    backroom_units: float


def suggestion(rule: Rule, bay: Bay) -> dict[str, Any]:
    """What to fetch from the backroom and what to order so that the bay is full; empty when nothing is asked."""
    if rule.suggest is not Suggest.REFILL:
        return {}
    wanted = max(bay.capacity - max(bay.units, 0), 0)
    refill = min(wanted, max(bay.backroom_units, 0))
    return {"refill": _plain(refill), "reorder": _plain(wanted - refill)}


def alert_text(rule: Rule, bay: Bay) -> str:
    """As in "A1: 3 of 24 left. Refill 21: the backroom has 40." """
    name = f"{bay.place}, {bay.item}" if bay.mixed else bay.place
    left = f"{name}: {bay.units:g} of {bay.capacity:g} left."
    if rule.test is Test.ABOVE:
        left = f"{name}: {bay.units:g}, above {rule.limit:g}."
    asked = suggestion(rule, bay)
    if not asked or not (asked["refill"] or asked["reorder"]):
        return left
    if not asked["refill"]:
        return f"{left} Reorder {asked['reorder']}: the {bay.backroom} has none."
    has = f"the {bay.backroom} has {bay.backroom_units:g}"
    if not asked["reorder"]:
        return f"{left} Refill {asked['refill']}: {has}."
    return f"{left} Refill {asked['refill']} and reorder {asked['reorder']}: {has}."


def fired_mail(rule: Rule, bay: Bay, text: str, pending_at: datetime) -> tuple[str, str]:
    """Subject and body. Times are UTC: a mail is read in any time zone."""
    body = [
        text,
        "",
        f"Item: {bay.item} ({bay.gtin})",
        f"Place: {bay.place}, {bay.site}",
        f"Rule: {rule.name} ({rule.test.value} {rule.limit:g}), since {_spell(pending_at)}",
        f"It clears at {rule.clear:g}.",
        "",
    ]
    return _subject(f"[{bay.site}] {text}"), "\n".join(body)


def cleared_mail(site: str, rule: str, text: str, cleared_at: datetime) -> tuple[str, str]:
    """Subject and body for those who were told `text` before. The subject holds it, so that mail programs thread."""
    body = ["This alert has cleared:", "", text, "", f"Rule: {rule}, cleared {_spell(cleared_at)}", ""]
    return _subject(f"Cleared: [{site}] {text}"), "\n".join(body)


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) else round(number, 6)


def _spell(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _subject(text: str) -> str:
    """One line: a name from master data must not be able to add a header."""
    line = re.sub(r"[\s\x00-\x1f\x7f]+", " ", text).strip()
    return line if len(line) <= MAX_SUBJECT else f"{line[: MAX_SUBJECT - 1]}…"
