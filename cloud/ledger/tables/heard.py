"""What the edges said, as they said it, and how far each run is settled."""

from sqlalchemy import (
    JSON,
    Column,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from cloud.ledger.tables.columns import At, Big, metadata

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
