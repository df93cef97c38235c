"""The states of a command."""

ASKED = "asked"
EXPIRED = "expired"
# Beside them the outcomes of a reply: done, refused, stale, failed.
