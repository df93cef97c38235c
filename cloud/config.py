"""Where things are: `cloud.toml`, checked whole before anything starts. What is stocked is master data instead."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, Field, ValidationError, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from cloud.errors import ConfigError
from cloud.section import Section, problems


def _ledger_url(url: str) -> str:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(
            f"write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE, not {url!r}"
        ) from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError(f"sqlite or postgresql, not {parsed.get_backend_name()!r}")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ValueError(f"a ledger in memory would be lost: write sqlite:///FILE, not {url!r}")
    return url


def _url(*schemes: str) -> AfterValidator:
    def check(url: str) -> str:
        parts = urlsplit(url)
        try:
            port_fits = parts.port != 0
        except ValueError:
            port_fits = False
        if parts.scheme not in schemes or not parts.hostname or not port_fits:
            raise ValueError(f"write {' or '.join(schemes)}://HOST:PORT, not {url!r}")
        if parts.username or parts.password:
            raise ValueError("credentials belong in a file or the environment, not in the URL")
        return url

    return AfterValidator(check)


def _host_port(listen: str) -> str:
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"write HOST:PORT, such as 127.0.0.1:8000, not {listen!r}")
    return listen


class LedgerConfig(Section):
    url: Annotated[str, AfterValidator(_ledger_url)]


class BrokerConfig(Section):
    url: Annotated[str, _url("mqtt", "mqtts")]
    mqtt_version: Literal[3, 5] = 3  # 3 is 3.1.1, which every broker speaks
    credentials_file: Path | None = None
    ca_file: Path | None = None  # for mqtts: whom to trust, where the system's own list does not do


class WebConfig(Section):
    listen: Annotated[str, AfterValidator(_host_port)] = "127.0.0.1:8000"
    # Where phones reach the console, for the codes on bays; without, the address that the codes were asked for at.
    address: Annotated[str, _url("http", "https")] | None = None

    @property
    def host(self) -> str:
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])


class SeriesConfig(Section):
    url: Annotated[str, _url("http", "https")]
    org: str = Field(min_length=1)
    bucket: str = Field(min_length=1)
    token_file: Path | None = None  # or STOCKBEAT_SERIES_TOKEN


class MailConfig(Section):
    smtp: Annotated[str, _url("smtp", "smtps")]
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    credentials_file: Path | None = None


class EpcisConfig(Section):
    # Places without an id of their own in the master data are told as addresses below this.
    base_url: Annotated[str, _url("http", "https")] = "https://stockbeat.invalid"
    ids: Literal["digital_link", "urn"] = "digital_link"
    aggregate: Literal["declared", "together"] = "declared"  # what makes a tag a unit's child
    capture_url: Annotated[str, _url("http", "https")] | None = None
    token_file: Path | None = None  # or STOCKBEAT_EPCIS_TOKEN
    since: AwareDatetime | None = None  # what was before is not pushed

    @property
    def base(self) -> str:
        return self.base_url.rstrip("/")

    @model_validator(mode="after")
    def _pushes_under_a_name_of_its_own(self) -> "EpcisConfig":
        if self.capture_url is not None and "base_url" not in self.model_fields_set:
            raise ValueError(
                "base_url is needed beside capture_url: an address of your own, for places that have no other id"
            )
        return self


class CloudConfig(Section):
    ledger: LedgerConfig
    broker: BrokerConfig
    web: WebConfig = WebConfig()
    series: SeriesConfig | None = None
    mail: MailConfig | None = None
    epcis: EpcisConfig = EpcisConfig()


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str


def load(path: Path) -> CloudConfig:
    """Read and check a configuration file. A SQLite ledger's relative path is taken from the file's own folder.

    Raises:
        ConfigError: naming the file and, a line each, every setting that is wrong.
    """
    try:
        config = CloudConfig.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        raise ConfigError("\n".join([f"{path}:", *(f"  {line}" for line in problems(error))])) from None
    return config.model_copy(update={"ledger": LedgerConfig(url=_anchored(config.ledger.url, path.parent))})


def _anchored(url: str, folder: Path) -> str:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database is None:
        return url
    database = str((folder / parsed.database).absolute())
    return parsed.set(database=database).render_as_string(hide_password=False)


def credentials(kind: str, file: Path | None, environ: Mapping[str, str] = os.environ) -> Credentials | None:
    """A user name and password: STOCKBEAT_<KIND>_USERNAME and _PASSWORD, else a TOML file of both, else None.

    Raises:
        ConfigError: half a pair, or a file that cannot be read or holds anything else.
    """
    name, secret = f"STOCKBEAT_{kind.upper()}_USERNAME", f"STOCKBEAT_{kind.upper()}_PASSWORD"
    username, password = environ.get(name), environ.get(secret)
    if username is not None and password is not None:
        return Credentials(username, password)
    if username is not None or password is not None:
        raise ConfigError(f"set both {name} and {secret}, or neither")
    return None if file is None else _pair(file)


def _pair(file: Path) -> Credentials:
    try:
        written = tomllib.loads(_secret(file))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}") from None
    if written.keys() != {"username", "password"} or not all(
        isinstance(value, str) for value in written.values()
    ):
        raise ConfigError(f'{file}: write two lines, username = "…" and password = "…", and nothing else')
    return Credentials(written["username"], written["password"])


def token(kind: str, file: Path | None, environ: Mapping[str, str] = os.environ) -> str:
    """A token: STOCKBEAT_<KIND>_TOKEN, else the file's text, else empty. Raises ConfigError."""
    name = f"STOCKBEAT_{kind.upper()}_TOKEN"
    if name in environ:
        return environ[name]
    return _secret(file).strip() if file else ""


def _secret(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: {error}") from error
