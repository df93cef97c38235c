"""Tags and shelves: what was seen of each, by which the next is judged."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
)

from cloud.ledger.tables.columns import At, Big, metadata

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
