"""Asking an edge for something: checked as far as the cloud can, kept, and due to be sent."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select

from cloud.commands.states import ASKED
from cloud.errors import CloudError
from cloud.ledger import tables as t
from wire.codec import MAX_COMMAND, encode_command
from wire.commands import Assign, Calibrate, Command, Confirm, Order, ReadLevels, Reload

EXPIRES_S = 60  # a person who stands at the shelf waits no longer; nothing is to happen by surprise later


class AskError(CloudError):
    """This cannot be asked. The text says why and what can."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`id` names the command for ever."""

    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Target:
    site_id: int
    location_id: int | None
    subject: str


def ask(
    connection: Connection,
    edge: str,
    order: Order,
    *,
    by: str,
    now: datetime,
    expires_s: int = EXPIRES_S,
) -> Asked:
    """Keep a command to `edge`; it is sent as soon as the transaction is committed.

    Raises:
        AskError: there is no such edge, shelf, bay or item.
    """
    target = _target(connection, edge, order)
    if isinstance(order, Assign):
        _must_know(connection, [item.gtin for item in order.items])
    elif isinstance(order, Confirm):
        _must_know(connection, [count.gtin for count in order.counts])
    command = Command(
        id=secrets.token_hex(16),
        edge=edge,
        issued_at=now,
        expires_at=now + timedelta(seconds=expires_s),
        by=by,
        order=order,
    )
    try:
        line = encode_command(command)
    except ValueError as error:
        raise AskError(str(error)) from error
    if len(line) > MAX_COMMAND:
        raise AskError(f"a command of {len(line)} bytes; the limit is {MAX_COMMAND}")
    connection.execute(
        insert(t.commands).values(
            id=command.id,
            site_id=target.site_id,
            edge=edge,
            location_id=target.location_id,
            kind=order.type,
            subject=target.subject,
            line=line,
            asked_by=by,
            state=ASKED,
            levels=[],
            asked_at=now,
            expires_at=command.expires_at,
            next_at=now,
        )
    )
    return Asked(command.id, command.expires_at)


def _target(connection: Connection, edge: str, order: Order) -> _Target:
    site_id = connection.scalar(select(t.edges.c.site_id).where(t.edges.c.edge == edge))
    if site_id is None:
        raise AskError(f"no site has an edge {edge!r}: add it to sites.toml")
    if isinstance(order, Reload) or (isinstance(order, ReadLevels) and order.shelf is None):
        return _Target(site_id, None, edge)
    shelf = str(order.shelf)
    bay = None if isinstance(order, ReadLevels | Calibrate) else order.bay
    bays = {
        row.bay: row.location_id
        for row in connection.execute(
            select(t.bays.c.bay, t.bays.c.location_id).where(t.bays.c.edge == edge, t.bays.c.shelf == shelf)
        )
    }
    if not bays:
        raise AskError(f"edge {edge!r} has no shelf {shelf!r}: add its bays to sites.toml")
    if bay is None:
        return _Target(site_id, None, shelf)
    if bay not in bays:
        raise AskError(
            f"shelf {shelf!r} of edge {edge!r} has no bay {bay!r}; it has {', '.join(sorted(bays))}"
        )
    return _Target(site_id, bays[bay], f"{shelf}/{bay}")


def _must_know(connection: Connection, gtins: list[str]) -> None:
    if len(set(gtins)) < len(gtins):
        raise AskError("an item is named twice; name each once")
    known = set(connection.scalars(select(t.items.c.gtin).where(t.items.c.gtin.in_(gtins))))
    if strange := [gtin for gtin in gtins if gtin not in known]:
        raise AskError(f"no item has the GTIN {strange[0]}: add it to items.csv and load it")
