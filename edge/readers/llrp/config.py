"""Settings of an LLRP reader."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from edge.readers.urls import checked
from edge.section import Section

PORT = 5084  # IANA's registration for LLRP; LLRP 1.1, section 20.1


class LlrpConfig(Section):
    yields: ClassVar[Literal["tags"]] = "tags"

    driver: Literal["llrp"]
    url: Annotated[str, checked(PORT)]
    keepalive_s: float = Field(5.0, ge=0.5, le=60.0)  # how often the reader must say that it is alive

    # Gen2's session: how long a tag keeps quiet after it was read. Left out, the reader's own setting stays.
    session: Annotated[int, Field(ge=0, le=3)] | None = None
