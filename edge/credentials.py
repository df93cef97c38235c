"""Who the edge is to its broker: from a file or the environment, never from the configuration or the command line."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from edge.errors import ConfigError

USERNAME = "STOCKBEAT_UPLINK_USERNAME"
PASSWORD = "STOCKBEAT_UPLINK_PASSWORD"
KEYS = {"username", "password"}


def credentials(file: Path | None, environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    """User name and password; the environment's where it has them, else the file's (TOML), else none.

    Raises:
        ConfigError: the file cannot be read, or holds anything else.
    """
    written = _read(file) if file else {}
    return environment.get(USERNAME) or written.get("username"), environment.get(PASSWORD) or written.get(
        "password"
    )


def _read(file: Path) -> dict[str, str]:
    try:
        written = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
    if written.keys() - KEYS or not all(isinstance(value, str) for value in written.values()):
        raise ConfigError(f'{file}: write two lines, username = "…" and password = "…", and nothing else')
    return written
