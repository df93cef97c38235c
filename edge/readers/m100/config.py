"""Settings of a module of the M100 family."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from edge.readers.urls import checked
from edge.section import Section


class M100Config(Section):
    yields: ClassVar[Literal["tags"]] = "tags"
    inputs: ClassVar[bool] = False  # whether it tells of inputs that photo-eyes can be wired to

    driver: Literal["m100"]
    url: Annotated[str, checked()]
    region: Literal["cn900", "us", "eu", "cn800", "kr"]  # the law where the reader is
    antenna: int = Field(1, ge=1, le=65_535)  # the number of its only antenna at this gate
    framing: Literal["auto", "bb", "aa"] = "auto"  # BB..7E, or AA..DD as on R200 boards
    power_dbm: Annotated[float, Field(ge=0, le=33)] | None = None  # left out, what the module is set to
    session: Annotated[int, Field(ge=0, le=3)] | None = None  # Gen2; left out, what the module is set to
    q: Annotated[int, Field(ge=0, le=15)] | None = None  # Gen2; left out, what the module is set to
    poll_s: Annotated[float, Field(ge=0.02, le=5.0)] | None = None  # ask for each round, so often
    silence_s: float = Field(1.0, ge=0.3, le=60.0)  # silent for so long, it is set up anew
