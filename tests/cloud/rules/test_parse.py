import json
import tomllib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.rules.measures import MEASURES
from cloud.rules.parse import RulesError, definition, duration, parse, restore, spell
from cloud.rules.rule import Rule, Severity, Suggest, Test

EXAMPLE = """
[[rule]]
name = "bay-low"
measure = "bay_units"          # one row of the table of measures, which gives the unit
test = "below"
limit = 4
clear = 8                      # stays open until at or above this
hold = "30s"
suggest = "refill"             # from the backroom up to capacity; a reorder of the rest
"""

BROKEN = """
[other]
[[rule]]
name = "Bay low"
measure = "bay_unit"
test = "under"
limit = "4"
hold = "30"
colour = "red"
[[rule]]
name = "twice"
measure = "bay_units"
test = "below"
limit = 4
clear = 3
[[rule]]
name = "over"
measure = "bay_units"
test = "above"
limit = 4
suggest = "refill"
item = "123"
[[rule]]
measure = "bay_units"
test = "below"
limit = true
"""


def test_reads_the_example_of_the_manual() -> None:
    assert parse(tomllib.loads(EXAMPLE)) == [
        Rule(
            name="bay-low",
            measure="bay_units",
            test=Test.BELOW,
            limit=4,
            clear=8,
            hold=timedelta(seconds=30),
            suggest=Suggest.REFILL,
            severity=Severity.WARNING,
            tell=("retail",),
        )
    ]


def test_says_every_problem_at_once_and_what_would_be_right() -> None:
    with pytest.raises(RulesError) as caught:
        parse(tomllib.loads(BROKEN))
    assert list(caught.value.problems) == [
        "other: is no setting here; rules are [[rule]]",
        "rule[1].name: string should match pattern '^[a-z0-9][a-z0-9-]{0,39}$', not 'Bay low'",
        "rule[1].measure: 'bay_unit' is none of 'bay_units'",
        "rule[1].test: 'under' is none of 'below', 'above'",
        "rule[1].limit: input should be a valid number, not '4'",
        'rule[1].hold: write a time like "30s", "5m" or "2h", not \'30\'',
        "rule[1].colour: is no setting here",
        "rule[2]: clear must be at or above limit (4), not 3",
        "rule[3].item: string should match pattern '^[0-9]{14}$', not '123'",
        "rule[4].name: is needed",
        "rule[4].limit: input should be a valid number, not True",
    ]


@pytest.mark.parametrize(
    "document, problem",
    [
        ({"rule": {"name": "x"}}, "rule: write [[rule]], with two brackets"),
        (
            {"rule": tomllib.loads(EXAMPLE)["rule"] * 2},
            "rule: 2 rules are named 'bay-low'; names must differ",
        ),
    ],
)
def test_refuses_what_is_no_list_of_different_rules(document: dict[str, object], problem: str) -> None:
    with pytest.raises(RulesError) as caught:
        parse(document)
    assert caught.value.problems == (problem,)


def test_a_refill_suits_only_a_place_that_runs_low() -> None:
    rule = {"name": "x", "measure": "bay_units", "test": "above", "limit": 4, "suggest": "refill"}
    with pytest.raises(RulesError, match=r'rule\[1\]: suggest = "refill" goes with test = "below"'):
        parse({"rule": [rule]})


def test_no_rules_are_no_problem() -> None:
    assert parse({}) == []


@pytest.mark.parametrize(
    "text, seconds", [("500ms", 0.5), ("30s", 30), ("1.5m", 90), ("2h", 7200), ("1d", 86400), ("0s", 0)]
)
def test_reads_durations(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("bad", ["", "s", "-1s", "1 s", "1s ", "1e3s", "31d", 30, None, ["30s"]])
def test_refuses_what_is_no_duration(bad: object) -> None:
    with pytest.raises(ValueError, match=r"write a time|longer than 30 days"):
        duration(bad)


@given(st.integers(0, 30 * 86_400_000))
def test_a_spelled_duration_reads_back(milliseconds: int) -> None:
    span = timedelta(milliseconds=milliseconds)
    assert duration(spell(span)) == span


def test_a_stored_rule_reads_back() -> None:
    (rule,) = parse(
        {"rule": [tomllib.loads(EXAMPLE)["rule"][0] | {"site": "s", "place": "A1", "item": "09506000134352"}]}
    )
    assert restore(json.dumps(definition(rule))) == rule


def test_each_measure_is_named_as_it_is_filed_and_has_a_unit() -> None:
    assert all(name == measure.name and measure.unit for name, measure in MEASURES.items())
