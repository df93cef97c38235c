"""What follows the ledger, and what is only shown."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
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

# What is told to others as EPCIS events, kept until their repository has it. state: due, handed (it is looking at
# it), taken, refused.
epcis_events = Table(
    "epcis_events",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("event_id", String(100), nullable=False, unique=True),  # says the same, is the same
    Column("event", JSON, nullable=False),
    Column("state", String(10), nullable=False),
    Column("alone", Boolean, nullable=False),  # is handed over by itself: refused together with others
    Column("job", String(500)),  # where its repository says what became of it
    Column("why", Text, nullable=False, server_default=""),  # it was refused
    Column("made_at", At, nullable=False),
    Column("changed_at", At, nullable=False),
    Index("ix_epcis_events_state", "state", "id"),
)

# The crossings that were told: each once, however often the ledger looks at its passage again.
epcis_told = Table(
    "epcis_told",
    metadata,
    Column("edge", String(40), primary_key=True),
    Column("passage", String(120), primary_key=True),
    Column("epc", String(124), primary_key=True),
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

# What a bay weighs now; `units` where it is meant for one kind of goods.
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

# How many of each kind a bay's scale says, where it is meant for several.
item_levels = Table(
    "item_levels",
    metadata,
    Column("location_id", ForeignKey("bays.location_id"), primary_key=True),
    Column("gtin", String(14), primary_key=True),
    Column("units", Integer),
    Column("at", At, nullable=False),
)
