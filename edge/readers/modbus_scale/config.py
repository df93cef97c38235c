"""Settings of weight transmitters on a Modbus."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from edge.readers.modbus_scale.budget import Line, round_s
from edge.readers.modbus_scale.profiles import profile
from edge.readers.modbus_scale.registers import RegisterMap, queries
from edge.readers.urls import SerialUrl, checked
from edge.readers.urls import parse as parse_url
from edge.section import Section

UnitAddress = Annotated[int, Field(ge=1, le=247)]  # MODBUS over Serial Line 1.02, section 2.2


class ModbusScaleConfig(Section):
    yields: ClassVar[Literal["weights"]] = "weights"
    inputs: ClassVar[bool] = False  # whether it tells of inputs that photo-eyes can be wired to

    driver: Literal["modbus_scale"]
    url: Annotated[str, checked(port=502)]
    profile: Literal["laumas", "eagle", "baykon", "baykon_mx08", "dini", "dini_4", "generic"]
    units: tuple[UnitAddress, ...]  # the devices on the bus, in the order of their cells
    channels: int | None = Field(None, ge=1, le=64)  # load cells of each unit; the profile's most if left out
    unit: Literal["mg", "g", "kg", "t", "lb", "oz"] | None = None  # in place of the profile's
    decimals: int | None = Field(None, ge=0, le=9)  # in place of the profile's
    words: Literal["high_first", "low_first"] | None = None  # in place of the profile's
    framing: Literal["rtu", "tcp"] | None = None  # rtu by serial, tcp by TCP, if left out
    poll_s: float | None = Field(None, ge=0.02, le=60.0)  # between two weights of a cell
    line_baud: int | None = Field(
        None, ge=300, le=4_000_000
    )  # of the serial line behind tcp, where there is one
    timeout_s: float = Field(0.2, ge=0.01, le=5.0)  # a unit that has not answered by then does not
    silence_s: float = Field(5.0, ge=0.5, le=120.0)  # no unit answers for so long: the bus is lost
    map: RegisterMap | None = None  # the registers, with profile = "generic"

    @field_validator("units")
    @classmethod
    def _each_once(cls, units: tuple[int, ...]) -> tuple[int, ...]:
        if not units:
            raise ValueError("is empty; name at least one unit, as [1]")
        if len(set(units)) < len(units):
            raise ValueError(f"{list(units)} names one twice; each unit on a bus has its own address")
        return units

    @model_validator(mode="after")
    def _can_be_read(self) -> "ModbusScaleConfig":
        if (self.profile == "generic") != (self.map is not None):
            raise ValueError('map goes with profile = "generic", and only with it')
        base = self._base
        if self.channels is not None and self.channels > base.channels:
            raise ValueError(f"channels: {self.profile} has {base.channels} at most, not {self.channels}")
        registers = self.registers
        lacking = [
            name
            for name, known in (
                ("unit", registers.unit or registers.unit_in),
                (
                    "decimals",
                    registers.format == "float32" or registers.decimals is not None or registers.decimals_in,
                ),
            )
            if not known
        ]
        if lacking:
            raise ValueError(
                f"profile {self.profile} does not tell {' and '.join(lacking)}; "
                'set what the device shows, as unit = "kg" and decimals = 3 for 1.234 kg'
            )
        if self.line_baud is not None and isinstance(parse_url(self.url, port=502), SerialUrl):
            raise ValueError(
                "line_baud: is of a line behind tcp; the speed of this one is in its url, as ?baud=38400"
            )
        self._within_budget()
        return self

    def _within_budget(self) -> None:
        line, needs_s = self._line, self.least_round_s
        if self.poll_s is not None and line is not None and needs_s is not None and self.poll_s < needs_s:
            raise ValueError(
                f"poll_s: {len(self.units)} units at {line.baud} baud take {needs_s:.2f} s a round, "
                f"more than {self.poll_s:g} s; "
                f"write poll_s = {needs_s + 0.005:.2f} or more, raise the speed of all of them, or use more buses"
            )

    @property
    def _base(self) -> RegisterMap:
        return self.map if self.map is not None else profile(self.profile)

    @property
    def registers(self) -> RegisterMap:
        """The profile's map, with what is set here in its place."""
        own = {"channels": self.channels, "unit": self.unit, "decimals": self.decimals, "words": self.words}
        return replace(self._base, **{key: value for key, value in own.items() if value is not None})  # type: ignore[arg-type]  # each is of its field's type

    @property
    def weighs(self) -> tuple[int, ...]:
        """The cells that it tells of: the channels of the first unit, then those of the next."""
        return tuple(range(len(self.units) * self.registers.channels))

    @property
    def _line(self) -> Line | None:
        """The serial line that the units are on; None where there is none that is known of."""
        url = parse_url(self.url, port=502)
        if isinstance(url, SerialUrl):
            return Line(url.baud, url.bits, url.parity != "N", url.stop)
        return None if self.line_baud is None else Line(self.line_baud)

    @property
    def least_round_s(self) -> float | None:
        """How long asking every unit once takes at least; None where the link's speed is not known."""
        line = self._line
        if line is None:
            return None
        return len(self.units) * round_s(line, queries(self.registers).weights)

    @property
    def round_s(self) -> float:
        """Between two weights of a cell."""
        if self.poll_s is not None:
            return self.poll_s
        return max(USUAL_POLL_S, 1.1 * (self.least_round_s or 0.0))  # a tenth for the machine's own delays


USUAL_POLL_S = 0.1  # what shelves are judged by: ten weights a second
