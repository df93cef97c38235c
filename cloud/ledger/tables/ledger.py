"""The ledger itself: movements, append-only, and the balances they add up to."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from cloud.ledger.tables.columns import At, Big, metadata

# Which ledger this is. A restore from a backup raises `generation`, so that edges refill what it lost.
ledgers = Table(
    "ledgers",
    metadata,
    Column("ledger", String(32), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("master", Integer, nullable=False, server_default="0"),  # raised whenever master data is loaded
)

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
