"""The edge's configuration: one TOML file, checked whole before anything starts and without touching any device."""

import re
import tomllib
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from edge import calibration
from edge.aggregator.gate import Side
from edge.calibration import Calibrated
from edge.credentials import logins
from edge.errors import ConfigError
from edge.problems import EDGE_NAME, NAME, clashes, what, where
from edge.readers import ReaderConfig
from edge.section import FilePath, Section, table
from edge.shelf_config import ShelfConfig

Name = Annotated[str, Field(pattern=NAME)]


class Role(StrEnum):
    DOCK = "dock"
    DOORWAY = "doorway"
    STAGING = "staging"
    EXIT = "exit"


def _epc(epc: str) -> str:
    """Upper-case hexadecimal of whole 16-bit words, as Gen2 stores an EPC."""
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{4}){1,32}", epc):
        raise ValueError(f"{epc!r} is no EPC; write its hexadecimal digits, as 3074257BF7194E4000001A85")
    return epc.upper()


def _several(epcs: object) -> object:
    return (epcs,) if isinstance(epcs, str) else epcs


def _some(epcs: tuple[str, ...]) -> tuple[str, ...]:
    if not epcs:
        raise ValueError("is empty; name at least one tag, or leave the antenna out")
    return epcs


Epc = Annotated[str, AfterValidator(_epc)]
Epcs = Annotated[tuple[Epc, ...], BeforeValidator(_several), AfterValidator(_some)]


class UplinkConfig(Section):
    url: str
    mqtt_version: Literal[3, 5] = 3  # 3 is 3.1.1, which every broker speaks; NATS refuses 5
    ack_fault_s: float = Field(60.0, ge=1, le=86_400)  # no acknowledgement for so long is a fault with a name
    credentials_file: FilePath | None = None

    @field_validator("url")
    @classmethod
    def _broker(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{url!r} is no URL ({error}); write mqtts://host:8883") from None
        if "@" in parts.netloc:
            raise ValueError(
                "holds a user name or password; put them in credentials_file or in "
                "STOCKBEAT_UPLINK_USERNAME and STOCKBEAT_UPLINK_PASSWORD"
            )
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or port == 0:
            raise ValueError(f"{url!r} is no broker's address; write mqtt://host:1883 or mqtts://host:8883")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError(f"{url!r}: write only mqtt://host:port; the topics are fixed")
        return url

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (8883 if self.tls else 1883)  # IANA's registrations for MQTT

    @property
    def tls(self) -> bool:
        return urlsplit(self.url).scheme == "mqtts"


class StoreConfig(Section):
    path: FilePath = Field(Path("stockbeat-edge.sqlite"), validate_default=True)
    keep_days: float = Field(7.0, ge=0, le=3650)  # of acknowledged events
    journal_mb: int = Field(2000, ge=1, le=1_000_000)  # of raw gate reads, a ring
    reserve_mb: int = Field(200, ge=1, le=1_000_000)  # disk kept free, for the events themselves


class BrokerConfig(Section):
    """An MQTT broker that the agent runs itself, for devices that publish."""

    listen: str = "127.0.0.1:1883"
    users_file: FilePath | None = None  # TOML, a line each: name = "password"
    path: FilePath | None = None  # a folder for its messages; left out, beside the agent's own store
    store_mb: int = Field(1000, ge=10, le=1_000_000)  # the most that its messages may take

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, listen: str) -> str:
        host, _, port = listen.rpartition(":")
        try:
            ip_address(host.strip("[]"))
        except ValueError:
            raise ValueError(
                f'{listen!r} should be an address of this machine and a port: "127.0.0.1:1883", or '
                '"0.0.0.0:1883" for all its networks'
            ) from None
        if not (port.isdecimal() and 1 <= int(port) <= 65_535):
            raise ValueError(f"{listen!r}: a port is a number from 1 to 65535")
        return listen

    @model_validator(mode="after")
    def _not_open_to_all(self) -> "BrokerConfig":
        if self.users_file is None and not ip_address(self.address[0]).is_loopback:
            raise ValueError(
                f"listens on {self.listen}, where others can reach it, without users_file; anybody could then "
                'publish reads. Name a file with a line for each device and one for the agent: name = "password"'
            )
        return self

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def users(self) -> dict[str, str]:
        """Names and passwords; none where anybody may. Raises ConfigError."""
        return logins(self.users_file) if self.users_file else {}


class ClockConfig(Section):
    # The wall clock is kept right by something that the agent cannot ask, such as the host of its container.
    trust: bool = False


class Joins(Section):
    outside: Name
    inside: Name

    @model_validator(mode="after")
    def _two_places(self) -> "Joins":
        if self.outside == self.inside:
            raise ValueError(f"both sides are {self.inside!r}; a gate joins two places")
        return self


def _learned(path: object, info: ValidationInfo) -> object:
    """The file that a gate names, from the configuration's own folder."""
    if isinstance(path, Calibrated) or path is None:
        return path
    if not isinstance(path, str) or not path:
        raise ValueError(
            f'name the file that `stockbeat gates learn` wrote, "dock-1.gate.toml", not {path!r}'
        )
    folder: Path = (info.context or {}).get("folder", Path())
    try:
        return calibration.load(folder / path)
    except ConfigError as error:
        raise ValueError(str(error)) from None


class Eyes(Section):
    outside: int = Field(ge=1, le=65_535)
    inside: int = Field(ge=1, le=65_535)

    @model_validator(mode="after")
    def _two_inputs(self) -> "Eyes":
        if self.outside == self.inside:
            raise ValueError(
                f"both eyes are on input {self.inside}; which one breaks first tells the direction"
            )
        return self


