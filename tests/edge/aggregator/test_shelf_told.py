"""What bays say of themselves: all of them at each start, and no reason that has gone by."""

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.orders import Calibrate, Resume, Serve
from tests.support.shelf_scene import CAN, JAR, SHELF, after, fed, ms, shelf_of, states, stream, us, watching
from wire.events import BayState, Event


def again(first: Aggregator, *, lost: bool = False) -> Aggregator:
    """The agent after a restart; `lost`: without its disk."""
    second = watching(shelf_of([CAN], [JAR]))
    if not lost:
        second.restore(first.changed_state())
    return second


def reasons(said: list[Event]) -> list[tuple[str, str]]:
    return [(event.state.value, event.reason) for event in said if isinstance(event, BayState)]


def test_every_bay_is_told_once_a_start_though_nothing_changed() -> None:
    weights = ([(0.0, 6600.0)], [(0.0, 260.0)])  # half a jar tells nobody anything
    told = [("A1", "ok"), ("A2", "uncertain")]
    first = watching(shelf_of([CAN], [JAR]))
    assert sorted(states(fed(first, stream(*weights, to_s=10.0)))) == told
    assert states(fed(first, after(stream(*weights, to_s=10.0), 10.0))) == []

    for lost in (False, True):
        second = again(first, lost=lost)
        assert sorted(states(fed(second, after(stream(*weights, to_s=10.0), 20.0)))) == told
        assert states(fed(second, after(stream(*weights, to_s=10.0), 30.0))) == []


def test_a_bay_that_was_uncertain_before_its_disk_was_lost_is_told_to_count() -> None:
    first = watching(shelf_of([CAN], [JAR]))
    fed(first, stream([(0.0, 495.0)], [(0.0, 505.0)], to_s=10.0))

    said = fed(again(first, lost=True), after(stream([(0.0, 660.0)], [(0.0, 505.0)], to_s=10.0), 20.0))

    assert sorted(states(said)) == [("A1", "ok"), ("A2", "ok")]


def test_a_bay_that_has_not_come_to_rest_yet_says_nothing() -> None:
    shaking = [(0.2 * n, 3300.0 + 500.0 * (-1) ** n) for n in range(100)]
    assert states(fed(watching(shelf_of([CAN])), stream(shaking, to_s=20.0))) == []


def weighed(aggregator: Aggregator, factor: float, seconds: float, grams: float = 1650.0) -> list[Event]:
    """What is said when it weighs by this factor from then on; `grams` are what the device says."""
    order = Calibrate(shelf=SHELF, cell=0, factor=factor, offset_grams=0.0)
    said = aggregator.order(order, ms(seconds), us(seconds))
    return said + fed(aggregator, after(stream([(0.0, grams)], to_s=10.0), seconds + 1.0))


def contradicted(factor: float) -> Aggregator:
    """Five cans stand there, were counted, and weigh by a wrong factor, which service made nobody look at."""
    aggregator = watching(shelf_of([CAN]))
    fed(aggregator, stream([(0.0, 1650.0)], to_s=10.0))
    weighed(aggregator, factor, 11.0)
    aggregator.order(Serve(shelf=SHELF, bay="A1", until_ms=ms(600.0)), ms(23.0), us(23.0))
    aggregator.order(Resume(shelf=SHELF, bay="A1"), ms(24.0), us(24.0))
    fed(aggregator, after(stream([(0.0, 1650.0)], to_s=10.0), 25.0))
    return aggregator


def test_a_reason_goes_with_the_weight_that_it_was_of() -> None:
    assert reasons(weighed(contradicted(4.0), 1.0, 40.0)) == [("ok", "")]


def test_a_reason_tells_the_weight_of_now() -> None:
    aggregator = contradicted(4.0)
    said = weighed(aggregator, 2.0, 40.0)
    assert reasons(said)[-1] == ("uncertain", "5 were counted, and it weighs as much as 10.0")
    for n in range(5):  # each hand that leans there leaves it a little elsewhere, which is no news
        leant = stream([(0.0, 1650.0), (3.0, 4000.0), (3.7, 1650.0 + 10.0 * (n % 2))], to_s=20.0)
        assert states(fed(aggregator, after(leant, 60.0 + 20.0 * n))) == []
