"""Rules, alerts, and the durable outbox of notifications."""

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
    UniqueConstraint,
    text,
)

from cloud.ledger.tables.columns import At, Big, metadata

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
