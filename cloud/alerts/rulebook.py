"""Rules in the ledger: versioned, only the newest version of a name active."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, cast, func, select, update

from cloud.errors import MasterDataError
from cloud.ledger.database import insert
from cloud.ledger.tables import items, locations, rules, sites
from cloud.rules.parse import RulesError, definition, parse, restore
from cloud.rules.rule import Rule

# As text, by which a rule is parsed only once; made once, because each booking asks it.
_ACTIVE = select(cast(rules.c.definition, Text)).where(rules.c.active).order_by(rules.c.name)


def check(document: Mapping[str, Any], name: str = "rules.toml") -> list[Rule]:
    """The rules of a file that has been read to plain values.

    Raises:
        MasterDataError: a line a problem, each beginning with the file's `name`.
    """
    try:
        return parse(document)
    except RulesError as error:
        raise MasterDataError("\n".join(f"{name}: {problem}" for problem in error.problems)) from None


def store(connection: Connection, wanted: Sequence[Rule], at: datetime, name: str = "rules.toml") -> int:
    """Make `wanted` the active rules, after sites, places and items are stored; return how many changed.

    A rule that says the same as before keeps its version; one that is gone is no longer active. Follow it with
    `cloud.alerts.watch.settle_all`, so that what is watched is judged by the new rules.

    Raises:
        MasterDataError: a rule names a site, place or item that the ledger does not know.
    """
    problems = _unknown_names(connection, wanted)
    if problems:
        raise MasterDataError("\n".join(f"{name}: {problem}" for problem in problems))
    current = {rule.name: rule for rule in active(connection)}
    changed = [rule for rule in wanted if current.get(rule.name) != rule]
    gone = current.keys() - {rule.name for rule in wanted}
    retired = [*gone, *(rule.name for rule in changed)]
    if retired:
        connection.execute(update(rules).where(rules.c.name.in_(retired)).values(active=False))
    for rule in changed:
        newest = select(func.max(rules.c.version)).where(rules.c.name == rule.name)
        version = (connection.execute(newest).scalar() or 0) + 1
        row = {"name": rule.name, "version": version, "definition": definition(rule)}
        connection.execute(insert(connection, rules).values(**row, active=True, created_at=at))
    return len(changed) + len(gone)


def active(connection: Connection) -> list[Rule]:
    """The rules that judge now, by name."""
    return [restore(text) for text in connection.execute(_ACTIVE).scalars()]


def _unknown_names(connection: Connection, wanted: Sequence[Rule]) -> list[str]:
    known = {
        "site": set(connection.execute(select(sites.c.name)).scalars()),
        "place": set(connection.execute(select(locations.c.name)).scalars()),
        "item": set(connection.execute(select(items.c.gtin)).scalars()),
    }
    return [
        f"rule {rule.name!r}: no {what} is named {named!r}"
        for rule in wanted
        for what, named in (("site", rule.site), ("place", rule.place), ("item", rule.item))
        if named is not None and named not in known[what]
    ]
