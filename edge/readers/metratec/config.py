"""Settings of a metraTec reader."""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from edge.readers.urls import checked
from edge.section import Section

PORT = 10001  # what metraTec's own libraries connect to
BAUD = 115200  # and open a serial port with


class MetratecConfig(Section):
    yields: ClassVar[Literal["tags"]] = "tags"
    inputs: ClassVar[bool] = True  # whether it tells of inputs that photo-eyes can be wired to

    driver: Literal["metratec"]
    url: Annotated[str, checked(PORT)]
    generation: Literal["auto", "ascii", "at"] = "auto"

    # As printed on the reader, in the order in which they are tried. Counted from 1 whatever the reader itself does.
    antennas: tuple[Annotated[int, Field(ge=1, le=64)], ...] = (1, 2, 3, 4)

    power_dbm: Annotated[int, Field(ge=-10, le=36)] | None = None  # left out, the reader's own setting stays
    region: str | None = None  # likewise
    tid: bool = False  # read each tag's TID too; the AT generation only, and slower
    heartbeat_s: int = Field(2, ge=1, le=60)  # how often the reader must say that it is alive

    @field_validator("region")
    @classmethod
    def _as_the_reader_spells_it(cls, region: str | None) -> str | None:
        if region is not None and not re.fullmatch(r"[A-Z0-9_]{2,16}", region):
            raise ValueError(
                f"write it as the reader's manual does, as ETSI_LOWER, ETS or FCC, not {region!r}"
            )
        return region

    @field_validator("antennas")
    @classmethod
    def _each_once(cls, antennas: tuple[int, ...]) -> tuple[int, ...]:
        if not antennas or len(set(antennas)) != len(antennas):
            raise ValueError(f"name each antenna once, as [1, 2], not {list(antennas)}")
        return antennas
