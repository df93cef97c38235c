"""Settings of a ThingMagic module."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from edge.readers.thingmagic.protocol.commands import REGIONS
from edge.readers.urls import checked
from edge.section import Section

Port = Annotated[int, Field(ge=1, le=16)]  # four bits in each report
Power = Annotated[float, Field(ge=-10, le=33)]  # dBm; the module's own limits are narrower, and it says so


class ThingmagicConfig(Section):
    yields: ClassVar[Literal["tags"]] = "tags"
    inputs: ClassVar[bool] = False  # whether it tells of inputs that photo-eyes can be wired to

    driver: Literal["thingmagic"]
    url: Annotated[str, checked()]
    region: str = Field(examples=list(REGIONS))  # the law where the reader is
    antennas: tuple[Port, ...] = Field(min_length=1, max_length=16, examples=["[1,2]"])
    power_dbm: Power | None = None  # left out, what the module is set to
    antenna_power_dbm: dict[Port, Power] = Field(default_factory=dict)  # where some differ
    session: Annotated[int, Field(ge=0, le=3)] | None = None  # Gen2; left out, what the module is set to
    q: Annotated[int, Field(ge=0, le=10)] | None = None  # Gen2: fixed; left out, what the module is set to
    silence_s: float = Field(4.0, ge=1.5, le=60.0)  # it says each second that it is alive

    @field_validator("region")
    @classmethod
    def _known(cls, region: str) -> str:
        if region not in REGIONS:
            raise ValueError(f"{region!r} is no region; there are {', '.join(REGIONS)}")
        return region

    @field_validator("antennas")
    @classmethod
    def _once_each(cls, antennas: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(antennas)) != len(antennas):
            raise ValueError(f"names an antenna twice: {', '.join(map(str, antennas))}")
        return antennas
