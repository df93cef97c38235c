"""Movements are append-only: triggers refuse to change or delete them, whoever asks."""

SQLITE = [
    f"""
    CREATE TRIGGER movements_refuse_{what.lower()} BEFORE {what} ON movements
    BEGIN
        SELECT RAISE(ABORT, 'movements are append-only: book a correction instead');
    END
    """
    for what in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    """
    CREATE FUNCTION movements_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'movements are append-only: book a correction instead';
    END
    $$
    """,
    """
    CREATE TRIGGER movements_refuse_change BEFORE UPDATE OR DELETE ON movements
    FOR EACH ROW EXECUTE FUNCTION movements_refuse()
    """,
    """
    CREATE TRIGGER movements_refuse_truncate BEFORE TRUNCATE ON movements
    FOR EACH STATEMENT EXECUTE FUNCTION movements_refuse()
    """,
]
