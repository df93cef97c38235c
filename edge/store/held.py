"""What a store holds of each run, as values: the outbox says it once at the start, the uplink goes on from there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

Range = tuple[int, int]  # first and last, both included


@dataclass(frozen=True, slots=True)
class Trusted:
    """The ledger whose acknowledgements count. `generation` 0: a person named it, it has not spoken yet."""

    ledger: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRun:
    """One run of the agent.

    Attributes:
        held_from: the first `seq` that is still in the outbox; from there to `last` it has all.
        settled: what the ledger has, ascending and apart.
        quarantined: held, but not to be sent again.
        declared: already said to be missing, in this generation of the ledger.
        probe: the ledger was restored, and has not said yet what it has of this run; `settled` is empty.
    """

    run: str
    held_from: int
    last: int
    settled: tuple[Range, ...] = ()
    quarantined: tuple[int, ...] = ()
    declared: tuple[Range, ...] = ()
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """`waiting`: not acknowledged, not quarantined; `oldest_us`: when the first of those was said."""

    waiting: int
    quarantined: int
    oldest_us: int | None


def spans(seqs: Iterable[int]) -> Iterator[Range]:
    """Ascending numbers as ranges without gaps."""
    for _, run in groupby(enumerate(seqs), key=lambda pair: pair[1] - pair[0]):
        members = [seq for _, seq in run]
        yield members[0], members[-1]
