"""From a byte stream to whole messages. Source: LLRP 1.1, section 17.1."""

import struct
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import chain
from typing import NamedTuple, cast

from edge.errors import ProtocolError
from edge.readers.llrp.protocol.types import Type

HEADER = struct.Struct("!HII")  # 3 reserved bits, 3 of version, 10 of type; length; id
HEADER_SIZE = HEADER.size
_unpack_header = HEADER.unpack_from
_ALIKE = 6  # bytes of the header that messages have alike: all before the id
VERSIONS = (1, 2)  # LLRP 1.0.1 and 1.1

# A longer message is a corrupt length, not a report: 1 MiB holds about 17,000 tag reports with every optional field
# on (62 bytes each). A reader's capabilities with four antennas take 1.6 kB.
MAX_MESSAGE = 1 << 20

# Reports joined at once: enough to spread the cost of a call, and few enough that looking for more of a kind than there
# are costs little.
_MOST_JOINED = 256


class Message(NamedTuple):
    """One message; or several RO_ACCESS_REPORTs as one, with the id of the first and the content of all."""

    type: int
    id: int
    body: bytes


# As Message._make, at half the price: how many values there are is known.
_message = cast(Callable[[tuple[int, int, bytes]], Message], partial(tuple.__new__, Message))


class Framer:
    """Cuts one connection's byte stream into messages.

    Some readers send each tag in a report of its own. Reports of one length that came together are handed out as one,
    because to take them singly costs several times what their content does. Nothing is said by where a report ends.
    """

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
                start, at = at, end
                type = head & 0x3FF
                if type == Type.RO_ACCESS_REPORT and buffer.startswith(buffer[start : start + _ALIKE], end):
                    at = start + length * _run(buffer, start, length)
                    body = b"".join(chain.from_iterable(_bodies(length)(buffer[start:at])))
                else:
                    body = buffer[start + HEADER_SIZE : end]
                yield _message((type, message_id, body))
        finally:
            self._buffer = buffer[at:]


def _run(buffer: bytes, at: int, length: int) -> int:
    """How many whole messages from `at` on have the same type and length."""
    count = min((len(buffer) - at) // length, _MOST_JOINED)
    for place in range(at, at + _ALIKE):
        column = buffer[place : at + count * length : length]
        count -= len(column.lstrip(column[:1]))
    return count


@cache  # lengths are bounded by MAX_MESSAGE, and those that run by what a reader sends
def _bodies(length: int) -> Callable[[bytes], Iterator[tuple[bytes]]]:
    return struct.Struct(f"{HEADER_SIZE}x{length - HEADER_SIZE}s").iter_unpack
