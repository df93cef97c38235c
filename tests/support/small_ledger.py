"""A ledger in a few lines, as an edge sees one: it keeps what it understands and acknowledges whole runs."""

from copy import deepcopy
from dataclasses import dataclass, field

from wire import codec
from wire.envelope import Envelope, Key
from wire.errors import DecodeError
from wire.events import Missing
from wire.messages import Ack

MOST_RANGES = 1000  # in one acknowledgement (wire.messages.Ack)


@dataclass
class SmallLedger:
    """Sans-IO. `poison`: events that it never takes, whatever else it does."""

    name: str = "ledger-1"
    generation: int = 1
    lines: dict[Key, bytes] = field(default_factory=dict)
    stepped_over: set[tuple[str, int]] = field(default_factory=set)
    poison: set[tuple[str, int]] = field(default_factory=set)
    conflicts: list[bytes] = field(default_factory=list)

    def deliver(self, payload: bytes) -> list[Ack]:
        """Take a message; returns an acknowledgement for each run that it touched."""
        touched: dict[str, None] = {}
        for line in codec.split(payload):
            envelope, key = _read(line)
            if key is None:
                continue
            touched[key.run] = None
            if (key.run, key.seq) in self.poison:
                continue
            if self.lines.setdefault(key, line) != line:
                self.conflicts.append(line)
            if envelope and isinstance(envelope.event, Missing):
                missing = envelope.event
                span = range(missing.from_seq, missing.to_seq + 1)
                self.stepped_over |= {(missing.run, seq) for seq in span}
        return [self.ack(run) for run in touched]

    def has(self, run: str) -> set[int]:
        """What is settled of a run."""
        taken = {key.seq for key in self.lines if key.run == run}
        return taken | {seq for name, seq in self.stepped_over if name == run}

    def ack(self, run: str) -> Ack:
        settled = self.has(run)
        through = 0
        while through + 1 in settled:
            through += 1
        ranges: list[tuple[int, int]] = []
        for seq in sorted(seq for seq in settled if seq > through):
            if ranges and ranges[-1][1] == seq - 1:
                ranges[-1] = (ranges[-1][0], seq)
            else:
                ranges.append((seq, seq))
        return Ack(
            ledger=self.name,
            generation=self.generation,
            run=run,
            through=through,
            ranges=tuple(ranges[:MOST_RANGES]),
        )

    def backup(self) -> "SmallLedger":
        return deepcopy(self)

    def restored(self, copy: "SmallLedger") -> "SmallLedger":
        """The copy put back in place of this one, which raises the generation."""
        back = deepcopy(copy)
        back.generation = self.generation + 1
        back.poison = set(self.poison)
        return back


def _read(line: bytes) -> tuple[Envelope | None, Key | None]:
    try:
        envelope = codec.decode(line)
    except DecodeError as error:
        return None, error.key
    return envelope, envelope.key