class GateConfig(Section):
    name: Name
    role: Role | None = None
    joins: Annotated[
        Joins | None, table('say the place on each side, as { outside = "yard", inside = "backroom" }')
    ] = None
    reader: ReaderConfig | None = None
    # The reader's inputs that photo-eyes are wired to, one on each side of the sill; on while a beam is broken.
    eyes: Annotated[
        Eyes | None,
        table("say which input each side's photo-eye is wired to, as { outside = 1, inside = 2 }"),
    ] = None
    antennas: Annotated[  # as numbered on the reader
        dict[Annotated[int, Field(ge=1, le=65_535)], Side],
        table('say where each antenna looks, as { 1 = "outside", 2 = "inside" }'),
    ]
    # Tags fixed within sight of an antenna, which prove that it still sees: one EPC, or several, by antenna.
    reference_tags: dict[Annotated[int, Field(ge=1, le=65_535)], Epcs] = Field({})
    quiet_s: float | None = Field(None, ge=0.1, le=600)  # without reads for so long, a passage is over
    # What it has learned of itself; written as the path of a file, relative to this one.
    calibration: Annotated[InstanceOf[Calibrated] | None, BeforeValidator(_learned)] = None

    @field_validator("antennas")
    @classmethod
    def _direction_can_be_told(cls, antennas: dict[int, Side], info: ValidationInfo) -> dict[int, Side]:
        for side in Side:
            if side not in antennas.values() and not (antennas and info.data.get("eyes")):
                raise ValueError(
                    f"none looks {side}; direction needs at least one antenna on each side, or photo-eyes"
                )
        return antennas

    @field_validator("reference_tags")
    @classmethod
    def _of_its_antennas(
        cls, tags: dict[int, tuple[str, ...]], info: ValidationInfo
    ) -> dict[int, tuple[str, ...]]:
        antennas = info.data.get("antennas", tags)  # not there when it is wrong itself
        if unknown := [antenna for antenna in tags if antenna not in antennas]:
            there = ", ".join(map(str, antennas))
            raise ValueError(f"antenna {unknown[0]} is not among its antennas: {there}")
        return tags

    @field_validator("calibration")
    @classmethod
    def _of_this_gate(cls, found: Calibrated | None, info: ValidationInfo) -> Calibrated | None:
        known = "name" in info.data and "antennas" in info.data  # not there when they are wrong themselves
        if found and known and (misfit := found.misfit(info.data["name"], info.data["antennas"])):
            raise ValueError(misfit)
        return found

    @field_validator("eyes")
    @classmethod
    def _can_be_seen(cls, eyes: Eyes | None, info: ValidationInfo) -> Eyes | None:
        reader = info.data.get("reader")
        if eyes is not None and reader is not None and not reader.inputs:
            raise ValueError(
                f"driver {reader.driver!r} tells of no inputs; photo-eyes wired to it would stay unseen"
            )
        return eyes

    @field_validator("reader")
    @classmethod
    def _reads_tags(cls, reader: ReaderConfig | None) -> ReaderConfig | None:
        if reader is not None and reader.yields != "tags":
            raise ValueError(
                f"driver {reader.driver!r} reads {reader.yields}; a gate needs one that reads tags"
            )
        return reader


class EdgeConfig(Section):
    edge: str = Field(pattern=EDGE_NAME)
    uplink: UplinkConfig | None = None
    # Made from nothing rather than given, so that its own defaults see the file's folder.
    store: StoreConfig = Field(default_factory=dict, validate_default=True)
    clock: ClockConfig = ClockConfig()
    broker: BrokerConfig | None = None
    gates: tuple[GateConfig, ...] = ()
    shelves: tuple[ShelfConfig, ...] = ()


def load(path: Path, *, calibrating: str | None = None) -> EdgeConfig:
    """Read and check a configuration file. The file that the shelf `calibrating` names need not be there yet.

    Raises:
        ConfigError: naming the file and, a line each, every setting that is wrong and what would be right.
    """
    try:
        written = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        config = EdgeConfig.model_validate(
            written, context={"folder": path.parent, "calibrating": calibrating}
        )
    except ValidationError as error:
        problems = [f"{where(problem['loc'], written)}: {what(problem)}" for problem in error.errors()]
        raise _wrong(path, [*problems, *clashes(written)]) from None
    if problems := [*clashes(written)]:
        raise _wrong(path, problems)
    return config


def load_to_run(path: Path) -> EdgeConfig:
    """As `load`, and whatever `run` needs beyond `replay` must be there too.

    Raises:
        ConfigError: as `load`.
    """
    config = load(path)
    if problems := lacking(config):
        raise _wrong(path, problems)
    return config


def lacking(config: EdgeConfig) -> list[str]:
    """What `run` needs and this configuration leaves out: a line each, none when it is whole."""
    problems = [] if config.uplink else ["uplink: is needed to run; it says where the broker is"]
    if not config.gates and not config.shelves:
        problems.append("gates, shelves: at least one of either is needed to run")
    for i, gate in enumerate(config.gates, 1):
        for key in ("reader", "role", "joins"):
            if getattr(gate, key) is None:
                problems.append(f"gates[{i}].{key}: is needed to run")
    for i, shelf in enumerate(config.shelves, 1):
        if shelf.reader is None:
            problems.append(f"shelves[{i}].reader: is needed to run")
    return problems


def _wrong(path: Path, problems: list[str]) -> ConfigError:
    return ConfigError("\n".join([f"{path}:", *(f"  {problem}" for problem in problems)]))
