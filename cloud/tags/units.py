"""Logistic units (SSCC): what one is declared to hold is booked once, less what was read beside it.

A unit is judged when its passage has ended, as the tags of its load come before. Its story gives the moves of one
unit, and its contents say how much of each item that is; whatever comes late changes one or the other, and the
difference is booked.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from cloud.booking import Occasion
from cloud.ledger import registers
from cloud.ledger.database import insert
from cloud.ledger.tables import contents, unit_contents
from cloud.tags.judge import SSCC, Judge, difference, scaled, times
from cloud.tags.registry import PassageKey, Seen, Tag
from cloud.tags.story import Judged, Move, Verdict, net, tell
from wire.epc import decode


@dataclass(frozen=True, slots=True)
class Share:
    """Of one item in a unit, as the ledger counts it: declared, read beside it, and what the unit moves by itself."""

    declared: int
    read: int
    quantity: int


Shares = dict[int, Share]  # by item id


def settle(judge: Judge, occasion: Occasion, passage: PassageKey) -> None:
    """Judge the units that crossed in an ended passage, with all that is known by now."""
    for epc in _units(judge.registry.passage(passage, judge.site_of)):
        _settle(judge, occasion, judge.registry.tag(epc))


def _units(together: Sequence[Seen]) -> list[str]:
    return sorted({seen.epc for seen in together if decode(seen.epc).scheme == SSCC})


def _settle(judge: Judge, occasion: Occasion, tag: Tag) -> None:
    registry = judge.registry
    story = registry.story(tag.epc, judge.site_of)
    registry.prefetch((), [(seen.crossing.edge, seen.crossing.passage) for seen in story])
    ended = [seen for seen in story if (seen.crossing.edge, seen.crossing.passage) in registry.loads]
    if not ended:
        return
    before = [seen for seen in ended if seen.verdict is not Verdict.AWAITED]
    _, judged_before = tell(judge.given, (seen.crossing for seen in before))
    tag.standing, judged_now = tell(judge.given, (seen.crossing for seen in ended))
    tag.judged_at = max(tag.judged_at, ended[-1].crossing.at)
    registry.touch(tag)
    for seen, judged in zip(ended, judged_now, strict=True):
        if seen.verdict is not judged.verdict:
            judge.change(seen, judged.verdict)
    first = next(
        seen
        for seen, judged in zip(ended, judged_now, strict=True)
        if judged.verdict is not Verdict.OTHER_DOOR
    )
    was, now = _booked(judge, tag), _shares(judge, tag, first)
    in_order = before == ended[: len(before)] and judged_before == judged_now[: len(before)]
    in_order &= not before or was == now
    for item_id in sorted(was.keys() | now.keys()):
        moves: list[tuple[Move, int]]
        if in_order:
            fresh = (move for judged in judged_now[len(before) :] for move in judged.moves)
            moves = times(fresh, now[item_id].quantity) if now[item_id].quantity else []
        else:
            moves = _change(judged_before, was.get(item_id), judged_now, now.get(item_id))
        judge.post(occasion, judge.master.items_by_id[item_id], moves, ended[-1])
    _save(judge, tag, now)
    _adopt(judge, tag, first, now)
    _tell(judge, occasion, tag, first, now)


def _change(
    judged_before: Sequence[Judged], was: Share | None, judged_now: Sequence[Judged], now: Share | None
) -> list[tuple[Move, int]]:
    return difference(
        scaled(net(judged_before), was.quantity if was else 0),
        scaled(net(judged_now), now.quantity if now else 0),
    )


def _booked(judge: Judge, tag: Tag) -> Shares:
    rows = judge.connection.execute(select(unit_contents).where(unit_contents.c.epc == tag.epc))
    return {row.item_id: Share(row.declared, row.read, row.quantity) for row in rows}


def _shares(judge: Judge, tag: Tag, first: Seen) -> Shares:
    """What the unit holds, by its first passage: where several units cross together, reads go to them in order."""
    together = judge.registry.passage((first.crossing.edge, first.crossing.passage), judge.site_of)
    left = _read_beside(judge, together, first)
    policy = judge.master.sites[first.crossing.site_id].sscc_policy
    for epc in _units(together):
        shares: Shares = {}
        for item_id, declared in _declared(judge, epc).items():
            read = min(declared, left[item_id])
            left[item_id] -= read
            shares[item_id] = Share(declared, read, declared - read if policy == "declared" else 0)
        if epc == tag.epc:
            return shares
    return {}


def _read_beside(judge: Judge, together: Sequence[Seen], first: Seen) -> Counter[int]:
    """How much of each item was read in a passage, going the same way as the unit."""
    read: Counter[int] = Counter()
    judge.registry.prefetch((seen.epc for seen in together), ())
    for seen in together:
        item_id = judge.registry.tag(seen.epc).item_id
        if item_id is None or seen.crossing.inward != first.crossing.inward:
            continue
        if seen.verdict is not Verdict.DUPLICATE_ENCODING:
            read[item_id] += judge.master.items_by_id[item_id].quantity(judge.registry.tag(seen.epc).quantity)
    return read


def _declared(judge: Judge, epc: str) -> Mapping[int, int]:
    query = select(contents.c.item_id, contents.c.quantity).where(contents.c.sscc == decode(epc).sscc)
    return dict(judge.connection.execute(query.order_by(contents.c.item_id)).all())


def _save(judge: Judge, tag: Tag, shares: Shares) -> None:
    judge.connection.execute(delete(unit_contents).where(unit_contents.c.epc == tag.epc))
    if shares:
        rows = [
            {
                "epc": tag.epc,
                "item_id": item_id,
                "sscc": decode(tag.epc).sscc,
                "declared": share.declared,
                "read": share.read,
                "quantity": share.quantity,
            }
            for item_id, share in shares.items()
        ]
        judge.connection.execute(insert(judge.connection, unit_contents), rows)


def _adopt(judge: Judge, tag: Tag, first: Seen, shares: Shares) -> None:
    """The tags beside it that it is declared to hold have it as their parent."""
    for seen in judge.registry.passage((first.crossing.edge, first.crossing.passage), judge.site_of):
        child = judge.registry.tag(seen.epc)
        if child.item_id in shares and child.parent is None:
            child.parent = tag.epc
            judge.registry.touch(child)


def _tell(judge: Judge, occasion: Occasion, tag: Tag, first: Seen, shares: Shares) -> None:
    """Where a site does not take the declaration's word, what was not read waits for a person."""
    site = judge.master.sites[first.crossing.site_id]
    rest = [
        {"item": judge.master.items_by_id[item_id].gtin, "declared": share.declared, "read": share.read}
        for item_id, share in shares.items()
        if share.declared > share.read
    ]
    subject = str(decode(tag.epc).sscc)
    if site.sscc_policy == "declared":
        return
    if rest:
        details = {"sscc": subject, "policy": site.sscc_policy, "not_read": rest}
        registers.open_task(judge.connection, site.id, "not_read", subject, details, occasion.recorded_at)
    else:
        registers.close_task(judge.connection, site.id, "not_read", subject, occasion.recorded_at)
