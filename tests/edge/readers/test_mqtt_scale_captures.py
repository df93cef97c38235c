"""What scales publish decodes to what their folders say."""

from typing import Any

import pytest

from edge.readers.mqtt_scale.protocol import NoWeight, Recipe, Weight, parse
from tests.support.captures import Capture, cases

RECIPES = {
    "tasmota-sensor": Recipe("tasmota", "WeightRaw", "g"),
    "tasmota-absraw": Recipe("tasmota", "AbsRaw", "count", grams_per_count=1 / 420, zero_count=217_937),
    "esphome-states": Recipe("esphome", unit="kg"),
    "home-assistant-states": Recipe("home_assistant", unit="g"),
    "senml-packs": Recipe("senml", "urn:dev:mac:0024befffe804ff1:a3"),
    "json-by-path": Recipe(
        "json", "scales[1].w", unit_at="unit", time_at="at", stable_at="scales[1].rest"
    ),
}  # fmt: skip


def plain(said: Weight | NoWeight) -> dict[str, Any]:
    """What a thing says, without what it leaves out."""
    if isinstance(said, NoWeight):
        return {"fault": said.fault}
    told: dict[str, Any] = {"grams": round(said.grams, 6)}
    if said.time is not None:
        told["before_us" if said.time.relative else "us" if said.time.zoned else "unzoned_us"] = said.time.us
    if said.stable is not None:
        told["stable"] = said.stable
    return told


@pytest.mark.parametrize("case", cases("mqtt_scale"), ids=lambda case: case.name)
def test_a_capture(case: Capture) -> None:
    recipe = RECIPES[case.name]
    said = [plain(each) for payload in case.wire.splitlines() for each in parse(payload, recipe)]
    assert said == case.expected


def test_each_recipe_has_its_capture() -> None:
    assert {case.name for case in cases("mqtt_scale")} == set(RECIPES)
