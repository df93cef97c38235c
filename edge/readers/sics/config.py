"""Settings of an MT-SICS scale."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from edge.readers.urls import checked
from edge.section import Section


def _no_change_reports(value: Any) -> Any:
    """SR would hide picks, so it is refused by name, not as just another unknown word."""
    if isinstance(value, str) and value.strip().upper() in ("SR", "SNR", "SRU"):
        raise ValueError(
            f"{value!r} makes the scale report only changes of 12.5 % and more of what lies on it: one unit taken from "
            "a shelf of 24 is 4.2 % and would never be told; write 'auto', 'SIR' or 'SI'"
        )
    return value


class SicsConfig(Section):
    yields: ClassVar[Literal["weights"]] = "weights"
    inputs: ClassVar[bool] = False  # whether it tells of inputs that photo-eyes can be wired to
    cells: ClassVar[int] = 1  # one platform, so the only cell is 0

    driver: Literal["sics"]
    url: Annotated[str, checked()]
    # How weights are had: sent by the scale again and again, asked for one by one, or the first if it can.
    send: Annotated[Literal["auto", "SIR", "SI"], BeforeValidator(_no_change_reports)] = "auto"
    # Between SI commands; KERN wants more than 0.1 s (KERN KCP, "polling interval")
    poll_s: float = Field(0.12, ge=0.02, le=5.0)
    silence_s: float = Field(5.0, ge=0.5, le=60.0)  # nothing for so long: the scale is lost
