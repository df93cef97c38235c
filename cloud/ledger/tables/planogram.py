"""The planogram's history, how full bays are, and where scales and ledger disagree."""

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

# What a bay was meant to hold, and from when on: who changed it, in what, from what to what. Rows stay. A bay that has
# any is planned: sites.toml, which only seeds, changes it no more.
planogram_changes = Table(
    "planogram_changes",
    metadata,
    Column("location_id", ForeignKey("bays.location_id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Column("changed_by", String(80), nullable=False),
    Column("source", String(200), nullable=False),  # console, a file's name, or command:<id>
    Column("at", At, nullable=False),
)

# Whether the edge has what is planned. state: asked, done, refused; `words` are its own.
planogram_told = Table(
    "planogram_told",
    metadata,
    Column("location_id", ForeignKey("bays.location_id"), primary_key=True),
    Column("digest", String(64), nullable=False),  # of what was told
    Column("state", String(10), nullable=False),
    Column("command", String(40), nullable=False),
    Column("words", Text, nullable=False, server_default=""),
    Column("at", At, nullable=False),
)

# How full a bay is now, as its edge says; of each of its items, or of "" where it does not say which.
# state: full, ok, low, out, unknown.
bay_fills = Table(
    "bay_fills",
    metadata,
    Column("location_id", ForeignKey("bays.location_id"), primary_key=True),
    Column("gtin", String(14), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("units", Integer),
    Column("capacity", Integer),
    Column("facings", Integer),
    Column("fraction", Float),
    Column("at", At, nullable=False),
)

# Every time that this became another.
fill_log = Table(
    "fill_log",
    metadata,
    Column("edge", String(40), primary_key=True),
    Column("run", String(32), primary_key=True),
    Column("seq", Big, primary_key=True),
    Column("location_id", ForeignKey("bays.location_id"), nullable=False),
    Column("gtin", String(14), nullable=False),
    Column("state", String(10), nullable=False),
    Column("units", Integer),
    Column("capacity", Integer),
    Column("fraction", Float),
    Column("at", At, nullable=False),
    Index("ix_fill_log_location", "location_id", "at"),
    Index("ix_fill_log_at", "at"),
)

# Items of which a bay's scale and the ledger say different units, since when, and whether somebody was asked to count.
level_differences = Table(
    "level_differences",
    metadata,
    Column("location_id", ForeignKey("bays.location_id"), primary_key=True),
    Column("gtin", String(14), primary_key=True),
    Column("since", At, nullable=False),
    Column("told", Boolean, nullable=False),
)
