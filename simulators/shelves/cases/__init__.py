"""What happens at shelves, a case each: a few deeds, so that many worlds of each can be made and judged.

A case makes a world from a seed; its docstring says in a line what happens, for tables.
"""

from collections.abc import Callable

from simulators.shelves.cases.faults import FAULTS
from simulators.shelves.cases.power import POWER
from simulators.shelves.cases.shopping import SHOPPING
from simulators.shelves.cases.spans import SPANS
from simulators.shelves.cases.working import WORKING
from simulators.shelves.world import World

CASES: dict[str, Callable[[int], World]] = {
    make.__name__: make for make in (*SHOPPING, *WORKING, *POWER, *FAULTS, *SPANS)
}
