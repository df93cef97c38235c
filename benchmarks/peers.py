"""Other ways to tell a direction, on the same reads. None knows strays, loads or doubt: in, out, or nothing is said.

EdgeX's rule is re-implemented here from the documentation and source of app-rfid-llrp-inventory (tagprocessor.go,
mobilityprofile.go; read 2025-11). It tells between which antennas a tag *moves*; it was never made to tell a direction.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from benchmarks.said import Said
from edge.reads import TagRead

Sides = Mapping[int, str]
Peer = Callable[[Sequence[TagRead], Sides], Iterable[Said]]


def first_last(reads: Sequence[TagRead], sides: Sides) -> Iterator[Said]:
    """The sides of a tag's first and last read."""
    ends: dict[str, tuple[str, TagRead]] = {}
    for read in reads:
        ends[read.epc] = (ends[read.epc][0] if read.epc in ends else sides[read.antenna], read)
    for epc, (first, last) in ends.items():
        if first != sides[last.antenna]:
            yield Said(last.at_us, epc, _to(sides[last.antenna]), 1.0)


def centroids(seconds: float) -> Peer:
    """The middles in time of either side's reads, weighted by power, at least so far apart."""

    def peer(reads: Sequence[TagRead], sides: Sides) -> Iterator[Said]:
        sums: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0]))
        zero_us = reads[0].at_us if reads else 0
        for read in reads:
            weight = 10 ** (read.rssi_dbm / 10)
            both = sums[read.epc][sides[read.antenna]]
            both[0] += weight
            both[1] += weight * (read.at_us - zero_us)
        for epc, by_side in sums.items():
            if len(by_side) < 2:
                continue
            outside, inside = (by_side[side][1] / by_side[side][0] for side in ("outside", "inside"))
            if abs(inside - outside) > 1e6 * seconds:
                yield Said(
                    zero_us + round((inside + outside) / 2), epc, "in" if inside > outside else "out", 1.0
                )

    return peer


def edgex_moves(reads: Sequence[TagRead], sides: Sides) -> Iterator[Said]:
    """Each move of a tag from one side's alias to the other's, with EdgeX's default mobility profile.

    A tag moves to L from P when the mean of its last 20 powers at L, two at least, exceeds that at P by an offset,
    which is 6 dB until half a second after the last read at P and falls by 8 dB a second from then on.
    """
    powers: dict[tuple[str, str], deque[float]] = defaultdict(lambda: deque(maxlen=20))
    last_us: dict[tuple[str, str], int] = {}
    place: dict[str, str] = {}
    for read in reads:
        there = sides[read.antenna]
        here = powers[read.epc, there]
        here.append(read.rssi_dbm)
        last_us[read.epc, there] = read.at_us
        at = place.setdefault(read.epc, there)
        if at == there or len(here) < 2:
            continue
        before = powers[read.epc, at]
        waited_ms = (read.at_us - last_us[read.epc, at]) / 1000
        offset = min(6.0, 6.0 - 0.008 * (waited_ms - 500))
        if sum(here) / len(here) > sum(before) / len(before) + offset:
            place[read.epc] = there
            yield Said(read.at_us, read.epc, _to(there), 1.0)


def edgex_ends(reads: Sequence[TagRead], sides: Sides) -> Iterator[Said]:
    """Where EdgeX's rule takes a tag to be at last, where that is not where it was at first."""
    moves: dict[str, Said] = {}
    count: dict[str, int] = defaultdict(int)
    for said in edgex_moves(reads, sides):
        moves[said.epc] = said
        count[said.epc] += 1
    return (said for epc, said in moves.items() if count[epc] % 2)


def _to(side: str) -> str:
    return "in" if side == "inside" else "out"


ONCE: dict[str, Peer] = {  # for a recording of one run
    "EdgeX's rule": edgex_ends,
    "first and last antenna": first_last,
    "RSSI centroids 0.6 s apart": centroids(0.6),
    "RSSI centroids 1.0 s apart": centroids(1.0),
}
