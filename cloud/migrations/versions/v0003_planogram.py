"""The planogram and its history, how full bays are, and where scales and ledger disagree."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _planogram()
    _fill()
    op.create_table(
        "level_differences",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["bays.location_id"], name=op.f("fk_level_differences_location_id")
        ),
        sa.PrimaryKeyConstraint("location_id", name=op.f("pk_level_differences")),
    )


def _planogram() -> None:
    with op.batch_alter_table("bay_items", schema=None) as batch_op:
        batch_op.add_column(sa.Column("facings", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("low", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("unit_grams", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("unit_tare_grams", sa.Float(), nullable=True))
    op.create_table(
        "planogram_changes",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("changed_by", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["bays.location_id"], name=op.f("fk_planogram_changes_location_id")
        ),
        sa.PrimaryKeyConstraint("location_id", "version", name=op.f("pk_planogram_changes")),
    )
    op.create_table(
        "planogram_told",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("command", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["bays.location_id"], name=op.f("fk_planogram_told_location_id")
        ),
        sa.PrimaryKeyConstraint("location_id", name=op.f("pk_planogram_told")),
    )


def _fill() -> None:
    op.create_table(
        "bay_fills",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("facings", sa.Integer(), nullable=True),
        sa.Column("fraction", sa.Float(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["bays.location_id"], name=op.f("fk_bay_fills_location_id")),
        sa.PrimaryKeyConstraint("location_id", "gtin", name=op.f("pk_bay_fills")),
    )
    op.create_table(
        "fill_log",
        sa.Column("edge", sa.String(length=40), nullable=False),
        sa.Column("run", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("fraction", sa.Float(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["bays.location_id"], name=op.f("fk_fill_log_location_id")),
        sa.PrimaryKeyConstraint("edge", "run", "seq", name=op.f("pk_fill_log")),
    )
    with op.batch_alter_table("fill_log", schema=None) as batch_op:
        batch_op.create_index("ix_fill_log_location", ["location_id", "at"], unique=False)
        batch_op.create_index("ix_fill_log_at", ["at"], unique=False)
