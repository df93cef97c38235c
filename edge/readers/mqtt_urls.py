"""Where a device's messages are: `mqtt://host:port?topic=…`. Parsed without touching anything."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator

PORTS = {"mqtt": 1883, "mqtts": 8883}  # IANA's registrations
MOST_TOPICS = 8  # a device has one for data, one for status, one for inputs
_FORM = "write mqtt://host:1883?topic=door/1/tags or mqtts://host:8883?topic=…"


@dataclass(frozen=True, slots=True)
class MqttUrl:
    """`topics` are filters, of MQTT's own kind: `+` is one level, `#` at the end all below."""

    host: str
    port: int
    tls: bool
    topics: tuple[str, ...]

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def parse(url: str) -> MqttUrl:
    """Read an MQTT device's URL. In a topic `#` and `+` may be written as they are.

    Raises:
        ValueError: saying what is wrong and what would be right.
    """
    # In a URL `#` begins a fragment and `+` is a space; in a topic filter both are wildcards, and nobody writes %23.
    written = url.replace("#", "%23").replace("+", "%2B")
    try:
        parts = urlsplit(written)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is no URL ({error}); {_FORM}") from None
    if "@" in parts.netloc:
        raise ValueError(
            "holds a user name or password; put them in credentials_file or in "
            "STOCKBEAT_READERS_USERNAME and STOCKBEAT_READERS_PASSWORD"
        )
    if parts.scheme not in PORTS or not parts.hostname or port == 0 or parts.path not in ("", "/"):
        raise ValueError(f"{url!r} is no address of an MQTT device; {_FORM}")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if strange := [key for key, _ in pairs if key != "topic"]:
        raise ValueError(f"{url!r}: {strange[0]!r} is no setting of an MQTT address; {_FORM}")
    topics = tuple(value for _, value in pairs)
    if not topics:
        raise ValueError(f"{url!r} names no topic; {_FORM}")
    if len(topics) > MOST_TOPICS:
        raise ValueError(f"{url!r}: {len(topics)} topics; use a wildcard, or at most {MOST_TOPICS}")
    for topic in topics:
        _check(url, topic)
    return MqttUrl(parts.hostname, port or PORTS[parts.scheme], parts.scheme == "mqtts", topics)


def _check(url: str, topic: str) -> None:
    """MQTT 3.1.1, section 4.7.1: a wildcard is a whole level, and `#` the last one."""
    levels = topic.split("/")
    if not topic or "\0" in topic or len(topic.encode()) > 65_535:
        raise ValueError(f"{url!r}: {topic!r} is no topic")
    for i, level in enumerate(levels):
        if ("#" in level and (level != "#" or i != len(levels) - 1)) or ("+" in level and level != "+"):
            raise ValueError(f"{url!r}: in {topic!r} a '+' is a whole level, and a '#' the whole last one")


def matches(topics: tuple[str, ...], topic: str) -> bool:
    """Whether one of the filters takes a topic (MQTT 3.1.1, section 4.7)."""
    return any(_matches(each.split("/"), topic.split("/")) for each in topics)


def _matches(levels: list[str], topic: list[str]) -> bool:
    for i, level in enumerate(levels):
        if level == "#":
            return not (i == 0 and topic[0].startswith("$"))
        if i >= len(topic) or level not in ("+", topic[i]):
            return False
    return len(levels) == len(topic)


def checked() -> AfterValidator:
    """For a setting that holds such a URL: kept as written, once it can be read."""

    def check(url: str) -> str:
        parse(url)
        return url

    return AfterValidator(check)
