"""`stockbeat readers`: what can be read, what is plugged in here, and whether one device works."""

import asyncio
import json
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

import click
from pydantic import TypeAdapter, ValidationError

from edge import scale_diagnosis
from edge.config import load
from edge.diagnosis import Seen, band, by_antenna, exit_code, findings
from edge.errors import ConfigError, EdgeError, ReaderError
from edge.problems import what
from edge.readers import ReaderConfig, build
from edge.readers.mqtt_scale.config import MqttScaleConfig
from edge.readers.reader import Reader
from edge.reads import Read, TagRead, Trigger, WeightFault, WeightSample
from edge.remedies import Finding, Grade
from edge.scale_diagnosis import Pace
from wire.epc import RAW, decode

SHOWN = 10  # reads, or weights of a cell, that are shown one by one
READMES = Path(__file__).parent / "readers"
SERIAL = Path("/dev/serial/by-id")
LINKS = {  # what stands before the colon of a URL
    "ascii_scale": "serial, tcp",
    "hx711_lines": "serial, tcp",
    "impinj_iot": "mqtt, mqtts, http, https",
    "llrp": "tcp",
    "m100": "serial, tcp",
    "metratec": "serial, tcp",
    "modbus_scale": "serial, tcp",
    "mqtt_scale": "mqtt, mqtts",
    "sics": "serial, tcp",
    "thingmagic": "serial, tcp",
    "zebra_iotc": "mqtt, mqtts",
}
# IANA's registrations for Modbus and LLRP; metraTec's own port
PORTS = {502: "modbus_scale", 5084: "llrp", 10001: "metratec"}


@click.group()
def readers() -> None:
    """Devices: what can be read, and whether one works."""


@readers.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def list_(as_json: bool) -> None:
    """List the drivers, what each is for, and this machine's serial ports."""
    drivers, ports = [about(name) for name in sorted(_configs())], serial_ports()
    if as_json:
        click.echo(json.dumps({"drivers": drivers, "serial_ports": ports}, indent=2))
        return
    for each in drivers:
        click.echo(f"{each['driver']}\treads {each['reads']}\tby {each['links']}")
        click.echo(f"    {each['for']}")
        click.echo(f"    met real hardware: {each['hardware']}")
    click.echo("\nserial ports of this machine:" if ports else "\nno serial port is plugged in here")
    for port in ports:
        click.echo(f"    serial:{port}")


@readers.command(name="test")
@click.argument("url", required=False)
@click.option("--driver", help="Which protocol; guessed from the URL where that is possible.")
@click.option(
    "--set", "given", multiple=True, metavar="KEY=VALUE", help="A setting of the driver's, as in edge.toml."
)
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="Take the device from this.")
@click.option("--gate", help="Of the configuration.")
@click.option("--shelf", help="Of the configuration.")
@click.option("--seconds", type=click.FloatRange(1, 3600), default=10.0, show_default=True)
def test_(
    url: str | None,
    driver: str | None,
    given: tuple[str, ...],
    config_path: Path | None,
    gate: str | None,
    shelf: str | None,
    seconds: float,
) -> None:
    """Connect to a device, show what it reads, and say what is wrong.

    Exits with 0 when all is fine, 1 when it cannot connect, 2 when it connects and something is to be seen to.
    """
    try:
        settings, seen = _device(url, driver, given, config_path, gate, shelf, seconds)
        seen.weighed.pace = _pace(settings)
        reader = build(settings, gate or shelf or "test", _wall_us)
    except EdgeError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"{settings.driver} {settings.url}: connecting")
    asyncio.run(watch(reader, seen, _Showing(seconds).show, _wall_us))
    for line in _table(seen) if seen.connected else ():
        click.echo(line)
    if where := band(seen):
        click.echo(where)
    found = findings(seen)
    for finding in found:
        _say(finding)
    sys.exit(exit_code(found))


async def watch(
    reader: Reader, seen: Seen, show: Callable[[Read, int], None], now_us: Callable[[], int]
) -> None:
    """Open the device and read it for so many seconds, into `seen`. What goes wrong with it is kept there."""
    try:
        async with reader.open() as batches:
            seen.connected, seen.detail = True, reader.detail
            click.echo(f"connected{': ' + reader.detail if reader.detail else ''}")
            try:
                async with asyncio.timeout(seen.seconds):
                    async for came in batches:
                        reads = [seen.weighed.in_grams(read) for read in came]
                        seen.take(reads)
                        for read in reads:
                            show(read, now_us())
            except TimeoutError:
                pass
            finally:
                seen.clock_offset_ms = reader.clock_offset_ms
    except ReaderError as error:
        seen.error = error


