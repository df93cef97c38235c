"""Settings of an MT-SICS scale."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from edge.readers.urls import checked
from edge.section import Section


class SicsConfig(Section):
    yields: ClassVar[Literal["weights"]] = "weights"
    inputs: ClassVar[bool] = False  # whether it tells of inputs that photo-eyes can be wired to
    cells: ClassVar[int] = 1  # one platform, so the only cell is 0

    driver: Literal["sics"]
    url: Annotated[str, checked()]
    poll_s: float = Field(
        0.1, ge=0.02, le=5.0
    )  # between SI commands, where the scale does not send by itself
    silence_s: float = Field(5.0, ge=0.5, le=60.0)  # nothing for so long: the scale is lost
