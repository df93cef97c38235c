"""Who we are to a broker or a device: from a file or the environment, never from the configuration itself."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from edge.errors import ConfigError

UPLINK = "STOCKBEAT_UPLINK"  # what the names of its two variables begin with
KEYS = {"username", "password"}


def credentials(
    file: Path | None, environment: Mapping[str, str], *, prefix: str = UPLINK
) -> tuple[str | None, str | None]:
    """User name and password; the environment's where it has them, else the file's (TOML), else none.

    Args:
        prefix: of the variables, `<prefix>_USERNAME` and `<prefix>_PASSWORD`.

    Raises:
        ConfigError: the file cannot be read, or holds anything else.
    """
    written = _read(file) if file else {}
    return (
        environment.get(f"{prefix}_USERNAME") or written.get("username"),
        environment.get(f"{prefix}_PASSWORD") or written.get("password"),
    )


def logins(file: Path) -> dict[str, str]:
    """Everybody who may log in, with passwords. Raises ConfigError."""
    written = _toml(file)
    if not written or not all(isinstance(value, str) and value and name for name, value in written.items()):
        raise ConfigError(
            f'{file}: write a line for each who may log in, name = "password", and nothing else'
        )
    return written


def _read(file: Path) -> dict[str, str]:
    written = _toml(file)
    if written.keys() - KEYS or not all(isinstance(value, str) for value in written.values()):
        raise ConfigError(f'{file}: write two lines, username = "…" and password = "…", and nothing else')
    return written


def _toml(file: Path) -> dict[str, str]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
