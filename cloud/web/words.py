"""Codes and figures as a person reads them. Pure; templates use these as filters."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

# Codes of the ledger that plain words serve better; any other is shown with its underscores as spaces.
_WORDS = {
    "in": "In",
    "out": "Out",
    "turned_back": "Turned back",
    "undecided": "Undecided",
    "identify": "Tags to identify",
    "missed_exit": "Missed exit",
    "missed_entry": "Missed entry",
    "returned": "Came back, held",
    "other_door": "Told by two doors",
    "recount": "Recount",
    "uncertain": "Uncertain bay",
    "restock": "Restock",
    "negative_stock": "Negative stock",
    "left_unexpectedly": "Left unexpectedly",
    "blind": "Blind",
    "duplicate_encoding": "Duplicate encoding",
    "epcis_refused": "EPCIS event refused",
    "online": "Online",
    "offline": "Offline",
    "unknown": "Never heard from",
    "service": "In service",
    "needs_check": "Scale needs a check",
    "zero": "Zero",
    "assign": "Assign items",
    "confirm": "Confirm contents",
    "service_begin": "Begin service",
    "service_end": "End service",
    "read_levels": "Weigh again",
    "reload": "Reload the configuration",
    "calibrate": "Calibrate",
    "blind_bay": "Bay cannot weigh",
    "bay_blind": "Cannot weigh",
    "bay_needs_check": "Scale needs a check",
    "bay_service": "In service",
    "misplaced": "Put back where it belongs",
    "planogram": "Shelf refuses its plan",
    "fill_out": "Out of stock",
    "fill_low": "Low shelf",
    "fill_ok": "Well stocked",
    "fill_full": "Full",
    "plan_yes": "Has it",
    "plan_asked": "Being told",
    "plan_waiting": "Not connected",
    "plan_expired": "Not connected",
    "plan_refused": "Refused",
    "up": "Up",
    "down": "Down",
}
# What became of tags that went through a door, where it was not simply booked.
_VERDICTS = {
    "left": "left unexpectedly",
    "returned": "came back: held",
    "missed_exit": "its exit was missed",
    "missed_entry": "its entry was missed",
    "undecided": "not booked",
    "unclaimed": "no item claims it",
    "other_door": "booked at another door",
    "held": "held",
}
# How a figure was proven: by a weight at rest, or by what the newest movement was. Anything else was only booked.
_PROOFS = {
    "weighed": "weighed",
    "pick": "weighed",
    "put_back": "weighed",
    "restock": "weighed",
    "unplaced": "weighed",
    "opening": "opening figure of",
    "count": "counted",
    "correction": "corrected",
}
_STEPS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def words(code: str) -> str:
    return _WORDS.get(code, code.replace("_", " "))


def verdict(code: str) -> str:
    return _VERDICTS.get(code, code.replace("_", " "))


def subject(matter_subject: str, details: Any) -> str:
    """What a task or incident is about: the door and how many tags, or the device and what it says of itself."""
    if not isinstance(details, dict):
        return matter_subject
    if "device" in details and "why" in details:
        return f"{details['device']}, {details['why']}"
    tags = details.get("tags")
    if not tags or "gate" not in details:
        return matter_subject
    return f"{len(tags)} {'tag' if len(tags) == 1 else 'tags'} at {details['gate']}"


def reason(details: Any) -> str:
    """Why a task or incident of a bay is open, and what is asked; empty where its subject says so already."""
    if not isinstance(details, dict) or "device" in details or "gate" in details:
        return ""
    why = str(details.get("why") or "")
    if question := details.get("question"):
        return f"{question}? {why}"
    if each := details.get("differences"):
        told = (f"{amount(one['level'])} × {one['name']} (ledger {amount(one['booked'])})" for one in each)
        return f"{why}: {'; '.join(told)}"
    if "level" in details and "booked" in details:
        return f"{why}: {amount(details['level'])}, and the ledger {amount(details['booked'])}"
    if "from" in details and "units" in details and "name" in details:
        return f"{amount(details['units'])} × {details['name']}, from {details['from']}"
    return why


def proof(how: str) -> str:
    return _PROOFS.get(how, "booked")


def clock(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """The time of day at the site; with the date where it is not today."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return local.strftime("%H:%M:%S")
    if local.year == today.year:
        return f"{local.day} {local:%b %H:%M}"
    return f"{local.day} {local:%b %Y}"


def amount(value: float) -> str:
    """A quantity: whole where it is, with a true minus sign."""
    text = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return text.replace("-", "−").replace(",", "\u202f")


def rate(per_s: float) -> str:
    return f"{per_s:.0f}/s" if per_s >= 10 else f"{per_s:.1f}/s"


def percent(share: float) -> str:
    """Never rounded up to certainty."""
    return f"{min(int(share * 100 + 0.5), 99) if share < 1 else 100}\u202f%"


def size(value: float) -> str:
    for step, unit in _STEPS:
        if value >= step:
            return f"{value / step:.1f} {unit}"
    return f"{value:.0f} B"


def span(seconds: float) -> str:
    """A duration, to the precision a person cares for."""
    for unit_s, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"


def share(value: float, whole: float) -> float:
    """Of a bar of 100: 0 where nothing is, 100 where it is full or over."""
    return round(min(max(value / whole, 0.0), 1.0) * 100, 2) if whole > 0 else 0.0


def slug(text: str) -> str:
    """Fit for an HTML id and for every selector."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text)


def first_line(error: Exception) -> str:
    """Of a database's error: the rest is the statement and its parameters."""
    return str(error).partition("\n")[0]
