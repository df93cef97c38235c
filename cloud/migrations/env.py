"""Alembic's entry point: runs on the connection that cloud/migrations/upgrade.py hands it."""

from alembic import context

from cloud.ledger.tables import metadata
from cloud.migrations.upgrade import OPTIONS

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, **OPTIONS)
with context.begin_transaction():
    context.run_migrations()
