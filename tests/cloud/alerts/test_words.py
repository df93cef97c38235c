from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.alerts.words import MAX_SUBJECT, Bay, alert_text, cleared_mail, fired_mail, suggestion
from cloud.rules.rule import Rule, Suggest, Test
from tests.support.shop import NINE

LOW = Rule(
    name="bay-low",
    measure="bay_units",
    test=Test.BELOW,
    limit=4,
    clear=8,
    hold=timedelta(seconds=30),
    suggest=Suggest.REFILL,
)
BAY = Bay(
    site="store-042",
    place="A1",
    item="Cola",
    gtin="09506000134352",
    mixed=False,
    units=3,
    capacity=24,
    backroom="backroom",
    backroom_units=40,
)


@pytest.mark.parametrize(
    "changed, text, asked",
    [
        ({}, "A1: 3 of 24 left. Refill 21: the backroom has 40.", (21, 0)),
        ({"backroom_units": 21}, "A1: 3 of 24 left. Refill 21: the backroom has 21.", (21, 0)),
        ({"backroom_units": 20}, "A1: 3 of 24 left. Refill 20 and reorder 1: the backroom has 20.", (20, 1)),
        ({"backroom_units": 0}, "A1: 3 of 24 left. Reorder 21: the backroom has none.", (0, 21)),
        ({"backroom_units": -2}, "A1: 3 of 24 left. Reorder 21: the backroom has none.", (0, 21)),
        ({"units": -1}, "A1: -1 of 24 left. Refill 24: the backroom has 40.", (24, 0)),
        ({"units": 3, "capacity": 3}, "A1: 3 of 3 left.", (0, 0)),
        ({"units": 1.5}, "A1: 1.5 of 24 left. Refill 22.5: the backroom has 40.", (22.5, 0)),
        ({"mixed": True}, "A1, Cola: 3 of 24 left. Refill 21: the backroom has 40.", (21, 0)),
    ],
)
def test_says_what_is_left_and_what_to_do(
    changed: dict[str, float], text: str, asked: tuple[float, float]
) -> None:
    bay = replace(BAY, **changed)  # type: ignore[arg-type]  # mypy cannot see which field each number is for
    assert alert_text(LOW, bay) == text
    assert suggestion(LOW, bay) == {"refill": asked[0], "reorder": asked[1]}


def test_a_rule_that_suggests_nothing_only_tells() -> None:
    rule = replace(LOW, suggest=Suggest.NOTHING)
    assert alert_text(rule, BAY) == "A1: 3 of 24 left."
    assert suggestion(rule, BAY) == {}


def test_too_much_is_told_with_its_limit() -> None:
    rule = replace(LOW, test=Test.ABOVE, limit=24, clear=24, suggest=Suggest.NOTHING)
    assert alert_text(rule, replace(BAY, units=25)) == "A1: 25, above 24."


def test_a_name_cannot_add_a_header_or_overflow_the_column() -> None:
    subject, _ = fired_mail(LOW, BAY, "A1\r\nBcc: all@example.com " + "x" * 300, NINE)
    assert "\n" not in subject
    assert "\r" not in subject
    assert len(subject) == MAX_SUBJECT
    assert cleared_mail("s", "r", "A1: 3\n left", NINE)[0] == "Cleared: [s] A1: 3 left"
