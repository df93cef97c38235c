"""What was taken from the shelves of a site lately and may be put back, here or elsewhere."""

import msgspec

from edge.aggregator.hypotheses import Taken

KEPT_MS = 600_000  # goods carried for longer are put back where they fit, if at all
MOST_KEPT = 64
BACK_MS = 1_000  # put back so soon after, by the clocks of two cells


class TakenLately:
    """The newest last."""

    def __init__(self) -> None:
        self._taken: list[Taken] = []
        self.changed = False

    def took(self, taken: Taken) -> None:
        self._taken.append(taken)
        del self._taken[:-MOST_KEPT]
        self.changed = True

    def back(self, taken: Taken) -> None:
        """It was put back, somewhere."""
        if taken in self._taken:
            self._taken.remove(taken)
            self.changed = True

    def around(self, shelf: str, bay: str, at_ms: int) -> tuple[list[Taken], list[Taken]]:
        """Of this bay, and of others."""
        lately = [each for each in self._taken if -BACK_MS <= at_ms - each.at_ms <= KEPT_MS]
        here = [each for each in lately if (each.shelf, each.bay) == (shelf, bay)]
        return here, [each for each in lately if (each.shelf, each.bay) != (shelf, bay)]

    def save(self) -> bytes:
        self.changed = False
        return _ENCODER.encode(self._taken)

    def restore(self, blob: bytes) -> None:
        self._taken = _DECODER.decode(blob)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Taken])
