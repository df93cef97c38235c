"""What a driver may know of whoever runs it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.credentials import credentials
from edge.errors import ConfigError, ReaderRefused


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The agent, or a visitor that looks at a device beside it.

    Attributes:
        edge: the agent's name; None for a visitor, who leaves nothing behind and takes nothing away from the agent.
        environment: where credentials may be.
    """

    edge: str | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def login(self, file: Path | None, prefix: str) -> tuple[str | None, str | None]:
        """User name and password. Read at each connection, so that a new password needs no restart.

        Raises:
            ReaderRefused: the file cannot be read, or holds anything else.
        """
        try:
            return credentials(file, self.environment, prefix=prefix)
        except ConfigError as error:
            raise ReaderRefused(str(error)) from error
