"""Rules as a person writes them, checked whole: every problem in one error, in the words of the file."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from cloud.rules.measures import MEASURES
from cloud.rules.rule import CLEARS, Rule, Severity, Suggest, Test

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]{1,10}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)")
LONGEST_HOLD = timedelta(days=30)  # longer is a report, not an alert


class RulesError(ValueError):
    """The rules are wrong. `problems` has a line each: where, what, and what would be right."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def duration(value: object) -> timedelta:
    """Read "30s", "1.5m", "500ms". Raises ValueError."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'write a time like "30s", "5m" or "2h", not {value!r}')
    span = timedelta(milliseconds=round(float(match[1]) * SECONDS[match[2]] * 1000))
    if span > LONGEST_HOLD:
        raise ValueError(f"{value!r} is longer than {LONGEST_HOLD.days} days")
    return span


def spell(span: timedelta) -> str:
    """The shortest whole number of a unit that says this duration; `duration` reads it back."""
    milliseconds = span // timedelta(milliseconds=1)
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(milliseconds, round(SECONDS[unit] * 1000))
        if count and not rest:
            return f"{count}{unit}"
    return f"{milliseconds}ms"


def _one_of(table: Mapping[str, object]) -> BeforeValidator:
    def check(value: object) -> object:
        if not isinstance(value, str) or value not in table:
            raise ValueError(f"{value!r} is none of {', '.join(map(repr, table))}")
        return value

    return BeforeValidator(check)


def _words(kind: type[Test] | type[Suggest] | type[Severity]) -> dict[str, object]:
    return {word.value: word for word in kind}


class _Written(BaseModel):
    """One [[rule]] as written."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,39}$")]
    measure: Annotated[str, _one_of(MEASURES)]
    test: Annotated[Test, _one_of(_words(Test))]
    limit: Annotated[float, Field(strict=True)]
    clear: Annotated[float, Field(strict=True)] | None = None
    hold: Annotated[timedelta, BeforeValidator(duration)] = timedelta(0)
    suggest: Annotated[Suggest, _one_of(_words(Suggest))] = Suggest.NOTHING
    severity: Annotated[Severity, _one_of(_words(Severity))] = Severity.WARNING
    tell: Annotated[list[str], Field(min_length=1)] = ["retail"]
    site: str | None = None
    place: str | None = None
    item: Annotated[str, Field(pattern="^[0-9]{14}$")] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "_Written":
        if self.clear is not None and not CLEARS[self.test](self.clear, self.limit):
            right = "at or above" if self.test is Test.BELOW else "at or below"
            raise ValueError(f"clear must be {right} limit ({self.limit:g}), not {self.clear:g}")
        if self.suggest is Suggest.REFILL and self.test is not Test.BELOW:
            raise ValueError('suggest = "refill" goes with test = "below"')
        return self

    def rule(self) -> Rule:
        return Rule(
            name=self.name,
            measure=self.measure,
            test=self.test,
            limit=self.limit,
            clear=self.limit if self.clear is None else self.clear,
            hold=self.hold,
            suggest=self.suggest,
            severity=self.severity,
            tell=tuple(self.tell),
            site=self.site,
            place=self.place,
            item=self.item,
        )


def parse(document: Mapping[str, Any]) -> list[Rule]:
    """The rules of a rules.toml that has been read to plain values.

    Raises:
        RulesError: with every problem, each as `rule[2].limit: what is wrong`, counted from 1.
    """
    problems = [f"{key}: is no setting here; rules are [[rule]]" for key in document if key != "rule"]
    written = document.get("rule", [])
    if not isinstance(written, list):
        raise RulesError([*problems, "rule: write [[rule]], with two brackets"])
    rules = []
    for number, table in enumerate(written, start=1):
        try:
            rules.append(_Written.model_validate(table).rule())
        except ValidationError as error:
            problems += [_problem(f"rule[{number}]", line) for line in error.errors(include_url=False)]
    for name, count in Counter(rule.name for rule in rules).items():
        if count > 1:
            problems.append(f"rule: {count} rules are named {name!r}; names must differ")
    if problems:
        raise RulesError(problems)
    return rules


def definition(rule: Rule) -> dict[str, Any]:
    """The rule as plain values for JSON: `restore` reads it back, and equal rules give equal definitions."""
    values: dict[str, Any] = {
        "name": rule.name,
        "measure": rule.measure,
        "test": rule.test.value,
        "limit": rule.limit,
        "clear": rule.clear,
        "hold": spell(rule.hold),
        "suggest": rule.suggest.value,
        "severity": rule.severity.value,
        "tell": list(rule.tell),
    }
    narrowed = {"site": rule.site, "place": rule.place, "item": rule.item}
    return values | {key: value for key, value in narrowed.items() if value is not None}


@lru_cache(
    maxsize=1024
)  # a booking reads the active rules each time: parsing them again would cost most of it
def restore(stored: str) -> Rule:
    """A rule from its definition's JSON text."""
    return _Written.model_validate_json(stored).rule()


def _problem(where: str, problem: Any) -> str:
    for part in problem["loc"]:
        where += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    match problem["type"]:
        case "missing":
            what = "is needed"
        case "extra_forbidden":
            what = "is no setting here"
        case "value_error":
            what = str(problem["ctx"]["error"])
        case _:
            what = f"{problem['msg'][0].lower()}{problem['msg'][1:]}, not {problem['input']!r}"
    return f"{where}: {what}"
