"""From a byte stream to whole messages. Source: LLRP 1.1, section 17.1."""

import struct
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, cast

from edge.errors import ProtocolError

HEADER = struct.Struct("!HII")  # 3 reserved bits, 3 of version, 10 of type; length; id
HEADER_SIZE = HEADER.size
_unpack_header = HEADER.unpack_from
VERSIONS = (1, 2)  # LLRP 1.0.1 and 1.1

# A longer message is a corrupt length, not a report: 1 MiB holds about 17,000 tag reports with every optional field
# on (62 bytes each). A reader's capabilities with four antennas take 1.6 kB.
MAX_MESSAGE = 1 << 20


class Message(NamedTuple):
    type: int
    id: int
    body: bytes


# As Message._make, at half the price: how many values there are is known.
_message = cast(Callable[[tuple[int, int, bytes]], Message], partial(tuple.__new__, Message))


class Framer:
    """Cuts one connection's byte stream into messages."""

    def __init__(self) -> None:
        self._buffer = b""

    def receive(self, data: bytes) -> None:
        """Take bytes as they came off the wire, in any pieces."""
        self._buffer = self._buffer + data if self._buffer else data

    def messages(self) -> Iterator[Message]:
        """Yield each message now complete, oldest first.

        Raises:
            ProtocolError: what follows is not LLRP. LLRP has no start marker to find again, so drop this framer
                and its connection.
        """
        buffer, at, size = self._buffer, 0, len(self._buffer)
        try:
            while size - at >= HEADER_SIZE:
                head, length, message_id = _unpack_header(buffer, at)
                if head >> 10 not in VERSIONS:  # above the version are reserved bits, which are zero
                    raise ProtocolError(
                        f"LLRP version {head >> 10 & 7} in header {head:04x}, expected {VERSIONS}"
                    )
                if not HEADER_SIZE <= length <= MAX_MESSAGE:
                    raise ProtocolError(
                        f"LLRP message of {length} bytes, expected {HEADER_SIZE} to {MAX_MESSAGE}"
                    )
                end = at + length
                if end > size:
                    return
                start, at = at + HEADER_SIZE, end
                yield _message((head & 0x3FF, message_id, buffer[start:end]))
        finally:
            self._buffer = buffer[at:]
