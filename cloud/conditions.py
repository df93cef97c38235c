"""What people are asked to do about how a bay counts: a task, or an incident where it cannot be weighed at all.

Each is open while the state lasts, and once. What a change left uncertain (cloud/shelves.py) is another matter: only a
count, or a level that agrees with the ledger, ends that.
"""

from sqlalchemy import Connection, select

from cloud.booking import Occasion
from cloud.ledger import registers
from cloud.ledger.master import Bay, Master
from cloud.ledger.tables import bay_states
from wire.events import BayState, Condition

UNCERTAIN, NEEDS_CHECK, BLIND = "uncertain", "needs_check", "blind_bay"
WITHOUT_REASON = {
    Condition.UNCERTAIN: "the scale cannot tell what stands there",
    Condition.NEEDS_CHECK: "the scale may not weigh right",
    Condition.BLIND: "its cells do not weigh",
}


def asked(connection: Connection, master: Master, occasion: Occasion, event: BayState) -> None:
    """Open and close what a bay's new state asks for, after `cloud.service.state_changed` has kept it."""
    bay = master.bays.get((occasion.key.edge, event.shelf, event.bay))
    if bay is None or not _is_newest(connection, bay, occasion):
        return
    place, at = master.locations[bay.location_id].name, occasion.at
    why = event.reason or WITHOUT_REASON.get(event.state, "")
    details = {"place": place, "why": why, "state": event.state.value}
    _uncertain(connection, bay, event, details, occasion)
    if event.state is Condition.NEEDS_CHECK:
        registers.open_task(connection, bay.site_id, NEEDS_CHECK, place, details, at)
    else:
        registers.close_task(connection, bay.site_id, NEEDS_CHECK, place, at)
    subject = f"{master.sites[bay.site_id].name}/{place}"
    if event.state is Condition.BLIND:
        registers.open_incident(connection, bay.site_id, BLIND, subject, details, at)
    else:
        registers.close_incident(connection, BLIND, subject, at)


def _uncertain(
    connection: Connection, bay: Bay, event: BayState, details: dict[str, str], occasion: Occasion
) -> None:
    """Beside a task that a change has opened there is no other: its candidates say more than a state does."""
    place = details["place"]
    there = registers.task_details(connection, bay.site_id, UNCERTAIN, place)
    if event.state is Condition.UNCERTAIN:
        if there is None or "state" in there:
            registers.open_task(connection, bay.site_id, UNCERTAIN, place, details, occasion.at)
    elif event.state is Condition.OK and there is not None and "state" in there:
        registers.close_task(connection, bay.site_id, UNCERTAIN, place, occasion.at)


def _is_newest(connection: Connection, bay: Bay, occasion: Occasion) -> bool:
    """A state that comes late changes nothing any more."""
    newest = connection.scalar(select(bay_states.c.at).where(bay_states.c.location_id == bay.location_id))
    return newest is None or newest <= occasion.at
