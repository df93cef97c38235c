"""Settings of an LLRP reader."""

from typing import ClassVar, Literal

from pydantic import Field

from edge.readers.urls import Url, parse
from edge.section import Section

PORT = 5084  # IANA's registration for LLRP; LLRP 1.1, section 20.1


class LlrpConfig(Section):
    yields: ClassVar[Literal["tags"]] = "tags"

    driver: Literal["llrp"]
    url: Url
    keepalive_s: float = Field(5.0, ge=0.5, le=60.0)  # how often the reader must say that it is alive

    @property
    def address(self) -> str:
        return str(parse(self.url, port=PORT))
