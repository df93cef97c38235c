"""What a reader has to say unasked: tag reports and events, oldest first, in a buffer that has an end."""

import struct
from collections import deque

from simulators.llrp.clock import Clock
from simulators.llrp.layout import HEADER, V1_0_1, Param, Type, message, tlv

MOST_HELD = 50_000  # tag reports; about ten minutes of a busy door
WARN_AT = 0.9


class Held:
    """The reader's buffer. Assumed: a full one takes no more, rather than forget the oldest."""

    def __init__(self, clock: Clock, most: int = MOST_HELD) -> None:
        self.version = V1_0_1  # that the present client is spoken to in
        self._clock = clock
        self.most = most
        self._messages: deque[tuple[Type, bytes, int]] = deque()  # with the number of tags in each
        self._tags = 0
        self._overflowed = False
        self._warned = False
        self._next_id = 0

    def report(self, tags: list[bytes], *, warn: bool) -> None:
        """Keep one report of these TagReportData parameters; `warn` says whether a filling buffer is an event."""
        if not tags:
            return
        if self._tags + len(tags) > self.most:
            if not self._overflowed:
                self._overflowed = True
                self.event(tlv(Param.BUFFER_OVERFLOW))
            return
        self._messages.append((Type.RO_ACCESS_REPORT, b"".join(tags), len(tags)))
        self._tags += len(tags)
        if self._tags >= WARN_AT * self.most and not self._warned:
            self._warned = True
            if warn:
                self.event(tlv(Param.BUFFER_LEVEL_WARNING, bytes([int(100 * self._tags / self.most)])))

    def event(self, event: bytes) -> None:
        """Keep one event, with the time that it is now."""
        self._messages.append((Type.READER_EVENT_NOTIFICATION, self.notification(event)[HEADER.size :], 0))

    def take(self) -> bytes | None:
        """The oldest message, which is then forgotten; None when there is none."""
        if not self._messages:
            self._warned = self._overflowed = False
            return None
        kind, body, tags = self._messages.popleft()
        self._tags -= tags
        return message(kind, self.new_id(), body, self.version)

    def notification(self, event: bytes) -> bytes:
        """A READER_EVENT_NOTIFICATION to be sent at once."""
        kind = Param.UTC_TIMESTAMP if self._clock.has_utc else Param.UPTIME
        at = tlv(kind, struct.pack("!Q", self._clock.now_us()))
        data = tlv(Param.EVENT_NOTIFICATION_DATA, at + event)
        return message(Type.READER_EVENT_NOTIFICATION, self.new_id(), data, self.version)

    def new_id(self) -> int:
        """The id of the next message that answers none."""
        number = self._next_id
        self._next_id = (number + 1) & 0xFFFFFFFF
        return number
