"""The ledger's tables, for SQLite and PostgreSQL alike. Migrations must end at exactly this (a test compares them).

Quantities are integers: base units times 10^scale of the item. Times are aware, kept in UTC as microseconds since 1970,
so that both engines order and compare them alike.
"""

from cloud.ledger.tables.alerts import alerts, notifications, rule_states, rules, site_mail
from cloud.ledger.tables.columns import EPOCH, MICROSECOND, At, Big, metadata
from cloud.ledger.tables.commands import bay_states, commands, service_times
from cloud.ledger.tables.followers import (
    agents,
    cursors,
    devices,
    epcis_events,
    epcis_told,
    item_levels,
    levels,
)
from cloud.ledger.tables.heard import conflicts, envelopes, runs
from cloud.ledger.tables.ledger import balances, ledgers, movements
from cloud.ledger.tables.master import (
    bay_items,
    bays,
    contents,
    edges,
    epc_prefixes,
    gates,
    ignored_tags,
    items,
    locations,
    sites,
)
from cloud.ledger.tables.planogram import (
    bay_fills,
    fill_log,
    level_differences,
    planogram_changes,
    planogram_told,
)
from cloud.ledger.tables.tags import crossings, passages, shelf_changes, tags, unit_contents
from cloud.ledger.tables.work import incidents, tasks

__all__ = [
    "EPOCH",
    "MICROSECOND",
    "At",
    "Big",
    "agents",
    "alerts",
    "balances",
    "bay_fills",
    "bay_items",
    "bay_states",
    "bays",
    "commands",
    "conflicts",
    "contents",
    "crossings",
    "cursors",
    "devices",
    "edges",
    "envelopes",
    "epc_prefixes",
    "epcis_events",
    "epcis_told",
    "fill_log",
    "gates",
    "ignored_tags",
    "incidents",
    "item_levels",
    "items",
    "ledgers",
    "level_differences",
    "levels",
    "locations",
    "metadata",
    "movements",
    "notifications",
    "passages",
    "planogram_changes",
    "planogram_told",
    "rule_states",
    "rules",
    "runs",
    "service_times",
    "shelf_changes",
    "site_mail",
    "sites",
    "tags",
    "tasks",
    "unit_contents",
]
