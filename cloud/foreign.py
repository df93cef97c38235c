"""Things that are no goods: what was put in a bay, could not be told, and was taken away again asks for nothing.

The edge says both as masses that no item explains. It goes on counting meanwhile, so that its state tells nothing.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from cloud.ledger.master import Bay
from cloud.ledger.tables import bay_states, shelf_changes, tasks
from wire.events import Change, Condition, ShelfChange

# One thing that is weighed twice: a few times what scales on shelves differ by, and creep of its own load.
SAME_GRAMS, SAME_SHARE = 5.0, 0.01


def all_gone(connection: Connection, bay: Bay, place: str, event: ShelfChange) -> bool:
    """Whether with this change all has gone that the bay's open task `uncertain` asks about, and nothing else is open.

    What was said before of the bay is stored.
    """
    if event.outcome is not Change.UNKNOWN_MASS or event.grams >= 0:
        return False
    opened_at = connection.scalar(
        select(tasks.c.opened_at).where(
            tasks.c.site_id == bay.site_id,
            tasks.c.kind == "uncertain",
            tasks.c.subject == place,
            tasks.c.closed_at.is_(None),
        )
    )
    state = connection.scalar(select(bay_states.c.state).where(bay_states.c.location_id == bay.location_id))
    if opened_at is None or state not in (None, Condition.OK.value):
        return False
    untold = connection.execute(
        select(shelf_changes.c.outcome, shelf_changes.c.grams)
        .where(
            shelf_changes.c.location_id == bay.location_id,
            ~shelf_changes.c.booked,
            shelf_changes.c.to_at >= opened_at,
        )
        .order_by(shelf_changes.c.to_at, shelf_changes.c.seq)
    ).all()
    if not untold or any(row.outcome != Change.UNKNOWN_MASS for row in untold):
        return False
    return _cancel([*(row.grams for row in untold), event.grams])


def _cancel(masses: Sequence[float]) -> bool:
    """Whether each thing that went is one that had come, and none is left."""
    there: list[float] = []
    for grams in masses:
        if grams > 0:
            there.append(grams)
            continue
        found = min(there, key=lambda each: abs(each + grams), default=None)
        if found is None or abs(found + grams) > max(SAME_GRAMS, SAME_SHARE * found):
            return False
        there.remove(found)
    return not there
