"""The journal: raw gate reads as they came, in a ring of bytes. SQL only; the caller's transaction.

A row is one batch: what one transaction brought. Its `position` is where the aggregator has got to.
"""

from collections.abc import Iterator, Sequence
from sqlite3 import Connection

import msgspec

from edge.reads import GateRead

Timed = tuple[int, GateRead]  # a read, and the agent's steady clock at it, in milliseconds
TRIM_BATCHES = 64  # a transaction: more than it can add, so that the ring shrinks to its size, and soon done

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Timed])


def append(connection: Connection, reads: Sequence[Timed]) -> tuple[int, int]:
    """Returns the batch's position and its size in bytes. `reads` is not empty."""
    batch = _encoder.encode(reads)
    times = [read.at_us for _, read in reads]
    cursor = connection.execute(
        "INSERT INTO journal (first_us, last_us, reads, bytes, batch) VALUES (?, ?, ?, ?, ?)",
        (min(times), max(times), len(reads), len(batch), batch),
    )
    return int(cursor.lastrowid or 0), len(batch)


def after(connection: Connection, position: int, limit: int) -> list[tuple[int, list[Timed]]]:
    """The next batches behind a position, oldest first."""
    rows = connection.execute(
        "SELECT position, batch FROM journal WHERE position > ? ORDER BY position LIMIT ?", (position, limit)
    )
    return [(at, _decoder.decode(batch)) for at, batch in rows]


def between(connection: Connection, first_us: int, last_us: int) -> Iterator[Timed]:
    """The reads of a span of time, in the order in which they came."""
    rows = connection.execute(
        "SELECT batch FROM journal WHERE last_us >= ? AND first_us <= ? ORDER BY position",
        (first_us, last_us),
    )
    for (batch,) in rows:
        yield from (timed for timed in _decoder.decode(batch) if first_us <= timed[1].at_us <= last_us)


def trim(connection: Connection, excess: int, aggregated: int) -> int:
    """Delete the oldest batches until `excess` bytes are gone; returns the bytes gone. Keeps what is not aggregated."""
    gone, through = 0, 0
    for position, size in connection.execute(
        "SELECT position, bytes FROM journal WHERE position <= ? ORDER BY position LIMIT ?",
        (aggregated, TRIM_BATCHES),
    ):
        if gone >= excess:
            break
        gone, through = gone + size, position
    connection.execute("DELETE FROM journal WHERE position <= ?", (through,))
    return gone
