"""What moved through a gate, tag by tag unknown: the sides from which all moving tags together were read, over time.

A tag of a big load is read three times in a passage, too seldom to prove a direction; its load is read hundreds of
times. Reads are counted in bins of time, so that loads that follow each other in one passage stay apart.
"""

from math import exp, log

import msgspec

from edge.aggregator.tag import INDEPENDENT_S, TRUE_SIDE

BIN_MS = 250
# A tag was with its load before its own first read and after its own last.
MARGIN_MS = 2_000
# No load makes a tag surer than this of its direction: odds of e^3.5, 33 to 1.
BOUND = 4.5
# A load that stood in view is noticed late: so probable is it that it had changed sides before.
UNSEEN = 0.2
_LOOKS = BIN_MS / 1000 / INDEPENDENT_S  # independent reads that a bin can hold
CHANGES_HZ = 0.06  # of a load that is read all the time: it is seen to turn, or it does not
_CHANGE = CHANGES_HZ * BIN_MS / 1000
_LOG_TRUE = log(TRUE_SIDE)
_LOG_FALSE = log(1.0 - TRUE_SIDE)


class Load(msgspec.Struct, array_like=True):
    """Bins by number (steady time over BIN_MS), each with the reads of moving tags from outside and from inside."""

    bins: dict[int, list[int]] = {}

    def see(self, side: int, at_ms: int) -> None:
        counts = self.bins.get(at_ms // BIN_MS)
        if counts is None:
            counts = self.bins[at_ms // BIN_MS] = [0, 0]
        counts[side] += 1

    def forget(self, before_ms: int) -> None:
        for number in [number for number in self.bins if number < before_ms // BIN_MS]:
            del self.bins[number]

    def ways(self, from_ms: int, to_ms: int, start_out: float) -> list[float]:
        """Log-odds, bounded, that what moved in a time went in, went out, or came back.

        `start_out` is how probable it was that it began outside.
        """
        unseen = UNSEEN * abs(2.0 * start_out - 1.0)
        oo, oi = start_out * (1.0 - unseen), start_out * unseen
        io, ii = (1.0 - start_out) * unseen, (1.0 - start_out) * (1.0 - unseen)
        for number in range((from_ms - MARGIN_MS) // BIN_MS, (to_ms + MARGIN_MS) // BIN_MS + 1):
            counts = self.bins.get(number)
            if counts is None:  # a load that is not read is not there: it does not turn round unseen
                continue
            out, inn = _likely(counts[0], counts[1])
            oo, oi = (oo + (oi - oo) * _CHANGE) * out, (oi + (oo - oi) * _CHANGE) * inn
            io, ii = (io + (ii - io) * _CHANGE) * out, (ii + (io - ii) * _CHANGE) * inn
            total = oo + oi + io + ii
            oo, oi, io, ii = oo / total, oi / total, io / total, ii / total
        ways = [log(max(p, 1e-6)) for p in (oi, io, oo + ii)]
        top = max(ways)
        return [max(-BOUND, way - top) for way in ways]


def _likely(outside: int, inside: int) -> tuple[float, float]:
    weight = min(1.0, _LOOKS / (outside + inside))
    return (
        exp(weight * (outside * _LOG_TRUE + inside * _LOG_FALSE)),
        exp(weight * (outside * _LOG_FALSE + inside * _LOG_TRUE)),
    )
