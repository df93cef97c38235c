"""What people asked of edges, and what became of it; and how bays count now."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from cloud.ledger.tables.columns import At, metadata

# state: asked (not answered yet), done, refused, stale, failed, expired (nobody answered in time; an answer that comes
# later still counts). Rows stay: they say who asked what, and when.
commands = Table(
    "commands",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), nullable=False),
    Column("edge", ForeignKey("edges.edge"), nullable=False),
    Column("location_id", ForeignKey("bays.location_id")),  # absent where it is of a shelf or of the edge
    Column("kind", String(20), nullable=False),
    Column("subject", String(90), nullable=False),  # shelf/bay, shelf or edge
    Column("line", LargeBinary, nullable=False),  # what is sent, byte for byte
    Column("asked_by", String(80), nullable=False),
    Column("state", String(10), nullable=False),
    Column("words", Text, nullable=False, server_default=""),  # of the answer
    Column("levels", JSON, nullable=False),  # that the answer told
    Column("asked_at", At, nullable=False),
    Column("expires_at", At, nullable=False),
    Column("sends", Integer, nullable=False, server_default="0"),
    Column("next_at", At, nullable=False),  # when it is sent again
    Column("answered_at", At),
    Index(
        "ix_commands_due",
        "next_at",
        sqlite_where=text("state = 'asked'"),
        postgresql_where=text("state = 'asked'"),
    ),
    Index("ix_commands_site", "site_id", "asked_at"),
    Index("ix_commands_location", "location_id", "asked_at"),
)

# How each bay counts now, as its edge says: ok, uncertain, service, needs_check, blind.
bay_states = Table(
    "bay_states",
    metadata,
    Column("location_id", ForeignKey("bays.location_id"), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("until", At),  # when service ends by itself
    Column("at", At, nullable=False),  # when it was last said
    Column("since", At),  # when it came to be so; absent where that was said before it was kept
)

# When people worked at a bay: nothing that changed meanwhile is booked.
service_times = Table(
    "service_times",
    metadata,
    Column("location_id", ForeignKey("bays.location_id"), primary_key=True),
    Column("began_at", At, primary_key=True),
    Column("ended_at", At),  # absent while it lasts
)
