"""Booking what gates say: each tag by its outcome and its history, late ones by rows that compensate."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cloud.booking import Batch, Occasion, evidence, source
from cloud.errors import BookingError
from cloud.ledger.book import Posting
from cloud.ledger.master import Gate, Item
from cloud.ledger.tables import EPOCH
from cloud.tags.flags import Flags, Where
from cloud.tags.kinds import is_stock
from cloud.tags.registry import Registry, Seen, Tag
from cloud.tags.story import RIVALS, Crossing, Given, Judged, Move, Verdict, net, rivals, step, tell
from wire.epc import decode
from wire.events import Direction, TagMovement

SSCC = "sscc-96"
LATE = "late"  # the kind of a movement that only corrects the order in which things were learnt


class Judge:
    """Books tags into one batch. The caller holds the head locks of the sites, and has prefetched the registry."""

    def __init__(self, batch: Batch, registry: Registry, flags: Flags) -> None:
        self._batch = batch
        self.master = batch.master
        self.connection = batch.connection
        self._lines: Counter[str] = Counter()  # how many each source has booked in this transaction
        self.registry = registry
        self.flags = flags
        self.given: Given = {site.id: site.given for site in batch.master.sites.values()}
        self.site_of = {place.id: place.site_id for place in batch.master.locations.values()}

    def crossed(self, occasion: Occasion, event: TagMovement) -> bool:
        """Book one tag's passage; return whether it was new.

        Raises:
            BookingError: no site has such a gate.
        """
        key = occasion.key
        gate = self.master.gates.get((key.edge, event.gate))
        if gate is None:
            raise BookingError(
                f"no site has a gate {event.gate!r} of edge {key.edge!r}: add it to sites.toml"
            )
        epc = decode(event.epc).identity
        if self.registry.knows((key.edge, event.passage, epc)):
            return False
        tag = self.registry.tag(epc)
        crossing = Crossing(
            at=occasion.at,
            edge=key.edge,
            passage=event.passage,
            inward=event.outcome is Direction.IN,
            role=gate.role,
            site_id=gate.site_id,
            outside_id=gate.outside_id,
            inside_id=gate.inside_id,
            tid=event.tid,
            confidence=event.confidence,
        )
        verdict = self._weigh(event, gate, tag)
        seen = Seen(
            crossing=crossing,
            epc=epc,
            gate=event.gate,
            key=key,
            confidence=event.confidence,
            verdict=verdict or Verdict.UNCLAIMED,
        )
        if verdict is None:
            self._count(occasion, seen, tag, event.outcome)
        else:
            counted = verdict is Verdict.AWAITED
            self.registry.record(seen, outcome=event.outcome.value, counted=counted)
            self._flag(seen, verdict, outcome=event.outcome.value)
        return True

    def _weigh(self, event: TagMovement, gate: Gate, tag: Tag) -> Verdict | None:
        """What can be said without the tag's story; None when the story decides."""
        if event.outcome is Direction.TURNED_BACK:
            return Verdict.TURNED_BACK
        if not is_stock(self.master, gate.site_id, tag.epc):
            return Verdict.IGNORED
        if event.outcome is Direction.UNDECIDED or event.confidence < gate.book_at:
            return Verdict.UNDECIDED
        return Verdict.AWAITED if tag.scheme == SSCC else None

    def _count(self, occasion: Occasion, seen: Seen, tag: Tag, outcome: Direction) -> None:
        known_before = tag.item_id is not None
        item = self.item(tag)
        if item is None:
            tag.judged_at = max(tag.judged_at, seen.crossing.at)
            self.registry.touch(tag)
            self._record(seen, Verdict.UNCLAIMED, outcome)
        elif (
            not known_before and tag.judged_at > EPOCH
        ):  # it crossed before an item claimed it: book that too
            self._record(seen, Verdict.UNCLAIMED, outcome)
            self.identify(occasion, tag)
        elif seen.crossing.at > tag.judged_at and not self._contested(seen, tag):
            judged = step(self.given, tag.standing, seen.crossing)
            self._stand(tag, judged, seen.crossing)
            self._record(seen, judged.verdict, outcome)
            self.post(occasion, item, times(judged.moves, item.quantity(tag.quantity)), seen)
        else:
            self._came_late(occasion, seen, tag, item, outcome)

    def _contested(self, seen: Seen, tag: Tag) -> bool:
        """Whether another agent has said the same crossing of a tag."""
        if seen.crossing.at > tag.judged_at + RIVALS:
            return False
        story = self.registry.story(tag.epc, self.site_of)
        return any(rivals(seen.crossing, other.crossing) for other in story)

    def item(self, tag: Tag) -> Item | None:
        """Whose tag it is; once claimed, it stays so."""
        if tag.item_id is None:
            claimed = self.master.claim(tag.epc, decode(tag.epc).gtin)
            tag.item_id = claimed.id if claimed else None
            return claimed
        return self.master.items_by_id[tag.item_id]

    def _stand(self, tag: Tag, judged: Judged, newest: Crossing) -> None:
        tag.standing = judged.standing
        tag.judged_at = max(tag.judged_at, newest.at)
        self.registry.touch(tag)

    def _record(self, seen: Seen, verdict: Verdict, outcome: Direction) -> None:
        self.registry.record(replace(seen, verdict=verdict), outcome=outcome.value, counted=True)
        self._flag(seen, verdict, outcome=outcome.value)

    def _came_late(self, occasion: Occasion, seen: Seen, tag: Tag, item: Item, outcome: Direction) -> None:
        """Tell the whole story again with the late crossing in its place, and book what that makes different."""
        before = self.registry.story(tag.epc, self.site_of)
        _, judged_before = tell(self.given, (one.crossing for one in before))
        now = sorted([*before, seen], key=lambda one: one.crossing.order)
        tag.standing, judged_now = tell(self.given, (one.crossing for one in now))
        tag.judged_at = max(tag.judged_at, seen.crossing.at)
        self.registry.touch(tag)
        for one, judged in zip(now, judged_now, strict=True):
            if one is seen:
                self._record(seen, judged.verdict, outcome)
            elif judged.verdict != one.verdict:
                self.change(one, judged.verdict)
        each = item.quantity(tag.quantity)
        moves = difference(scaled(net(judged_before), each), scaled(net(judged_now), each))
        self.post(occasion, item, moves, seen)

    def identify(self, occasion: Occasion, tag: Tag) -> None:
        """Book a tag's whole story, none of it booked while no item claimed it; each crossing at its own time."""
        item = self.item(tag)
        story = self.registry.story(tag.epc, self.site_of)
        if item is None or not story:
            return
        tag.standing, judged_all = tell(self.given, (seen.crossing for seen in story))
        tag.judged_at = story[-1].crossing.at
        self.registry.touch(tag)
        for seen, judged in zip(story, judged_all, strict=True):
            self.change(seen, judged.verdict)
            own = replace(occasion, key=seen.key, source=source(seen.key), at=seen.crossing.at)
            self.post(own, item, times(judged.moves, item.quantity(tag.quantity)), seen)

    def change(self, seen: Seen, verdict: Verdict) -> None:
        """What came of a crossing is something else than was thought: say so, and to whom it matters."""
        self._unflag(seen)
        self.registry.rejudge(seen, verdict)
        self._flag(seen, verdict, outcome="in" if seen.crossing.inward else "out")

    def post(self, occasion: Occasion, item: Item, moves: Iterable[tuple[Move, int]], seen: Seen) -> None:
        """Book moves of so much each, as the ledger counts the item, as the next lines of the event."""
        facts = evidence(
            occasion,
            epc=seen.epc,
            gate=seen.gate,
            passage=seen.crossing.passage,
            confidence=seen.confidence,
        )
        for move, quantity in moves:
            line = self._lines[occasion.source]
            self._lines[occasion.source] += 1
            self._batch.add(
                move.site_id,
                Posting(
                    item_id=item.id,
                    src_id=move.src_id,
                    dst_id=move.dst_id,
                    quantity=quantity,
                    kind=move.kind,
                    event_at=occasion.at,
                    recorded_at=occasion.recorded_at,
                    source=occasion.source,
                    line=line,
                    evidence=facts,
                ),
            )

    def where(self, seen: Seen) -> Where:
        crossing = seen.crossing
        load = self.registry.loads.get((crossing.edge, crossing.passage), crossing.passage)
        return Where(crossing.edge, seen.gate, load)

    def _flag(self, seen: Seen, verdict: Verdict, *, outcome: str) -> None:
        tag: dict[str, Any] = {
            "epc": seen.epc,
            "outcome": outcome,
            "confidence": seen.confidence,
            "at": seen.crossing.at.isoformat(),
        }
        self.flags.add(seen.crossing.site_id, verdict, self.where(seen), tag, seen.crossing.at)

    def _unflag(self, seen: Seen) -> None:
        self.flags.remove(seen.crossing.site_id, seen.verdict, self.where(seen), seen.epc, seen.crossing.at)


def times(moves: Iterable[Move], quantity: int) -> list[tuple[Move, int]]:
    """Moves of one tag, each carrying so much."""
    return [(move, quantity) for move in moves]


def scaled(path: Counter[tuple[int, int]], quantity: int) -> Counter[tuple[int, int]]:
    """The net of moves that each carried so much."""
    return Counter({place: count * quantity for place, count in path.items() if quantity})


def difference(before: Counter[tuple[int, int]], after: Counter[tuple[int, int]]) -> list[tuple[Move, int]]:
    """The moves, each with how many, that turn one net of moves into another. None goes across sites."""
    change = Counter(after)
    change.subtract(before)
    moves = []
    for site_id in sorted({site_id for site_id, _ in change}):
        here = [[place, count] for (site, place), count in sorted(change.items()) if site == site_id]
        losing = [entry for entry in here if entry[1] < 0]
        for gaining in (entry for entry in here if entry[1] > 0):
            while gaining[1]:
                source_place, lost = losing[-1]
                count = min(gaining[1], -lost)
                moves.append((Move(site_id, source_place, gaining[0], LATE), count))
                gaining[1] -= count
                losing[-1][1] += count
                if not losing[-1][1]:
                    losing.pop()
    return moves
