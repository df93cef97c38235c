"""The first ledger."""

import sqlalchemy as sa
from alembic import op

from cloud.migrations.triggers import POSTGRESQL, SQLITE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agents",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("health", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("edge", name=op.f("pk_agents")),
    )
    op.create_table(
        "conflicts",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflicts")),
    )
    op.create_table(
        "devices",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("reads_per_s", sa.Float(), nullable=True),
        sa.Column("last_read_at", sa.BigInteger(), nullable=True),
        sa.Column("clock_offset_ms", sa.Float(), nullable=True),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("edge", "device", name=op.f("pk_devices")),
    )
    op.create_table(
        "envelopes",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("edge", "run", "seq", name=op.f("pk_envelopes")),
    )
    with op.batch_alter_table("envelopes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_envelopes_parked",
            ["edge", "run", "seq"],
            unique=False,
            sqlite_where=sa.text("state = 'parked'"),
            postgresql_where=sa.text("state = 'parked'"),
        )
        batch_op.create_index(
            "ix_envelopes_waiting",
            ["edge", "received_at"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("uom", sa.String(length=10), nullable=False),
        sa.Column("scale", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unit_grams", sa.Float(), nullable=True),
        sa.Column("abc", sa.String(length=1), server_default="C", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("gtin", name=op.f("uq_items_gtin")),
    )
    op.create_table(
        "ledgers",
        sa.Column("ledger", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("master", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("ledger", name=op.f("pk_ledgers")),
    )
    op.create_table(
        "passages",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("passage", sa.String(length=120), nullable=False),
        sa.Column("gate", sa.String(length=40), nullable=False),
        sa.Column("load", sa.String(length=120), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("strays", sa.Integer(), nullable=False),
        sa.Column("healthy", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("edge", "passage", name=op.f("pk_passages")),
    )
    op.create_table(
        "rules",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_rules")),
    )
    op.create_table(
        "runs",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("previous_run", sa.String(length=32), nullable=True),
        sa.Column("previous_last_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("through", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ranges", sa.JSON(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("edge", "run", name=op.f("pk_runs")),
    )
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column(
            "head", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
        ),
        sa.Column("sscc_policy", sa.String(length=10), server_default="declared", nullable=False),
        sa.Column("biz_location", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("name", name=op.f("uq_sites_name")),
    )
    op.create_table(
        "contents",
        sa.Column("sscc", sa.String(length=18), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_contents_item_id")),
        sa.PrimaryKeyConstraint("sscc", "item_id", name=op.f("pk_contents")),
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_cursors_site_id")),
        sa.PrimaryKeyConstraint("name", "site_id", name=op.f("pk_cursors")),
    )
    op.create_table(
        "edges",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("presence", sa.String(length=10), server_default="unknown", nullable=False),
        sa.Column("presence_at", sa.BigInteger(), nullable=True),
        sa.Column("complete_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_edges_site_id")),
        sa.PrimaryKeyConstraint("edge", name=op.f("pk_edges")),
    )
    op.create_table(
        "epc_prefixes",
        sa.Column("prefix", sa.String(length=124), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_epc_prefixes_item_id")),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_epc_prefixes")),
    )
    op.create_table(
        "epcis_events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(length=100), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("job", sa.String(length=500), nullable=True),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_epcis_events_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epcis_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_epcis_events_event_id")),
    )
    with op.batch_alter_table("epcis_events", schema=None) as batch_op:
        batch_op.create_index("ix_epcis_events_state", ["state", "id"], unique=False)

    op.create_table(
        "epcis_told",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("passage", sa.String(length=120), nullable=False),
        sa.Column("epc", sa.String(length=124), nullable=False),
        sa.PrimaryKeyConstraint("edge", "passage", "epc", name=op.f("pk_epcis_told")),
    )
    op.create_table(
        "ignored_tags",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.String(length=124), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_ignored_tags_site_id")),
        sa.PrimaryKeyConstraint("site_id", "prefix", name=op.f("pk_ignored_tags")),
    )
    op.create_table(
        "incidents",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_incidents_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index(
            "uq_incidents_open",
            ["kind", "subject"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "locations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("usage", sa.String(length=20), nullable=False),
        sa.Column("biz_location", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_locations_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_locations_site_id_name")),
    )
    op.create_table(
        "site_mail",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_site_mail_site_id")),
        sa.PrimaryKeyConstraint("site_id", "role", "address", name=op.f("pk_site_mail")),
    )
    op.create_table(
        "tasks",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_tasks_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.create_index(
            "uq_tasks_open",
            ["site_id", "kind", "subject"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "unit_contents",
        sa.Column("epc", sa.String(length=124), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("sscc", sa.String(length=18), nullable=False),
        sa.Column("declared", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("read", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_unit_contents_item_id")),
        sa.PrimaryKeyConstraint("epc", "item_id", name=op.f("pk_unit_contents")),
    )
    op.create_table(
        "alerts",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("suggestion", sa.JSON(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("pending_at", sa.BigInteger(), nullable=False),
        sa.Column("fired_at", sa.BigInteger(), nullable=False),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=80), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_alerts_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_alerts_location_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_alerts_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index("ix_alerts_changed", ["site_id", "changed_at"], unique=False)
        batch_op.create_index(
            "uq_alerts_open",
            ["rule", "item_id", "location_id"],
            unique=True,
            sqlite_where=sa.text("cleared_at IS NULL"),
            postgresql_where=sa.text("cleared_at IS NULL"),
        )

    op.create_table(
        "balances",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_balances_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_balances_location_id")),
        sa.PrimaryKeyConstraint("item_id", "location_id", name=op.f("pk_balances")),
    )
    op.create_table(
        "bays",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("shelf", sa.String(length=40), nullable=False),
        sa.Column("bay", sa.String(length=40), nullable=False),
        sa.Column("backroom_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["backroom_id"], ["locations.id"], name=op.f("fk_bays_backroom_id")),
        sa.ForeignKeyConstraint(["edge"], ["edges.edge"], name=op.f("fk_bays_edge")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_bays_location_id")),
        sa.PrimaryKeyConstraint("location_id", name=op.f("pk_bays")),
        sa.UniqueConstraint("edge", "shelf", "bay", name=op.f("uq_bays_edge_shelf_bay")),
    )
    op.create_table(
        "crossings",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("passage", sa.String(length=120), nullable=False),
        sa.Column("epc", sa.String(length=124), nullable=False),
        sa.Column("gate", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("tid", sa.String(length=128), nullable=True),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("outside_id", sa.Integer(), nullable=False),
        sa.Column("inside_id", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["inside_id"], ["locations.id"], name=op.f("fk_crossings_inside_id")),
        sa.ForeignKeyConstraint(["outside_id"], ["locations.id"], name=op.f("fk_crossings_outside_id")),
        sa.PrimaryKeyConstraint("edge", "passage", "epc", name=op.f("pk_crossings")),
    )
    with op.batch_alter_table("crossings", schema=None) as batch_op:
        batch_op.create_index("ix_crossings_edge_at", ["edge", "at"], unique=False)
        batch_op.create_index("ix_crossings_epc_at", ["epc", "at"], unique=False)

    op.create_table(
        "gates",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("gate", sa.String(length=40), nullable=False),
        sa.Column("outside_id", sa.Integer(), nullable=False),
        sa.Column("inside_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), server_default="dock", nullable=False),
        sa.Column("book_at", sa.Float(), server_default="0.9", nullable=False),
        sa.Column("read_point", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["edge"], ["edges.edge"], name=op.f("fk_gates_edge")),
        sa.ForeignKeyConstraint(["inside_id"], ["locations.id"], name=op.f("fk_gates_inside_id")),
        sa.ForeignKeyConstraint(["outside_id"], ["locations.id"], name=op.f("fk_gates_outside_id")),
        sa.PrimaryKeyConstraint("edge", "gate", name=op.f("pk_gates")),
    )
    op.create_table(
        "movements",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("src_id", sa.Integer(), nullable=False),
        sa.Column("dst_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("event_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_movements_quantity")),
        sa.CheckConstraint("src_id <> dst_id", name=op.f("ck_movements_moves")),
        sa.ForeignKeyConstraint(["dst_id"], ["locations.id"], name=op.f("fk_movements_dst_id")),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_movements_item_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_movements_site_id")),
        sa.ForeignKeyConstraint(["src_id"], ["locations.id"], name=op.f("fk_movements_src_id")),
        sa.PrimaryKeyConstraint("site_id", "position", name=op.f("pk_movements")),
        sa.UniqueConstraint("source", "line", name=op.f("uq_movements_source_line")),
    )
    with op.batch_alter_table("movements", schema=None) as batch_op:
        batch_op.create_index("ix_movements_item_dst", ["item_id", "dst_id", "event_at"], unique=False)
        batch_op.create_index("ix_movements_item_src", ["item_id", "src_id", "event_at"], unique=False)

    op.create_table(
        "rule_states",
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_rule_states_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_rule_states_location_id")),
        sa.PrimaryKeyConstraint("rule", "item_id", "location_id", name=op.f("pk_rule_states")),
    )
    with op.batch_alter_table("rule_states", schema=None) as batch_op:
        batch_op.create_index("ix_rule_states_dirty", ["dirty", "state", "since"], unique=False)

    op.create_table(
        "tags",
        sa.Column("epc", sa.String(length=124), nullable=False),
        sa.Column("scheme", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column(
            "quantity",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            server_default="1",
            nullable=False,
        ),
        sa.Column("parent", sa.String(length=124), nullable=True),
        sa.Column("tid", sa.String(length=128), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("location_id", sa.Integer(), nullable=True),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_tags_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_tags_location_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_tags_site_id")),
        sa.PrimaryKeyConstraint("epc", name=op.f("pk_tags")),
    )
    op.create_table(
        "bay_items",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_bay_items_item_id")),
        sa.ForeignKeyConstraint(["location_id"], ["bays.location_id"], name=op.f("fk_bay_items_location_id")),
        sa.PrimaryKeyConstraint("location_id", "item_id", name=op.f("pk_bay_items")),
    )
    op.create_table(
        "levels",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("grams", sa.Float(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("stable", sa.Boolean(), nullable=False),
        sa.Column("uncertain", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["bays.location_id"], name=op.f("fk_levels_location_id")),
        sa.PrimaryKeyConstraint("location_id", name=op.f("pk_levels")),
    )
    op.create_table(
        "notifications",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("alert_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event", sa.String(length=10), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("recipient", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name=op.f("fk_notifications_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint(
            "alert_id",
            "event",
            "channel",
            "recipient",
            name=op.f("uq_notifications_alert_id_event_channel_recipient"),
        ),
    )
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.create_index("ix_notifications_due", ["state", "next_at"], unique=False)

    op.create_table(
        "shelf_changes",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("grams", sa.Float(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("booked", sa.Boolean(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name=op.f("fk_shelf_changes_item_id")),
        sa.ForeignKeyConstraint(
            ["location_id"], ["bays.location_id"], name=op.f("fk_shelf_changes_location_id")
        ),
        sa.PrimaryKeyConstraint("edge", "run", "seq", name=op.f("pk_shelf_changes")),
    )
    with op.batch_alter_table("shelf_changes", schema=None) as batch_op:
        batch_op.create_index("ix_shelf_changes_interval", ["location_id", "to_at"], unique=False)
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
