"""The one error that reading the wire raises."""

from wire.envelope import Key


class DecodeError(Exception):
    """The bytes are not a message of this contract. The text says what was wrong and what would be right.

    `key` is the event's identity where at least that could be read: such a line is kept and parked, not dropped.
    """

    def __init__(self, message: str, key: Key | None = None) -> None:
        super().__init__(message)
        self.key = key
