"""Says that a cell cannot weigh when that begins, and now and then while it lasts, not at every line. Pure."""

from edge.reads import WeightFault

# A fault that lasts is said again so often: whoever listens knows that it still stands, and 80 lines a second of "nan"
# do not fill a recording.
AGAIN_US = 1_000_000


class Faults:
    """The cells of one shelf that cannot weigh just now."""

    def __init__(self, shelf: str) -> None:
        self._shelf = shelf
        self._standing: dict[int, tuple[str, int]] = {}  # by cell: what, and when it was last said

    def of(self, cell: int, fault: str, at_us: int) -> WeightFault | None:
        """This is so: what is to be said of it, None where it was said just now."""
        standing = self._standing.get(cell)
        if standing is not None and standing[0] == fault and 0 <= at_us - standing[1] < AGAIN_US:
            return None
        self._standing[cell] = fault, at_us
        return WeightFault(at_us=at_us, shelf=self._shelf, cell=cell, fault=fault)

    def over(self, cell: int) -> None:
        """It weighs again."""
        if self._standing:
            self._standing.pop(cell, None)
