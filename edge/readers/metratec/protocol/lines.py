"""Cuts a stream into lines. Both generations end a line by CR, by LF, or by both, and some pad it with NULs."""

import re
from collections.abc import Iterator

from edge.errors import ProtocolError

# The longest line is a tag's: 62 bytes of EPC and 38 of TID in hexadecimal, and 20 characters around them.
MAX_LINE = 512
_END = re.compile(rb"[\r\n]")


class Lines:
    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> None:
        """Take bytes as they came off the line, in any pieces."""
        self._buffer += data

    def lines(self) -> Iterator[bytes]:
        """Yield each line now complete, without its end; empty ones are passed over.

        Raises:
            ProtocolError: so many bytes without a line end that this is another device, or another speed.
        """
        while (end := _END.search(self._buffer)) is not None:
            line = bytes(self._buffer[: end.start()]).strip(b"\0 ")
            if end.start() > MAX_LINE:
                raise self._endless()
            del self._buffer[: end.end()]
            if line:
                yield line
        if len(self._buffer) > MAX_LINE:
            raise self._endless()

    def _endless(self) -> ProtocolError:
        shown = bytes(self._buffer[:20])
        self._buffer.clear()
        return ProtocolError(f"no line end in {MAX_LINE} bytes ({shown!r}...): is the port's speed right?")
