"""Settings of a microcontroller that sends weights, or a converter's counts, as lines of text."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from edge.readers.hx711_lines.protocol import Cell, Layout
from edge.readers.urls import checked
from edge.section import Section

Counts = Annotated[float, Field(ge=-16_777_216, le=16_777_216)]  # 24 bits
_WEIGHING = ("weight", "counts", "offset_counts")


class Hx711LinesConfig(Section):
    yields: ClassVar[Literal["weights"]] = "weights"
    inputs: ClassVar[bool] = False  # whether it tells of inputs that photo-eyes can be wired to

    driver: Literal["hx711_lines"]
    url: Annotated[str, checked()]
    # What stands in each column; the weighing ones are cells 0, 1, ... in this order.
    columns: tuple[Literal["weight", "counts", "offset_counts", "unit", "-"], ...] = ("weight",)
    separator: Literal[",", ";", "tab", "space"] = ","
    unit: Literal["mg", "g", "kg", "lb", "oz"] = "g"  # of weights that say none themselves
    prefix: str = Field("", max_length=40)  # what a line of weights begins with
    counts_per_gram: tuple[
        float, ...
    ] = ()  # of each cell, where there are counts; negative for a cell upside down
    zero_counts: tuple[Counts, ...] = ()  # of each cell, with nothing on it
    silence_s: float = Field(10.0, ge=0.5, le=120.0)  # no line of weights for so long: the board is lost

    @field_validator("columns")
    @classmethod
    def _some_weigh(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if not any(column in _WEIGHING for column in columns):
            raise ValueError(f"none weighs; name at least one of {', '.join(_WEIGHING)}")
        if columns.count("unit") > 1:
            raise ValueError("has more than one unit; one is for the whole line")
        if len({column for column in columns if column in _WEIGHING}) > 1:
            raise ValueError("has weights and counts; take one of them, and write - for the others")
        return columns

    @field_validator("prefix")
    @classmethod
    def _ascii(cls, prefix: str) -> str:
        if not prefix.isascii() or prefix != prefix.strip():
            raise ValueError(f"{prefix!r}: write plain letters, without blanks around them")
        return prefix

    @field_validator("counts_per_gram")
    @classmethod
    def _divides(cls, counts: tuple[float, ...]) -> tuple[float, ...]:
        if any(not 1e-3 <= abs(each) <= 1e7 for each in counts):
            raise ValueError(
                f"{list(counts)}: a cell gives 0.001 to 10,000,000 counts a gram (below zero if upside down)"
            )
        return counts

    @model_validator(mode="after")
    def _counts_become_grams(self) -> "Hx711LinesConfig":
        counted = sum(column in ("counts", "offset_counts") for column in self.columns)
        wrong = []
        for name, bare in (("counts_per_gram", 1), ("zero_counts", 0)):
            if (there := len(getattr(self, name))) != counted:
                right = f"write one for each, as {name} = {[bare] * counted}"
                wrong.append(f"{name} has {there} numbers for {counted} columns of counts; {right}")
        if wrong:
            hint = "; these show bare counts, which is right until it is calibrated" if counted else ""
            raise ValueError("; ".join(wrong) + hint)
        return self

    @property
    def weighs(self) -> tuple[int, ...]:
        """The cells that it tells of."""
        return tuple(range(sum(column in _WEIGHING for column in self.columns)))

    @property
    def layout(self) -> Layout:
        return Layout(
            columns=self.columns,
            separator=self.separator,
            unit=self.unit,
            prefix=self.prefix.encode("ascii"),
            cells=tuple(
                Cell(per_gram, zero)
                for per_gram, zero in zip(self.counts_per_gram, self.zero_counts, strict=True)
            ),
        )
