"""What people must look at."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    text,
)

from cloud.ledger.tables.columns import At, Big, metadata

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
