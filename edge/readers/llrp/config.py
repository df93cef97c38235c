"""Settings of an LLRP reader. What is left out stays as the reader is set."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from edge.readers.urls import checked
from edge.section import Section

PORT = 5084  # IANA's registration for LLRP; LLRP 1.1, section 20.1

# Of one reader, antenna hubs included; a ROSpec tells each what to do, and has at most 64 KiB for it.
MOST_ANTENNAS = 255

Antenna = Annotated[int, Field(ge=1, le=65_535)]
Dbm = Annotated[
    float, Field(ge=-10.0, le=60.0)
]  # what a table of powers may hold; readers transmit 10 to 33 dBm
Powers = Annotated[dict[Antenna, Dbm], Field(max_length=MOST_ANTENNAS)]
Input = Annotated[int, Field(ge=1, le=65_535)]


class LlrpConfig(Section):
    yields: ClassVar[Literal["tags"]] = "tags"
    inputs: ClassVar[bool] = True  # whether it tells of inputs that photo-eyes can be wired to

    driver: Literal["llrp"]
    url: Annotated[str, checked(PORT)]
    # How often the reader says that it is alive. Only then is silence known to be a load's that has left, and not a
    # link's that has stalled: so much later is the last load before an empty door decided.
    keepalive_s: float = Field(0.5, ge=0.5, le=60.0)
    # Without a sign of life for so long it is lost. Left out: three keepalives, and 10 s at least.
    silence_s: Annotated[float, Field(ge=0.5, le=300.0)] | None = None

    # Which antennas read; left out, all that the reader has.
    antennas: Annotated[tuple[Antenna, ...], Field(min_length=1, max_length=MOST_ANTENNAS)] | None = None
    # Transmitted, before cable loss and antenna gain: of all antennas, or of each.
    power_dbm: Dbm | Powers | None = None
    mode: Annotated[int, Field(ge=0, le=0xFFFF)] | None = None  # of the reader's table of modes
    tari_us: Annotated[float, Field(ge=6.25, le=25.0)] | None = None  # Gen2's limits; within the mode's own
    channel: Annotated[int, Field(ge=1, le=0xFFFF)] | None = None  # where the region does not hop
    hop_table: Annotated[int, Field(ge=1, le=255)] | None = None  # where it does

    # Gen2's session: how long a tag keeps quiet after it was read.
    session: Annotated[int, Field(ge=0, le=3)] | None = None
    population: Annotated[int, Field(ge=1, le=0xFFFF)] | None = None  # tags that are there at once, about
    transit_ms: Annotated[int, Field(ge=0, le=0xFFFFFFFF)] | None = None  # how long a tag stays in the field
    search: Literal["single", "dual", "focus"] | None = None  # Impinj: which tags answer again
    tid: bool = False  # Impinj: each read with the number that the chip's maker gave it

    # Inputs that are on when they are low, as a light barrier that opens its contact when it is broken.
    active_low: tuple[Input, ...] = ()
    debounce_ms: float = Field(0.0, ge=0.0, le=1000.0)  # an input is believed when it stays for so long

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.tari_us is not None and self.mode is None:
            raise ValueError("tari_us goes with a mode: say mode, too")
        if self.channel is not None and self.hop_table is not None:
            raise ValueError("a reader hops (hop_table) or stays on a channel (channel): say one of the two")
        if isinstance(self.power_dbm, dict) and not self.power_dbm:
            raise ValueError("power_dbm names no antenna: give it for each, as { 1 = 30.0, 2 = 27.0 }")
        if isinstance(self.power_dbm, dict) and self.antennas:
            strange = sorted(set(self.power_dbm) - set(self.antennas))
            if strange:
                raise ValueError(f"power_dbm names antenna {strange[0]}, which antennas does not")
        return self
