"""What is kept of a bay over a restart, taken from it and given back to it."""

from edge.aggregator.bay import BayWatch
from edge.aggregator.kept import Kept
from edge.aggregator.place import Sure


def kept_of(bay: BayWatch) -> Kept | None:
    """None of a bay that has never been at rest."""
    if not bay.anchored:
        return None
    standing, conditions, sure = bay.standing, bay.conditions, bay.sure
    return Kept(
        cells=bay.kept_anchor(), at_us=bay.anchored_us, anew=bay.anew, confirmed=bay.confirmed,
        counts=standing.counts, overhang=standing.overhang, doubt=standing.doubt,
        check=conditions.check, mute=conditions.mute, alien=conditions.alien, until_ms=conditions.until_ms,
        fill=bay.said_fill,
        sure=(sure.cells, sure.counts, sure.jump) if sure else None,
        exact=sure.exact if sure else False, things=standing.things,
        overhang_spread=standing.overhang_spread, senseless=bay.senseless,
    )  # fmt: skip


def restore(bay: BayWatch, kept: Kept) -> None:
    """Go on from there, unless the bay is on other cells now."""
    if len(kept.cells) != len(bay.bay.cells):
        return
    bay.set_anchor(kept.cells)
    bay.kept_us, bay.anew, bay.offline = kept.at_us, kept.anew, True
    standing, conditions = bay.standing, bay.conditions
    gtins = {item.gtin for item in bay.bay.items}
    standing.counts = kept.counts if kept.counts is None or set(kept.counts) == gtins else None
    standing.things = kept.lying()
    standing.overhang, standing.overhang_spread = kept.overhang, kept.overhang_spread
    standing.doubt, bay.said_fill = kept.doubt, dict(kept.fill)
    conditions.check, conditions.mute, conditions.alien = kept.check, kept.mute, kept.alien
    conditions.until_ms = kept.until_ms  # how it is, is said anew
    bay.sure = Sure(*kept.sure, kept.exact) if kept.sure else None
    bay.confirmed, bay.senseless = kept.confirmed, kept.senseless
    bay.steps.clear()
