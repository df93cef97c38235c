"""Commands that this edge has answered. SQL only; the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection

KEEP_US = 86_400_000_000  # beyond its expiry: for so long the wall clock may have been set back


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a command. `asked` stands for what it asked, so that another one under its id is noticed."""

    command: str
    asked: bytes
    reply: bytes
    expires_us: int


def save(connection: Connection, handled: Sequence[Handled], now_us: int) -> None:
    """Keep these; the first that was kept of a command stays. What expired long ago is forgotten."""
    connection.execute("DELETE FROM commands WHERE expires_us < ?", (now_us - KEEP_US,))
    connection.executemany(
        "INSERT INTO commands (id, asked, reply, expires_us) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        [(each.command, each.asked, each.reply, each.expires_us) for each in handled],
    )


def find(connection: Connection, command: str) -> Handled | None:
    row = connection.execute(
        "SELECT id, asked, reply, expires_us FROM commands WHERE id = ?", (command,)
    ).fetchone()
    return Handled(*row) if row else None
