"""Settings of scales that publish MQTT."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from edge.readers.mqtt_scale.protocol import COUNT, GRAMS, Format, Recipe, steps
from edge.readers.mqtt_urls import checked, matches, parse
from edge.section import FilePath, Section

Unit = Literal["mg", "g", "kg", "t", "lb", "oz", "count"]
TASMOTA_KEYS = ("WeightRaw", "AbsRaw", "Weight")
# Formats whose devices speak at intervals, so that silence means something.
PERIODIC = ("tasmota", "esphome")


def _topic(topic: str) -> str:
    """One topic, or a filter."""
    parse(f"mqtt://broker?topic={topic.replace('%', '%25').replace('&', '%26')}")
    return topic


def _path(path: str) -> str:
    steps(path)
    return path


Topic = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_topic)]
Path = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_path)]
Count = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]


class CellConfig(Section):
    """One cell of the shelf, and where its weight is; what is left out is as the reader says."""

    cell: int = Field(ge=0, le=65_535)
    topic: Topic | None = None  # of those in `url`, or one that a wildcard of theirs takes
    value: Path | None = None
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = (
        None  # SenML: its full name, `bn` and `n`
    )
    unit: Unit | None = None
    grams_per_count: Count | None = None
    zero_count: Count | None = None


class MqttScaleConfig(Section):
    yields: ClassVar[Literal["weights"]] = "weights"
    inputs: ClassVar[bool] = False  # whether it tells of inputs that photo-eyes can be wired to

    driver: Literal["mqtt_scale"]
    url: Annotated[str, checked()]
    format: Format
    # Without, the first topic of `url` is cell 0, the second cell 1 and so on.
    cells: Annotated[tuple[CellConfig, ...], Field(max_length=512)] = ()
    value: Path | None = None  # where the weight is: a path in JSON, or which of Tasmota's three
    unit: Unit | None = None  # where the messages do not tell it
    unit_at: Path | None = None  # where in JSON they do
    time_at: Path | None = None
    stable_at: Annotated[str, Field(min_length=1, max_length=200)] | None = (
        None  # a path; SenML: the record's name
    )
    grams_per_count: Count | None = None  # of a converter that is not calibrated itself
    zero_count: Count | None = None  # what it says without any load
    # Topics on which the devices say that they are online. Tasmota's and ESPHome's are known from their own.
    status: Annotated[tuple[Topic, ...], Field(max_length=64)] = ()
    silent_s: Annotated[float, Field(ge=1, le=86_400)] | None = None  # nothing for so long: the scale is lost
    credentials_file: FilePath | None = None  # for the broker
    ca_file: FilePath | None = (
        None  # of the authority that certified an mqtts broker, in place of the system's
    )

    @property
    def weighs(self) -> tuple[int, ...]:
        """The cells that it tells of."""
        return tuple(each.cell for each in self.sources)

    @property
    def sources(self) -> tuple[CellConfig, ...]:
        if self.cells:
            return self.cells
        return tuple(CellConfig(cell=i, topic=topic) for i, topic in enumerate(parse(self.url).topics))

    def recipe(self, source: CellConfig) -> Recipe:
        """How to read one cell's messages."""
        count = source.grams_per_count if source.grams_per_count is not None else self.grams_per_count
        zero = source.zero_count if source.zero_count is not None else self.zero_count
        value: str = source.value or self.value or ""
        unit: str = source.unit or self.unit or ""
        if self.format == "tasmota":
            value = value or ("WeightRaw" if count is None else "AbsRaw")
            unit = {"WeightRaw": "g", "AbsRaw": COUNT, "Weight": "kg"}[value]
        if self.format == "senml":
            value = source.name or ""
        return Recipe(
            self.format, value, unit, self.unit_at or "", self.time_at or "", self.stable_at or "",
            1.0 if count is None else count, zero or 0.0,
        )  # fmt: skip

    @model_validator(mode="after")
    def _each_cell_is_told_apart(self) -> Self:
        topics = parse(self.url).topics
        if not self.cells and any("#" in each or "+" in each for each in topics):
            raise ValueError(
                "a topic with a wildcard does not tell which cell is which; list them: "
                'cells = [ { cell = 0, topic = "shelf/a1" }, … ]'
            )
        seen: dict[object, int] = {}
        for each in self.cells:
            if each.cell in seen:
                raise ValueError(f"cells: cell {each.cell} is listed twice")
            if each.topic is not None and not (each.topic in topics or matches(topics, each.topic)):
                raise ValueError(
                    f"cells: {each.topic!r} of cell {each.cell} is not among the url's topics: {', '.join(topics)}"
                )
            where = (each.topic, each.value, each.name)
            if where in seen:
                raise ValueError(
                    f"cells: cells {seen[where]} and {each.cell} would take the same weight; give each its topic, "
                    f"{'name' if self.format == 'senml' else 'value'} or both"
                )
            seen |= {each.cell: each.cell, where: each.cell}
        return self

    @model_validator(mode="after")
    def _the_format_has_what_it_needs(self) -> Self:
        for source in self.sources:
            unit = source.unit or self.unit
            counts = source.grams_per_count is not None or self.grams_per_count is not None
            if problem := self._problem(source, unit, counts):
                raise ValueError(problem)
        if self.format != "json" and self.format != "home_assistant" and (self.unit_at or self.time_at):
            raise ValueError(
                f"unit_at and time_at are for json; {self.format} says both in its own way, or not at all"
            )
        if self.stable_at and self.format == "json":
            steps(self.stable_at)
        if self.stable_at and self.format in PERIODIC:
            raise ValueError(f"stable_at: {self.format} says nothing of that")
        return self

    def _problem(self, source: CellConfig, unit: str | None, counts: bool) -> str | None:
        value = source.value or self.value
        if self.format == "tasmota":
            return _problem_of_tasmota(value, unit, counts)
        if self.format == "senml":
            return "value: SenML has names; write name = … in cells" if value else None
        if source.name:
            return "cells: name is for SenML; write topic or value"
        if self.format == "json" and value is None:
            return 'value: is needed; where in the JSON the weight is, as "kg" or "scale.weight"'
        if self.format == "esphome" and value is not None:
            return "value: ESPHome's state is the number itself; leave it out"
        if unit is None and self.unit_at is None:
            return f"unit: is needed; {self.format} does not tell it. One of {', '.join([*GRAMS, COUNT])}"
        return (
            None
            if (unit == COUNT) == counts
            else f"grams_per_count: goes with unit = {COUNT!r}, and only with it"
        )


def _problem_of_tasmota(value: str | None, unit: str | None, counts: bool) -> str | None:
    if unit:
        return "unit: Tasmota's are known; leave it out"
    if value is not None and value not in TASMOTA_KEYS:
        return f"value: Tasmota has {', '.join(TASMOTA_KEYS)}, not {value!r}"
    if value == "AbsRaw" and not counts:
        return "grams_per_count: is needed with AbsRaw; docs/devices/mqtt_scale.md says how to find it"
    if counts and value not in (None, "AbsRaw"):
        return f"grams_per_count: is for AbsRaw, not for {value}"
    return None