def _table(seen: Seen) -> list[str]:
    return scale_diagnosis.table(seen.weighed) if seen.yields == "weights" else by_antenna(seen)


class _Showing:
    """Prints the first reads, one a line; of a scale ten weights of each cell, spread over the time."""

    def __init__(self, seconds: float) -> None:
        self._shown = 0
        self._every_us = round(seconds * 1e6 / SHOWN)
        self._next_us: dict[int, int] = {}  # by cell

    def show(self, read: Read, now_us: int) -> None:
        match read:
            case TagRead():
                self._tag(read, now_us)
            case WeightSample():
                self._weight(read, now_us)
            case WeightFault():
                click.echo(f"cell {read.cell}\t{read.fault}")
            case Trigger():
                click.echo(f"input {read.input}\t{'on' if read.on else 'off'}")

    def _tag(self, read: TagRead, now_us: int) -> None:
        if self._shown < SHOWN:
            self._shown += 1
            age_s = (now_us - read.at_us) / 1e6
            where = f"antenna {read.antenna}\t{read.rssi_dbm:.0f} dBm\t{age_s:.2f} s ago"
            click.echo(f"{where}\t{read.epc}\t{_meaning(read.epc)}")
            if self._shown == SHOWN:
                click.echo("... (more are counted, not shown)")

    def _weight(self, read: WeightSample, now_us: int) -> None:
        due_us = self._next_us.get(read.cell, now_us)
        if now_us >= due_us:
            # From when it was due: scales that send as often as we show are shown each time.
            self._next_us[read.cell] = max(due_us + self._every_us, now_us)
            rest = {True: "at rest", False: "moving", None: ""}[read.stable]
            click.echo(f"cell {read.cell}\t{read.grams:.1f} g\t{rest}")


def _meaning(epc: str) -> str:
    meaning = decode(epc)
    return meaning.uri or ("no GS1 scheme" if meaning.scheme == RAW else meaning.scheme)


def _say(finding: Finding) -> None:
    mark = {Grade.FINE: "ok", Grade.FINDING: "look", Grade.FAILED: "no"}[finding.grade]
    click.echo(f"{mark}: {finding.what}")
    if finding.do:
        click.echo(f"    {finding.do}")


def _device(
    url: str | None,
    driver: str | None,
    given: tuple[str, ...],
    config_path: Path | None,
    gate: str | None,
    shelf: str | None,
    seconds: float,
) -> tuple[ReaderConfig, Seen]:
    """The settings of the device that is meant, and what is expected of it. Raises ConfigError."""
    if bool(url) == bool(config_path):
        raise ConfigError(
            "say either a URL, as tcp://192.0.2.10:5084, or --config edge.toml with --gate or --shelf"
        )
    if url:
        settings = from_url(url, driver, given)
        return settings, Seen(url, settings.yields, seconds)
    assert config_path is not None, "there is one of both"
    config = load(config_path, calibrating=shelf)  # a device is tried before it is calibrated
    if bool(gate) == bool(shelf):
        raise ConfigError("say which device: --gate NAME or --shelf NAME")
    for each in config.gates if gate else config.shelves:
        if each.name == (gate or shelf):
            if each.reader is None:
                raise ConfigError(f"{config_path}: {each.name} has no reader")
            seen = Seen(each.reader.url, each.reader.yields, seconds)
            if gate:
                seen.expected = tuple(getattr(each, "antennas", ()))
                seen.references = dict(getattr(each, "reference_tags", {}))
            else:
                bays = getattr(each, "bays", ())
                seen.weighed.expected = tuple(sorted(cell for bay in bays for cell in bay.cells))
                if known := getattr(each, "calibration", None):
                    click.echo(f"in grams by {known.path}, made {known.values.made.at:%Y-%m-%d}")
                    seen.weighed.factors = known.factors
            return each.reader, seen
    there = ", ".join(each.name for each in (config.gates if gate else config.shelves)) or "none"
    raise ConfigError(
        f"{config_path}: no {'gate' if gate else 'shelf'} is called {gate or shelf!r}; there is {there}"
    )


