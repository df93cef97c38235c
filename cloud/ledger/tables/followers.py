"""What follows the ledger, and what is only shown."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
)

from cloud.ledger.tables.columns import At, Big, metadata

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
