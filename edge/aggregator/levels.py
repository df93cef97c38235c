"""What a bay weighs and holds now, for telemetry."""

import numpy as np

from edge.aggregator.bay import BayWatch
from edge.aggregator.channels import Channels
from edge.aggregator.fill import fraction
from wire.messages import Level


def levels_of(bay: BayWatch, channels: Channels, row: slice, *, stable: bool) -> list[Level]:
    """One of each kind of goods; none where its cells, `row` of the channels, have not all weighed yet."""
    if not channels.ticks[row].all():
        return []
    grams = round(float(np.sum(channels.level[row])) - bay.bay.tare_grams, 2)
    counts = bay.counts
    units: list[tuple[str | None, int | None]] = [
        (item.gtin, counts.get(item.gtin) if counts else None) for item in bay.bay.items
    ]
    return [
        Level(
            shelf=bay.shelf, bay=bay.bay.name, grams=grams, item=item, units=n,
            stable=stable, fraction=fraction(item or "", n, bay.bay),
        )
        for item, n in units or [(None, None)]
    ]  # fmt: skip
