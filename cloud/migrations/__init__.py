"""How a ledger of an older program becomes one of this: Alembic, for both engines."""
