"""Where a device is: `tcp://host:port` or `serial:/path?baud=9600`. Parsed without touching anything."""

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator

Parity = Literal["N", "E", "O"]
Flow = Literal["none", "rtscts", "xonxoff"]

# Standard speeds only: others are not exact on most UARTs, and a typing error should not open a port at 960 baud.
_BAUDS = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
_LINE: dict[str, dict[str, Any]] = {
    "baud": {str(baud): baud for baud in _BAUDS},
    "bits": {"7": 7, "8": 8},
    "parity": {"none": "N", "even": "E", "odd": "O"},
    "stop": {"1": 1, "2": 2},
    "flow": {"none": "none", "rtscts": "rtscts", "xonxoff": "xonxoff"},
}
# As scales' menus and manuals write bits, parity and stop together: framing=7E1.
_FRAMINGS = {
    f"{bits}{parity}{stop}": {"bits": bits, "parity": parity, "stop": stop}
    for bits in (7, 8)
    for parity in "NEO"
    for stop in (1, 2)
}


@dataclass(frozen=True, slots=True)
class TcpUrl:
    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp://[{self.host}]:{self.port}" if ":" in self.host else f"tcp://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SerialUrl:
    """A serial port and its line settings; 8 data bits, no parity and 1 stop bit unless the URL says otherwise.

    `keep_dtr`: leave the line DTR up when the port is closed; a driver says so for devices that its rising resets.
    """

    path: str
    baud: int
    bits: Literal[7, 8] = 8
    parity: Parity = "N"
    stop: Literal[1, 2] = 1
    flow: Flow = "none"
    keep_dtr: bool = False

    def __str__(self) -> str:
        return f"serial:{self.path}"


DeviceUrl = TcpUrl | SerialUrl


def parse(url: str, *, port: int | None = None, baud: int = 9600) -> DeviceUrl:
    """Read a device's URL; `port` and `baud` are what the driver takes where the URL is silent.

    Raises:
        ValueError: saying what is wrong and what would be right.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(f"{url!r} is no URL ({error}); {_FORMS}") from None
    match parts.scheme:
        case "tcp":
            return _tcp(url, parts, port)
        case "serial":
            return _serial(url, parts, baud)
        case _:
            raise ValueError(f"{url!r} is no device address; {_FORMS}")


_FORMS = "write tcp://host:port or serial:/dev/serial/by-id/...?baud=9600"


def _tcp(url: str, parts: SplitResult, default: int | None) -> TcpUrl:
    if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{url!r}: write only tcp://host:port")
    try:
        port = parts.port or default
    except ValueError:
        raise ValueError(f"{url!r}: a port is a number from 1 to 65535") from None
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host; write tcp://host:port")
    if port is None:
        raise ValueError(f"{url!r} names no port; write tcp://{parts.hostname}:port")
    return TcpUrl(parts.hostname, port)


def _serial(url: str, parts: SplitResult, baud: int) -> SerialUrl:
    if parts.netloc or not parts.path.startswith("/") or parts.fragment:
        raise ValueError(f"{url!r}: write the port's absolute path, as serial:/dev/ttyUSB0")
    found: dict[str, Any] = {"baud": baud}
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    for key, value in pairs:
        if key not in _LINE and key != "framing":
            raise ValueError(f"{url!r}: {key!r} is no line setting; there are {', '.join(_LINE)}, framing")
        if [k for k, _ in pairs].count(key) > 1:
            raise ValueError(f"{url!r} says {key} more than once")
        if key == "framing":
            found |= _framing(url, value, [k for k, _ in pairs])
            continue
        if value not in _LINE[key]:
            raise ValueError(f"{url!r}: {key} is one of {', '.join(_LINE[key])}, not {value!r}")
        found[key] = _LINE[key][value]
    return SerialUrl(parts.path, **found)


def _framing(url: str, value: str, keys: list[str]) -> dict[str, Any]:
    """What framing=7E1 sets. Raises ValueError."""
    if doubled := [key for key in ("bits", "parity", "stop") if key in keys]:
        raise ValueError(f"{url!r}: framing says bits, parity and stop; leave out {', '.join(doubled)}")
    if value.upper() not in _FRAMINGS:
        raise ValueError(f"{url!r}: framing is one of {', '.join(_FRAMINGS)}, not {value!r}")
    return _FRAMINGS[value.upper()]


def checked(port: int | None = None) -> AfterValidator:
    """For a setting that holds a device's URL: kept as written, once it can be read."""

    def check(url: str) -> str:
        parse(url, port=port)
        return url

    return AfterValidator(check)
