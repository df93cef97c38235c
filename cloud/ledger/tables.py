"""The ledger's tables, for SQLite and PostgreSQL alike. Migrations must end at exactly this (a test compares them).

Quantities are integers: base units times 10^scale of the item. Times are aware, kept in UTC as microseconds since 1970,
so that both engines order and compare them alike.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

Big = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts row ids only in INTEGER columns
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class At(TypeDecorator[datetime]):
    """An instant: aware in Python, microseconds since 1970 in the database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Which ledger this is. A restore from a backup raises `generation`, so that edges refill what it lost.
ledgers = Table(
    "ledgers",
    metadata,
    Column("ledger", String(32), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("master", Integer, nullable=False, server_default="0"),  # raised whenever master data is loaded
)

# --- master data -----------------------------------------------------------------------------------------------------

sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("time_zone", String(60), nullable=False),
    Column(
        "head", Big, nullable=False, server_default="0"
    ),  # position of the newest movement; the lock of a booking
    # What a logistic unit with declared contents books: declared, read (only what was read), hold (nothing)
    Column("sscc_policy", String(10), nullable=False, server_default="declared"),
)

edges = Table(
    "edges",
    metadata,
    Column("edge", String(40), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("presence", String(10), nullable=False, server_default="unknown"),  # online, offline, unknown
    Column("presence_at", At),
    Column("complete_to", At),  # its newest watermark
)

# usage: internal, yard, bay | supplier, customer, transit, basket, unplaced, loss, returns_hold, opening
locations = Table(
    "locations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("name", String(40), nullable=False),
    Column("usage", String(20), nullable=False),
    UniqueConstraint("site_id", "name"),
)

items = Table(
    "items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("gtin", String(14), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("uom", String(10), nullable=False),
    Column("scale", Integer, nullable=False, server_default="0"),
    Column("unit_grams", Float),
    Column("abc", String(1), nullable=False, server_default="C"),
)

# An item claims the tags whose EPC begins with these hexadecimal digits, besides those that carry its GTIN.
epc_prefixes = Table(
    "epc_prefixes",
    metadata,
    Column("prefix", String(124), primary_key=True),
    Column("item_id", ForeignKey("items.id"), nullable=False),
)

# What a logistic unit is declared to hold.
contents = Table(
    "contents",
    metadata,
    Column("sscc", String(18), primary_key=True),
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("quantity", Big, nullable=False),
)

gates = Table(
    "gates",
    metadata,
    Column("edge", ForeignKey("edges.edge"), primary_key=True),
    Column("gate", String(40), primary_key=True),
    Column("outside_id", ForeignKey("locations.id"), nullable=False),
    Column("inside_id", ForeignKey("locations.id"), nullable=False),
    Column("role", String(20), nullable=False, server_default="dock"),
    Column("book_at", Float, nullable=False, server_default="0.9"),
)

bays = Table(
    "bays",
    metadata,
    Column("location_id", ForeignKey("locations.id"), primary_key=True),
    Column("edge", ForeignKey("edges.edge"), nullable=False),
    Column("shelf", String(40), nullable=False),
    Column("bay", String(40), nullable=False),
    Column("backroom_id", ForeignKey("locations.id"), nullable=False),  # where its refills come from
    UniqueConstraint("edge", "shelf", "bay"),
)

bay_items = Table(
    "bay_items",
    metadata,
    Column("location_id", ForeignKey("bays.location_id"), primary_key=True),
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("capacity", Integer, nullable=False),
)

# --- what the edges said ---------------------------------------------------------------------------------------------

runs = Table(
    "runs",
    metadata,
    Column("edge", String(40), primary_key=True),  # no foreign key: an edge nobody enrolled is stored too
    Column("run", String(32), primary_key=True),
    Column("previous_run", String(32)),  # the run that its RunStarted names, and
    Column("previous_last_seq", Big),  # its last event
    Column("through", Big, nullable=False),
    Column("ranges", JSON, nullable=False),  # [[first, last], ...] settled above `through`, ascending
    Column("first_at", At, nullable=False),
    Column("last_at", At, nullable=False),
)

# state: booked (judged, with or without movements), unbooked (a type nobody books), parked (see reason),
# waiting (for what was said before it)
envelopes = Table(
    "envelopes",
    metadata,
    Column("edge", String(40), primary_key=True),
    Column("run", String(32), primary_key=True),
    Column("seq", Big, primary_key=True),
    Column("line", LargeBinary, nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("received_at", At, nullable=False),
    Index(
        "ix_envelopes_parked",
        "edge",
        "run",
        "seq",
        sqlite_where=text("state = 'parked'"),
        postgresql_where=text("state = 'parked'"),
    ),
    Index(
        "ix_envelopes_waiting",
        "edge",
        "received_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
)

# The same key with other bytes: kept beside the first, with an incident.
conflicts = Table(
    "conflicts",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("edge", String(40), nullable=False),
    Column("run", String(32), nullable=False),
    Column("seq", Big, nullable=False),
    Column("line", LargeBinary, nullable=False),
    Column("received_at", At, nullable=False),
)

# --- the ledger ------------------------------------------------------------------------------------------------------

# Append-only (triggers refuse UPDATE and DELETE). `source` and `line` make a booking idempotent; a source reads
# event:<edge>:<run>:<seq> or opening:<site>:<place>:<gtin>, for example.
movements = Table(
    "movements",
    metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("position", Big, primary_key=True, autoincrement=False),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("src_id", ForeignKey("locations.id"), nullable=False),
    Column("dst_id", ForeignKey("locations.id"), nullable=False),
    Column("quantity", Big, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("event_at", At, nullable=False),
    Column("recorded_at", At, nullable=False),
    Column("source", String(200), nullable=False),
    Column("line", Integer, nullable=False),
    Column("evidence", JSON, nullable=False),
    UniqueConstraint("source", "line"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("src_id <> dst_id", name="moves"),
    Index("ix_movements_item_dst", "item_id", "dst_id", "event_at"),
    Index("ix_movements_item_src", "item_id", "src_id", "event_at"),
)

balances = Table(
    "balances",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("location_id", ForeignKey("locations.id"), primary_key=True),
    Column("quantity", Big, nullable=False),
    Column("position", Big, nullable=False),  # the newest movement that touched it
    Column("event_at", At, nullable=False),
)

# --- tags ------------------------------------------------------------------------------------------------------------

# state: inside, left (unexpectedly, held), shipped, returned (held), unknown (never judged), ignored
tags = Table(
    "tags",
    metadata,
    Column("epc", String(124), primary_key=True),
    Column("scheme", String(20), nullable=False),
    Column("item_id", ForeignKey("items.id")),
    Column("quantity", Big, nullable=False, server_default="1"),
    Column("parent", String(124)),
    Column("tid", String(128)),
    Column("state", String(10), nullable=False),
    Column("site_id", ForeignKey("sites.id")),
    Column("location_id", ForeignKey("locations.id")),
    Column("judged_at", At, nullable=False),
)

# Every passage of every tag: the history by which a crossing is judged, in order of `at`.
crossings = Table(
    "crossings",
    metadata,
    Column("edge", String(40), primary_key=True),
    Column("passage", String(120), primary_key=True),
    Column("epc", String(124), primary_key=True),
    Column("gate", String(40), nullable=False),
    Column("at", At, nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("tid", String(128)),
    Column("run", String(32), nullable=False),  # with `edge` and `seq`, the event that said it
    Column("seq", Big, nullable=False),
    # The gate as it was then, so that a later change of the configuration does not rewrite the past.
    Column("role", String(20), nullable=False),
    Column("outside_id", ForeignKey("locations.id"), nullable=False),
    Column("inside_id", ForeignKey("locations.id"), nullable=False),
    Column(
        "counted", Boolean, nullable=False
    ),  # whether it is part of the tag's story: sure enough, and in or out
    # what came of it: received, moved, left, returned, missed_exit, undecided, unclaimed and so on
    Column("verdict", String(20), nullable=False),
    Index("ix_crossings_epc_at", "epc", "at"),
    Index("ix_crossings_edge_at", "edge", "at"),  # the newest of a site
)

# What a gate said of a passage as a whole, after its tags. Passages of one load share it.
passages = Table(
    "passages",
    metadata,
    Column("edge", String(40), primary_key=True),
    Column("passage", String(120), primary_key=True),
    Column("gate", String(40), nullable=False),
    Column("load", String(120), nullable=False),
    Column("began_at", At, nullable=False),
    Column("ended_at", At, nullable=False),
    Column("strays", Integer, nullable=False),
    Column("healthy", Boolean, nullable=False),
)

# What a logistic unit brought: declared, read beside it in its first passage, and the rest, which it moves by itself.
unit_contents = Table(
    "unit_contents",
    metadata,
    Column("epc", String(124), primary_key=True),
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("sscc", String(18), nullable=False),
    Column("declared", Big, nullable=False),
    Column("read", Big, nullable=False),
    Column("quantity", Big, nullable=False),
)

# Every change that a bay reported, with the time between its two rests.
shelf_changes = Table(
    "shelf_changes",
    metadata,
    Column("edge", String(40), primary_key=True),
    Column("run", String(32), primary_key=True),
    Column("seq", Big, primary_key=True),
    Column("location_id", ForeignKey("bays.location_id"), nullable=False),
    Column("item_id", ForeignKey("items.id")),
    Column("units", Integer),
    Column("grams", Float, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("booked", Boolean, nullable=False),
    Column("from_at", At, nullable=False),
    Column("to_at", At, nullable=False),
    Index("ix_shelf_changes_interval", "location_id", "to_at"),
)

# --- what people must look at ----------------------------------------------------------------------------------------

# kind: undecided, identify, missed_exit, recount, uncertain, restock, ...
tasks = Table(
    "tasks",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("subject", String(160), nullable=False),  # with `kind`, at most one open task
    Column("details", JSON, nullable=False),
    Column("opened_at", At, nullable=False),
    Column("closed_at", At),
    Index(
        "uq_tasks_open",
        "site_id",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

# kind: negative_stock, conflicting_event, missing_events, restored_edge, left_unexpectedly, duplicate_encoding, ...
incidents = Table(
    "incidents",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("site_id", ForeignKey("sites.id")),  # absent where the edge is not enrolled
    Column("kind", String(30), nullable=False),
    Column("subject", String(160), nullable=False),  # with `kind`, at most one open incident
    Column("details", JSON, nullable=False),
    Column("opened_at", At, nullable=False),
    Column("closed_at", At),
    Index(
        "uq_incidents_open",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

# --- rules, alerts, notifications ------------------------------------------------------------------------------------

# Who is told at a site, by role: the `mail` of sites.toml.
site_mail = Table(
    "site_mail",
    metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("role", String(40), primary_key=True),
    Column("address", String(200), primary_key=True),
)

rules = Table(
    "rules",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", At, nullable=False),
)

# One row for each place a rule watches. state: ok, pending, firing. `since` is in the time of events.
# `dirty` marks what the rule worker has still to turn into alerts and notifications.
rule_states = Table(
    "rule_states",
    metadata,
    Column("rule", String(40), primary_key=True),
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("location_id", ForeignKey("locations.id"), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("since", At, nullable=False),
    Column("value", Float, nullable=False),
    Column("dirty", Boolean, nullable=False),
    Index("ix_rule_states_dirty", "dirty", "state", "since"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("rule", String(40), nullable=False),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("text", Text, nullable=False),
    Column("suggestion", JSON, nullable=False),
    Column("value", Float, nullable=False),
    Column("pending_at", At, nullable=False),
    Column("fired_at", At, nullable=False),
    Column("cleared_at", At),
    Column("acknowledged_at", At),
    Column("acknowledged_by", String(80)),
    Column(
        "changed_at", At, nullable=False
    ),  # grows within a site: what follows the alerts keeps it as a cursor
    Index("ix_alerts_changed", "site_id", "changed_at"),
    Index(
        "uq_alerts_open",
        "rule",
        "item_id",
        "location_id",
        unique=True,
        sqlite_where=text("cleared_at IS NULL"),
        postgresql_where=text("cleared_at IS NULL"),
    ),
)

# The durable outbox of mail. state: pending, sent, failed
notifications = Table(
    "notifications",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("alert_id", ForeignKey("alerts.id"), nullable=False),
    Column("event", String(10), nullable=False),  # fired, cleared
    Column("channel", String(10), nullable=False),  # mail
    Column("recipient", String(200), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", At, nullable=False),
    Column("last_error", Text, nullable=False, server_default=""),
    Column("created_at", At, nullable=False),
    Column("sent_at", At),
    UniqueConstraint("alert_id", "event", "channel", "recipient"),
    Index("ix_notifications_due", "state", "next_at"),
)

# --- what follows the ledger, and what is only shown -----------------------------------------------------------------

# How far each follower of a site's positions has come.
cursors = Table(
    "cursors",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("position", Big, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("edge", String(40), primary_key=True),
    Column("device", String(40), primary_key=True),
    Column("state", String(10), nullable=False),  # up, down
    Column("since", At, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),  # what it said of itself, or why it is down
    Column("reads_per_s", Float),
    Column("last_read_at", At),
    Column("clock_offset_ms", Float),
    Column("heard_at", At, nullable=False),
)

# The newest telemetry of each agent, as it came.
agents = Table(
    "agents",
    metadata,
    Column("edge", String(40), primary_key=True),
    Column("at", At, nullable=False),
    Column("health", JSON, nullable=False),
)

levels = Table(
    "levels",
    metadata,
    Column("location_id", ForeignKey("bays.location_id"), primary_key=True),
    Column("grams", Float, nullable=False),
    Column("units", Integer),
    Column("stable", Boolean, nullable=False),
    Column("uncertain", Text, nullable=False, server_default=""),  # why its last change could not be told
    Column("at", At, nullable=False),
)
