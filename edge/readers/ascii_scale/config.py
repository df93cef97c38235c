"""Settings of a scale that writes lines of text."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from edge.readers.ascii_scale.protocol import DIALECTS, Mode, Name, Options
from edge.readers.urls import checked
from edge.section import Section


class AsciiScaleConfig(Section):
    yields: ClassVar[Literal["weights"]] = "weights"
    inputs: ClassVar[bool] = False  # whether it tells of inputs that photo-eyes can be wired to
    cells: ClassVar[int] = 1  # one platform, so the only cell is 0

    driver: Literal["ascii_scale"]
    url: Annotated[str, checked()]
    dialect: Name  # never found out by trying: many devices would look like a scale
    mode: Mode | None = (
        None  # poll: it is asked; stream: it sends by itself; left out, as the dialect's mostly are set
    )
    command: str | None = None  # the question, where the dialect has several; none of them tares or zeroes
    poll_s: float = Field(0.12, ge=0.02, le=5.0)  # between two questions
    address: Annotated[str, Field(pattern=r"^[0-9]{2}$")] | None = None  # dini, in RS-485 mode
    checksum: bool = True  # toledo: whether the indicator is set to send one
    unit: Literal["mg", "g", "kg", "lb", "oz"] | None = None  # sartorius: while it is not stable it says none
    net: bool = False  # take net weights too: the tare on the scale is meant, and never changes
    silence_s: float = Field(5.0, ge=0.5, le=60.0)  # nothing for so long: the scale is lost

    @model_validator(mode="after")
    def _fits_the_dialect(self) -> "AsciiScaleConfig":
        manner = DIALECTS[self.dialect]
        if self.mode == "poll" and not manner.asks:
            raise ValueError(f"mode: {manner.words} knows no question; write 'stream'")
        if self.command is not None:
            if self.way == "stream":
                raise ValueError(
                    "command: a scale that sends by itself is asked nothing; write mode = 'poll' too"
                )
            if self.command not in manner.asks:
                raise ValueError(
                    f"command: {self.command!r} is none of those that {manner.words} is asked with here: "
                    f"{', '.join(manner.asks)}"
                )
        for name, value, where in (
            ("address", self.address, "dini"),
            ("unit", self.unit, "sartorius"),
            ("checksum", None if self.checksum else "false", "toledo"),
        ):
            if value is not None and self.dialect != where:
                raise ValueError(f"{name} is for the dialect {where}, not {self.dialect}; leave it out")
        return self

    @property
    def way(self) -> Mode:
        return self.mode or DIALECTS[self.dialect].usual

    @property
    def question(self) -> bytes:
        """What it is asked with; empty where it is not asked."""
        asks = DIALECTS[self.dialect].asks
        if self.way == "stream":
            return b""
        asked = asks[self.command] if self.command else next(iter(asks.values()))
        return (self.address or "").encode("ascii") + asked

    @property
    def options(self) -> Options:
        return Options(address=self.address, checksum=self.checksum, unit=self.unit)
