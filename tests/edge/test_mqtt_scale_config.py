"""Scales that publish, in the configuration: what is read how, and each mistake with what would be right."""

from pathlib import Path

import pytest

from edge.config import load
from edge.errors import ConfigError
from edge.readers.mqtt_scale.config import MqttScaleConfig

SHELF = """
[[shelves]]
name = "{name}"
bays = [ {{ name = "A1", cell = 0, capacity = 24, items = [ {{ gtin = "09506000134352", unit_grams = 330 }} ] }} ]
reader = {{ driver = "mqtt_scale", {reader} }}
"""


def written(folder: Path, *readers: str) -> Path:
    path = folder / "edge.toml"
    shelves = "".join(SHELF.format(name=f"aisle-{i}", reader=each) for i, each in enumerate(readers))
    path.write_text(f'edge = "store-042"\n{shelves}', "utf-8")
    return path


def read(folder: Path, reader: str) -> MqttScaleConfig:
    found = load(written(folder, reader)).shelves[0].reader
    assert isinstance(found, MqttScaleConfig)
    return found


TWO = 'url = "mqtt://h?topic=tele/a/SENSOR&topic=tele/b/SENSOR"'


def test_the_first_topic_is_cell_0(tmp_path: Path) -> None:
    config = read(tmp_path, f'{TWO}, format = "tasmota"')
    assert [(each.cell, each.topic) for each in config.sources] == [
        (0, "tele/a/SENSOR"),
        (1, "tele/b/SENSOR"),
    ]
    assert config.recipe(config.sources[0]).value == "WeightRaw"


def test_with_counts_a_gram_tasmotas_finer_value_is_taken(tmp_path: Path) -> None:
    config = read(tmp_path, f'{TWO}, format = "tasmota", grams_per_count = 0.0024, zero_count = 217937')
    recipe = config.recipe(config.sources[1])
    assert (recipe.value, recipe.unit, recipe.grams_per_count, recipe.zero_count) == (
        "AbsRaw",
        "count",
        0.0024,
        217937,
    )


def test_a_cell_may_differ_from_its_reader(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        'url = "mqtt://h?topic=shelf/#", format = "json", value = "w", unit = "kg", cells = [ '
        '{ cell = 0, topic = "shelf/a" }, { cell = 3, topic = "shelf/b", unit = "g", value = "grams" } ]',
    )
    assert config.weighs == (0, 3)
    assert [config.recipe(each).unit for each in config.sources] == ["kg", "g"]
    assert [config.recipe(each).value for each in config.sources] == ["w", "grams"]


@pytest.mark.parametrize(
    "reader, words",
    [
        (TWO, "reader.format: is needed"),
        (f'{TWO}, format = "sparkplug"', "must be 'tasmota', 'esphome'"),
        (f'{TWO}, format = "esphome"', "unit: is needed; esphome does not tell it. One of mg, g, kg"),
        (f'{TWO}, format = "esphome", unit = "stone"', "not 'stone'"),
        (f'{TWO}, format = "esphome", unit = "count"', "grams_per_count: goes with unit = 'count'"),
        (f'{TWO}, format = "esphome", unit = "kg", grams_per_count = 2.0', "grams_per_count: goes with unit = 'count'"),
        (f'{TWO}, format = "esphome", unit = "kg", value = "x"', "ESPHome's state is the number itself"),
        (f'{TWO}, format = "esphome", unit = "kg", stable_at = "x"', "stable_at: esphome says nothing of that"),
        (f'{TWO}, format = "tasmota", unit = "kg"', "unit: Tasmota's are known; leave it out"),
        (f'{TWO}, format = "tasmota", value = "Count"', "value: Tasmota has WeightRaw, AbsRaw, Weight, not 'Count'"),
        (f'{TWO}, format = "tasmota", value = "AbsRaw"', "grams_per_count: is needed with AbsRaw"),
        (f'{TWO}, format = "tasmota", value = "Weight", grams_per_count = 2.0', "is for AbsRaw, not for Weight"),
        (f'{TWO}, format = "json", unit = "g"', "value: is needed; where in the JSON the weight is"),
        (f'{TWO}, format = "json", value = "w"', "unit: is needed; json does not tell it"),
        (f'{TWO}, format = "json", value = "w..x", unit = "g"', "'w..x' is no path"),
        (f'{TWO}, format = "senml", value = "w"', "value: SenML has names"),
        (f'{TWO}, format = "senml", time_at = "t"', "unit_at and time_at are for json"),
        ('url = "mqtt://h?topic=shelf/+", format = "senml"', "a topic with a wildcard does not tell which cell"),
        (f'{TWO}, format = "senml", cells = [ {{ cell = 0, topic = "x" }} ]',
         "'x' of cell 0 is not among the url's topics"),
        (f'{TWO}, format = "senml", cells = [ {{ cell = 0, topic = "a/#/b" }} ]', "a '#' the whole last one"),
        (f'{TWO}, format = "senml", cells = [ {{ cell = 0, name = "a" }}, {{ cell = 0, name = "b" }} ]',
         "cell 0 is listed twice"),
        (f'{TWO}, format = "senml", cells = [ {{ cell = 0 }}, {{ cell = 1 }} ]',
         "cells 0 and 1 would take the same weight"),
        (f'{TWO}, format = "json", value = "w", unit = "g", cells = [ {{ cell = 0, name = "a" }} ]',
         "name is for SenML"),
        (f'{TWO}, format = "senml", cells = [ {{ cell = 1, name = "a" }} ]',
         "bays: A1 is on cell 0, of which the reader says nothing"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_what_would_be_right(tmp_path: Path, reader: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(written(tmp_path, reader))
    assert words in str(error.value)


def test_two_shelves_may_share_a_gateway_when_their_cells_differ(tmp_path: Path) -> None:
    def of(name: str) -> str:
        return f'url = "mqtt://h?topic=gw", format = "senml", cells = [ {{ cell = 0, name = "{name}" }} ]'

    with pytest.raises(ConfigError, match="is taken by"):
        load(
            written(
                tmp_path,
                'url = "mqtt://h?topic=gw", format = "senml"',
                'url = "mqtt://h?topic=gw", format = "senml"',
            )
        )
    assert len(load(written(tmp_path, of("a"), of("b"))).shelves) == 2
