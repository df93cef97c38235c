"""Settings of an Impinj reader that speaks its IoT device interface: publishing MQTT, or streaming over HTTP."""

import re
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from edge.readers.http import HttpUrl, web_address
from edge.readers.mqtt_urls import PORTS, parse
from edge.readers.tls import Fingerprint
from edge.section import FilePath, Section

# It becomes part of a path on the reader's web server.
_PRESET = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)


def _either(url: str) -> str:
    if urlsplit(url).scheme in PORTS:
        parse(url)
    elif urlsplit(url).scheme in ("http", "https"):
        web_address(url)
    else:
        raise ValueError(
            f"{url!r}: write https://192.0.2.30 for its stream, or mqtt://host:1883?topic=… for MQTT"
        )
    return url


def _preset(name: str) -> str:
    if not _PRESET.fullmatch(name):
        raise ValueError(
            f"{name!r} is no preset's name: 1 to 100 letters, digits, dots, hyphens and underscores"
        )
    return name


class ImpinjIotConfig(Section):
    yields: ClassVar[Literal["tags"]] = "tags"
    inputs: ClassVar[bool] = True  # whether it tells of inputs that photo-eyes can be wired to

    driver: Literal["impinj_iot"]
    url: Annotated[str, AfterValidator(_either)]
    # MQTT: the hostname it gives itself or a level of its topic, where several readers publish on one topic.
    reader: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    silent_s: Annotated[float, Field(ge=1, le=86_400)] | None = (
        None  # nothing for so long: the reader is lost
    )
    credentials_file: FilePath | None = (
        None  # for what `url` names: the broker, or the reader's own web server
    )
    ca_file: FilePath | None = (
        None  # of the authority that certified an mqtts broker, in place of the system's
    )
    control: bool = False  # start the inventory by the reader's web server, and again whenever it stops
    preset: Annotated[str, AfterValidator(_preset)] = "default"  # which inventory preset is started
    address: HttpUrl | None = None  # MQTT: the reader's own web server, for `control`
    control_file: FilePath | None = None  # MQTT: user name and password for it
    tls_fingerprint: Fingerprint | None = None  # SHA-256 of the reader's own certificate
    verify: bool = True  # false believes whoever answers at the reader's address

    @property
    def streams(self) -> bool:
        """Over HTTP, not MQTT."""
        return urlsplit(self.url).scheme not in PORTS

    @property
    def web(self) -> str | None:
        """The reader's own web server, where it is known."""
        return self.url if self.streams else self.address

    @model_validator(mode="after")
    def _control_knows_where(self) -> Self:
        if self.control and self.web is None:
            raise ValueError(
                'control needs the reader\'s own address as well: address = "https://192.0.2.30"'
            )
        if self.streams and (self.address or self.control_file or self.ca_file or self.reader):
            raise ValueError(
                "address, control_file, ca_file and reader are for MQTT; url is the reader's own already"
            )
        return self
