from edge.readers.faults import AGAIN_US, Faults
from edge.reads import WeightFault


def fault(at_us: int, what: str, cell: int = 0) -> WeightFault:
    return WeightFault(at_us=at_us, shelf="aisle-1", cell=cell, fault=what)


def test_a_fault_is_said_when_it_begins_when_it_changes_and_while_it_lasts() -> None:
    faults = Faults("aisle-1")
    assert faults.of(0, "overload", 1000) == fault(1000, "overload")
    assert faults.of(0, "overload", 1000 + AGAIN_US - 1) is None
    assert faults.of(1, "overload", 1001) == fault(1001, "overload", 1)  # of another cell
    assert faults.of(0, "saturated", 1002) == fault(1002, "saturated")
    assert faults.of(0, "saturated", 1002 + AGAIN_US) == fault(1002 + AGAIN_US, "saturated")


def test_a_fault_that_was_over_is_said_again_at_once() -> None:
    faults = Faults("aisle-1")
    faults.over(0)
    assert faults.of(0, "overload", 1000)
    faults.over(0)
    assert faults.of(0, "overload", 1001) == fault(1001, "overload")


def test_a_clock_that_goes_back_keeps_no_fault_quiet() -> None:
    faults = Faults("aisle-1")
    assert faults.of(0, "overload", 10 * AGAIN_US)
    assert faults.of(0, "overload", 0) == fault(0, "overload")
