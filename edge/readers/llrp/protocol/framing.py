"""From a byte stream to whole messages. Source: LLRP 1.1, section 17.1."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from edge.errors import ProtocolError

HEADER = struct.Struct("!HII")  # 3 reserved bits, 3 of version, 10 of type; length; id
VERSIONS = (1, 2)  # LLRP 1.0.1 and 1.1

# A longer message is a corrupt length, not a report: 1 MiB holds about 17,000 tag reports with every optional field
# on (62 bytes each). A reader's capabilities with four antennas take 1.6 kB.
MAX_MESSAGE = 1 << 20


class Message(NamedTuple):
    type: int
    id: int
    body: bytes


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
        buffer, at = self._buffer, 0
        try:
            while len(buffer) - at >= HEADER.size:
                head, length, message_id = HEADER.unpack_from(buffer, at)
                if (version := head >> 10 & 0b111) not in VERSIONS or head >> 13:
                    raise ProtocolError(
                        f"LLRP version {version} in header {head:04x}, expected one of {VERSIONS}"
                    )
                if not HEADER.size <= length <= MAX_MESSAGE:
                    raise ProtocolError(
                        f"LLRP message of {length} bytes, expected {HEADER.size} to {MAX_MESSAGE}"
                    )
                if len(buffer) - at < length:
                    return
                start, at = at + HEADER.size, at + length
                yield Message(head & 0x3FF, message_id, buffer[start:at])
        finally:
            self._buffer = buffer[at:]
