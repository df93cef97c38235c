"""Everything that the ledger has to tell, from its first movement on, as the push would tell it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from cloud.epcis import ledger
from cloud.epcis.events import CONTEXT, document, events
from cloud.epcis.ledger import CrossingKey
from cloud.epcis.manner import Manner


def export(
    connection: Connection,
    site_ids: Sequence[int],
    manner: Manner,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    now: datetime,
) -> Iterator[dict[str, Any]]:
    """The events of these sites, of what had crossed at `since` or later and before `until`."""
    for site_id in site_ids:
        told: set[CrossingKey] = set()
        position = 0
        while (portion := ledger.portion(connection, site_id, position, now)) is not None:
            position = portion.position
            for one in ledger.together(connection, portion, manner, told):
                told.update((one.edge, one.passage, tag.epc) for tag in one.tags)
                at = max(tag.at for tag in one.tags)
                if (since is None or at >= since) and (until is None or at < until):
                    yield from events(one, manner.ids)


def lines(told: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One event a line, each with its context, so that a line can be read by itself."""
    for event in told:
        yield json.dumps({"@context": CONTEXT} | dict(event), ensure_ascii=False) + "\n"


def document_text(told: Iterable[Mapping[str, Any]], created: datetime) -> Iterator[str]:
    """One document in pieces, an event each: there may be more events than fit memory."""
    before, after = json.dumps(document((), created)).rsplit("[]", 1)
    yield f"{before}["
    between = "\n"
    for event in told:
        yield between + json.dumps(event, ensure_ascii=False)
        between = ",\n"
    yield f"]{after}\n"
