"""A threshold rule and the one function that judges it. Pure: time and value are arguments."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Test(StrEnum):
    BELOW = "below"
    ABOVE = "above"

    __test__ = False  # pytest: a test of values, not of ours


class Suggest(StrEnum):
    """What a person is asked to do about it."""

    NOTHING = "nothing"
    REFILL = "refill"  # from the backroom up to capacity, and a reorder of the rest


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class State(StrEnum):
    OK = "ok"
    PENDING = "pending"  # true, but not yet for as long as `hold`
    FIRING = "firing"


FIRES: dict[Test, Callable[[float, float], bool]] = {Test.BELOW: operator.lt, Test.ABOVE: operator.gt}
CLEARS: dict[Test, Callable[[float, float], bool]] = {Test.BELOW: operator.ge, Test.ABOVE: operator.le}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of data. `limit` and `clear` are in the unit of the measure."""

    name: str
    measure: str  # a key of cloud.rules.measures.MEASURES
    test: Test
    limit: float
    clear: float  # once firing, it stays so until at or beyond this
    hold: timedelta  # how long it must stay true before anyone is told
    suggest: Suggest = Suggest.NOTHING
    severity: Severity = Severity.WARNING
    tell: tuple[str, ...] = ("retail",)  # roles of the site
    site: str | None = None  # None: every one
    place: str | None = None
    item: str | None = None  # a GTIN of 14 digits

    def watches(self, *, site: str, place: str, item: str) -> bool:
        return (
            (self.site is None or self.site == site)
            and (self.place is None or self.place == place)
            and (self.item is None or self.item == item)
        )


@dataclass(frozen=True, slots=True)
class Status:
    """Where a rule stands at one place. `since` is in the time of events: when what it says began to be so.

    For a firing rule that is when its value crossed the limit; it fired `hold` later.
    """

    state: State
    since: datetime


def firing_by(rule: Rule, status: Status, at: datetime) -> bool:
    """Whether the rule had fired by `at`: whoever noticed, and whenever."""
    return status.state is not State.OK and at - status.since >= rule.hold


def ripen(rule: Rule, status: Status, at: datetime) -> Status:
    """The status at `at` when nothing has happened since: a pending one may have fired by now."""
    if status.state is State.PENDING and firing_by(rule, status, at):
        return Status(State.FIRING, status.since)
    return status


def judge(rule: Rule, status: Status, value: float, at: datetime) -> Status:
    """Take the value that holds from `at` on; return the rule's status from then on.

    A late value is judged as a prompt one would have been: had the rule not fired by `at`, then a value on the right
    side of `limit` ends it, whatever was believed in between. A status's time never runs backwards: a value older
    than `since` counts as if it came at `since`.
    """
    at = max(at, status.since)
    fired = firing_by(rule, status, at)
    if CLEARS[rule.test](value, rule.clear if fired else rule.limit):
        return status if status.state is State.OK else Status(State.OK, at)
    if status.state is State.OK:
        status = Status(State.PENDING, at)
    return ripen(rule, status, at)
