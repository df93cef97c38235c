"""Tags that are never stock, whatever they do at a gate."""

from cloud.ledger.master import Master
from wire.epc import decode

# A returnable asset, an individual asset and a place are no trade items (EPC Tag Data Standard 2.3, section 6.3).
NEVER_STOCK = frozenset({"grai", "giai", "sgln"})
GENERAL = "gid"  # anything at all; stock only where an item claims it by its prefix


def is_stock(master: Master, site_id: int, epc: str) -> bool:
    """Whether a tag's crossing may book anything at a site; `epc` is the tag's identity."""
    meant = decode(epc)
    if meant.family in NEVER_STOCK or master.ignores(site_id, epc, meant.uri):
        return False
    return meant.family != GENERAL or master.claim(epc, None) is not None
