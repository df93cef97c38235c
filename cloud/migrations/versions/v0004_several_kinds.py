"""Bays with several kinds: what the scale says of each, and where each differs from the ledger; how much units differ.

Bays' states and fills become points of the series: what edges said is written once more, which changes nothing else.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("bay_items", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unit_cv", sa.Float(), nullable=True))
    op.create_table(
        "item_levels",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("units", sa.Integer(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["bays.location_id"], name=op.f("fk_item_levels_location_id")
        ),
        sa.PrimaryKeyConstraint("location_id", "gtin", name=op.f("pk_item_levels")),
    )
    _differences()
    # The cursors of runs are "series:" and the run's 32 digits; those of movements and alerts stay where they are.
    op.execute("DELETE FROM cursors WHERE name LIKE 'series:%' AND name <> 'series:alerts'")


def _differences() -> None:
    """Until now only bays with one item were compared: that is the one that differs."""
    known = (
        op.get_bind()
        .execute(
            sa.text(
                "SELECT d.location_id, MIN(i.gtin) AS gtin, MIN(d.since) AS since, d.told FROM level_differences d"
                " JOIN bay_items b ON b.location_id = d.location_id JOIN items i ON i.id = b.item_id"
                " GROUP BY d.location_id, d.told HAVING COUNT(*) = 1"
            )
        )
        .all()
    )
    op.drop_table("level_differences")
    made = op.create_table(
        "level_differences",
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["bays.location_id"], name=op.f("fk_level_differences_location_id")
        ),
        sa.PrimaryKeyConstraint("location_id", "gtin", name=op.f("pk_level_differences")),
    )
    if known:
        rows = [{**row._mapping, "told": bool(row.told)} for row in known]
        op.bulk_insert(made, rows)
