"""Commands to edges, and how bays count."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bay_states",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["bays.location_id"], name=op.f("fk_bay_states_location_id")
        ),
        sa.PrimaryKeyConstraint("location_id", name=op.f("pk_bay_states")),
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=90), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("sends", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["edge"], ["edges.edge"], name=op.f("fk_commands_edge")),
        sa.ForeignKeyConstraint(["location_id"], ["bays.location_id"], name=op.f("fk_commands_location_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_commands_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
    )
    with op.batch_alter_table("commands", schema=None) as batch_op:
        batch_op.create_index(
            "ix_commands_due",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        )
        batch_op.create_index("ix_commands_location", ["location_id", "asked_at"], unique=False)
        batch_op.create_index("ix_commands_site", ["site_id", "asked_at"], unique=False)

    op.create_table(
        "service_times",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["location_id"], ["bays.location_id"], name=op.f("fk_service_times_location_id")
        ),
        sa.PrimaryKeyConstraint("location_id", "began_at", name=op.f("pk_service_times")),
    )