def _pace(settings: ReaderConfig) -> Pace:
    if not isinstance(settings, MqttScaleConfig):
        return Pace.LINE
    return Pace.ON_CHANGE if settings.format == "home_assistant" else Pace.PUBLISHED


def from_url(url: str, driver: str | None, given: Sequence[str] = ()) -> ReaderConfig:
    """A driver's settings from a URL and those given as KEY=VALUE, the rest as by default. Raises ConfigError."""
    written = {"driver": driver or guess(url), "url": url, **dict(map(_setting, given))}
    adapter: TypeAdapter[ReaderConfig] = TypeAdapter(ReaderConfig)
    try:
        return adapter.validate_python(written)
    except ValidationError as error:
        problems = [f"{_key(problem['loc'])}: {what(problem)}" for problem in error.errors()]
        missing = [_key(problem["loc"]) for problem in error.errors() if problem["type"] == "missing"]
        hint = (
            "; give " + " and ".join(_to_set(str(written["driver"]), key) for key in missing)
            if missing
            else ""
        )
        raise ConfigError("; ".join(problems) + hint) from None


def _to_set(driver: str, key: str) -> str:
    """How a setting is given, with the values that it may have where they are few and known."""
    setting = _configs()[driver].model_fields[key]
    values = (
        [*get_args(setting.annotation)] if get_origin(setting.annotation) is Literal else setting.examples
    )
    if not values:
        return f"--set {key}=VALUE"
    first, *more = map(str, values)
    return f"--set {key}={first}" + (f" (or {', '.join(more)})" if more else "")


def _key(loc: tuple[int | str, ...]) -> str:
    """A setting's own name, without the driver's before it."""
    return ".".join(map(str, loc[1:])) or "driver"


def _setting(given: str) -> tuple[str, Any]:
    """KEY=VALUE: the value as TOML, and as a word where it is none. Raises ConfigError."""
    key, mark, value = given.partition("=")
    if not mark or not key.isidentifier():
        raise ConfigError(f"--set {given}: write KEY=VALUE, as --set region=EU")
    try:
        return key, tomllib.loads(f"{key} = {value}")[key]
    except tomllib.TOMLDecodeError:
        return key, value


def guess(url: str) -> str:
    """The driver that a URL means. Raises ConfigError, saying which to add where it could be several."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{url!r} is no URL: {error}") from None
    if parts.scheme == "tcp" and port in PORTS:
        return PORTS[port]
    possible = sorted(name for name in _configs() if parts.scheme in LINKS[name].split(", "))
    if not possible:
        schemes = sorted({link for name in _configs() for link in LINKS[name].split(", ")})
        raise ConfigError(f"{url!r} is no device's address; it begins with one of {', '.join(schemes)}")
    if len(possible) == 1:
        return possible[0]
    known = " and ".join(f"{port} ({driver})" for port, driver in PORTS.items())
    ports = f", as only the ports {known} do" if parts.scheme == "tcp" else ""
    raise ConfigError(
        f"{url} does not tell which protocol{ports}: add --driver {', or --driver '.join(possible)}"
    )


def _wall_us() -> int:
    return time.time_ns() // 1000


def _configs() -> dict[str, Any]:
    """The settings of each driver, by its name."""
    union = get_args(ReaderConfig)[0]
    return {get_args(config.model_fields["driver"].annotation)[0]: config for config in get_args(union)}


def about(driver: str) -> dict[str, str]:
    """One driver, from its settings and its README."""
    readme = (READMES / driver / "README.md").read_text("utf-8")
    first = " ".join(readme.split("\n\n")[1].split())
    (row,) = (line for line in readme.splitlines() if line.startswith("| captured on real hardware"))
    return {
        "driver": driver,
        "reads": _configs()[driver].yields,
        "links": LINKS[driver],
        "for": first.split(". ")[0].rstrip(".:") + ".",
        "hardware": row.strip("|").split("|")[1].strip(),
    }


def serial_ports() -> list[str]:
    """Serial ports plugged in here, by the links that stay the same after the next power cut where there are any."""
    if SERIAL.is_dir() and (ports := sorted(map(str, SERIAL.iterdir()))):
        return ports
    return sorted(str(port) for kind in ("ttyUSB*", "ttyACM*") for port in Path("/dev").glob(kind))
