"""The errors that reading the wire raises."""

from wire.envelope import Key


class DecodeError(Exception):
    """The bytes are not a message of this contract. The text says what was wrong and what would be right.

    `key` is the event's identity where at least that could be read: such a line is kept and parked, not dropped.
    """

    def __init__(self, message: str, key: Key | None = None) -> None:
        super().__init__(message)
        self.key = key


class CommandError(DecodeError):
    """The bytes are no command of this contract. `command` is its id where that could be read: it can be refused."""

    def __init__(self, message: str, command: str | None = None) -> None:
        super().__init__(message)
        self.command = command
