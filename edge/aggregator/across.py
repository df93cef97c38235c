"""Changes of two neighbouring bays at one time that are one move."""

from edge.aggregator.bay import BayWatch
from edge.aggregator.neighbours import Part, together
from edge.aggregator.place import Rest, Shared


def belong(one: BayWatch, one_rest: Rest, other: BayWatch, other_rest: Rest) -> None:
    """Tell both where goods stand across them, or have been pushed from one to the other."""
    pairs = ((one, one_rest), (other, other_rest))
    if any(bay.shared or not bay.changes_alone(rest) for bay, rest in pairs):
        return
    grams = [bay.off(rest) for bay, rest in pairs]
    found = together(
        *(Part(own, *bay.read(own, sum(grams), rest)) for (bay, rest), own in zip(pairs, grams, strict=True))
    )
    if found is None:
        return
    for n, (bay, _) in enumerate(pairs):
        if not found.sure:
            bay.shared = Shared(grams[n], True, 0.0, False)
        elif found.owner == n:
            bay.shared = Shared(sum(grams), True, grams[1 - n], True)
        else:
            bay.shared = Shared(grams[n], False, 0.0, True)
