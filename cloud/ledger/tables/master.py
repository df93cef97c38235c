"""Master data: sites, items, places, what stands where."""

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from cloud.ledger.tables.columns import At, Big, metadata

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
    Column("biz_location", String(200)),  # as others know it: an SGLN or a web URI
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
    Column("biz_location", String(200)),  # where it has one of its own
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

# Tags that are never stock at a site: what their EPC, or its pure identity URI, begins with.
ignored_tags = Table(
    "ignored_tags",
    metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("prefix", String(124), primary_key=True),
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
    Column("read_point", String(200)),  # as others know it
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
    Column("facings", Integer),  # side by side, at the front
    Column("low", Integer),  # units below which it is low
    Column("unit_grams", Float),  # of one of them here, where that is not the item's own
    Column("unit_tare_grams", Float),  # of a tray or hanger that comes and goes with each
    Column("unit_cv", Float),  # how much single units differ, where that is not left to the edge
)
