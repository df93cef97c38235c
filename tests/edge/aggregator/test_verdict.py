"""From probabilities to what is said, and the events that say it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.aggregator.judge import Judgement
from edge.aggregator.model import CERTAIN, Model
from edge.aggregator.moments import Stamp
from edge.aggregator.passage import Ended, Member, events_of
from edge.aggregator.verdict import DECIDED, MOVED, POSSIBLE, RISE_DB, Verdict, rose_and_fell, verdicts
from wire.events import Clock, Direction, Passage, TagMovement

STAMP = Stamp(Clock.NOT_SYNCED, "b7")
PLAIN = Model(scale=1.0, shift=0.0)  # a probability is said as it is
BEGAN_US = 1_763_802_000_123_456


@dataclass(frozen=True)
class Tag:
    """Its probabilities: that it moved, and if so which way; and how far its power rose and fell."""

    moved: float
    out: float = 0.0  # stayed there
    went_in: float = 0.0
    went_out: float = 0.0
    inside: float = 0.0  # stayed there
    rose_db: float = 0.0
    known: bool = True  # it had stood there before


def said(*tags: Tag, model: Model = PLAIN) -> list[Verdict]:
    n = len(tags)
    judgement = Judgement(
        moved=np.array([tag.moved for tag in tags]),
        ways=np.array([[tag.out, tag.went_in, tag.went_out, tag.inside] for tag in tags]),
        crossed_s=np.arange(float(n)) + 0.5,
        factors={}, own=np.zeros((n, 4)), company=np.zeros((n, 4)), path=np.zeros(3), group=np.zeros(n, np.int64),
    )  # fmt: skip
    rose, last = np.array([tag.rose_db for tag in tags]), np.arange(float(n)) + 7.5
    known = np.array([tag.known for tag in tags])
    return verdicts(judgement, known, rose, last, model)


@pytest.mark.parametrize(
    "tag, outcome",
    [
        (Tag(1.0, went_in=1.0), Direction.IN),
        (Tag(1.0, went_out=1.0), Direction.OUT),
        (Tag(0.99, went_in=0.7, inside=0.3), Direction.IN),
        (Tag(0.99, went_out=0.7, inside=0.3), Direction.OUT),
        (Tag(1.0, went_in=0.5, went_out=0.5), Direction.UNDECIDED),
        (Tag(0.5, went_in=1.0), Direction.UNDECIDED),
        (Tag(1.0, went_in=0.3, went_out=0.3, inside=0.4), Direction.UNDECIDED),
        (Tag(1.0, went_in=0.45, inside=0.55), Direction.UNDECIDED),
        (Tag(0.2, went_in=1.0), None),
        (Tag(1.0, went_in=0.1, out=0.9, rose_db=9.0), Direction.TURNED_BACK),
        (Tag(0.4, out=1.0, rose_db=9.0), None),
        (Tag(0.0, went_in=1.0), None),
    ],
)
def test_what_is_said_of_a_tag(tag: Tag, outcome: Direction | None) -> None:
    assert said(tag)[0].outcome is outcome


def test_the_bounds_are_where_they_are_said_to_be() -> None:
    just = 1e-6
    assert said(Tag(1.0, went_in=DECIDED + just))[0].outcome is Direction.IN
    assert said(Tag(1.0, went_in=DECIDED - just, inside=1.0 - DECIDED))[0].outcome is Direction.UNDECIDED
    assert said(Tag(1.0, went_in=POSSIBLE + just, inside=0.65))[0].outcome is Direction.UNDECIDED
    assert said(Tag(1.0, went_in=POSSIBLE - just, inside=0.65))[0].outcome is not Direction.UNDECIDED
    assert [v.outcome for v in said(*[Tag(0.6, out=1.0, rose_db=RISE_DB)] * 3)] == [Direction.TURNED_BACK] * 3
    assert [v.outcome for v in said(*[Tag(0.6, out=1.0, rose_db=RISE_DB - just)] * 3)] == [None] * 3


def test_of_a_tag_that_came_with_something_a_person_is_asked_sooner() -> None:
    """And sooner still where that went through."""
    stood, came = Tag(0.32, went_in=1.0), Tag(0.32, went_in=1.0, known=False)
    hardly = Tag(0.2 - 0.01, went_in=1.0, known=False)
    load = Tag(1.0, went_in=1.0)

    assert [v.outcome for v in said(stood, came, hardly)] == [None, Direction.UNDECIDED, None]
    assert [v.outcome for v in said(load, stood, hardly)] == [Direction.IN, None, Direction.UNDECIDED]


def test_a_door_that_is_less_often_right_than_it_believes_says_so() -> None:
    sure, doubtful = Tag(0.95, went_in=1.0), Tag(0.7, went_in=1.0)
    plain, humble = said(sure, doubtful), said(sure, doubtful, model=Model(scale=0.3, shift=0.0, certain=0.7))

    assert [v.outcome for v in plain] == [Direction.IN, Direction.IN]
    assert [v.outcome for v in humble] == [Direction.IN, Direction.UNDECIDED]
    assert humble[0].confidence < plain[0].confidence
    assert said(Tag(1.0, went_in=1.0), model=Model(scale=1.0, shift=0.0, certain=0.7))[0].confidence == 0.7


def test_one_tag_in_three_that_shows_it_makes_all_of_a_load_turn_back() -> None:
    plain, shows = Tag(MOVED + 0.05, out=1.0), Tag(0.95, out=1.0, rose_db=9.0)

    assert [v.outcome for v in said(*[shows] * 4, *[plain] * 6)] == [Direction.TURNED_BACK] * 10
    assert [v.outcome for v in said(shows, plain)] == [Direction.TURNED_BACK, None]
    assert [v.outcome for v in said(shows, *[plain] * 9)] == [Direction.TURNED_BACK] + [None] * 9
    assert [v.outcome for v in said(*[shows] * 4, Tag(MOVED - 0.05, out=1.0))][-1] is None


@given(st.lists(st.tuples(*[st.floats(0.001, 1.0)] * 5, st.floats(0.0, 20.0)), min_size=1, max_size=20))
def test_confidences_are_probabilities_below_certainty(numbers: list[tuple[float, ...]]) -> None:
    tags = []
    for moved, out, into, back, inside, rose in numbers:
        whole = out + into + back + inside
        tags.append(Tag(moved, out / whole, into / whole, back / whole, inside / whole, rose))

    for number, (tag, verdict) in enumerate(zip(tags, said(*tags), strict=True)):
        assert 0.0 <= verdict.confidence <= 1.0
        if verdict.outcome in (Direction.IN, Direction.OUT):
            assert DECIDED <= verdict.confidence <= CERTAIN
            assert verdict.confidence <= tag.moved + 1e-9
            assert (tag.went_in > tag.went_out) == (verdict.outcome is Direction.IN)
            assert verdict.at_s == number + 0.5
        elif verdict.outcome is not None:
            assert verdict.at_s == number + 7.5
        if verdict.outcome is Direction.UNDECIDED:
            assert verdict.confidence < DECIDED


def test_a_power_that_rises_and_falls_on_one_side_is_seen() -> None:
    powers = [-70.0, -66.0, -60.0, -55.0, -54.0, -55.0, -60.0, -66.0, -70.0]
    rows = [(0, False, power) for power in powers]  # it came and went
    rows += [(1, False, power) for power in powers[:5]]  # it came
    rows += [(2, n % 2 == 0, power) for n, power in enumerate(powers)]  # too few reads a side
    rows += [(3, True, -60.0 + (12.0 if n == 4 else 0.0)) for n in range(9)]  # one reflection
    tag, inner, dbm = (np.array(column) for column in zip(*rows, strict=True))

    found = rose_and_fell(tag, inner, dbm, 5)
    assert found[0] == pytest.approx(70.0 - (55.0 + 54.0 + 55.0) / 3)
    assert found[1] < 1.0
    assert found[2] < found[0]
    assert found[3] == pytest.approx(4.0)
    assert found[4] == 0.0  # not read


def member(number: int, outcome: Direction | None, confidence: float = 0.97654321) -> Member:
    return Member(
        epc=f"E{number}", tid=None, reads=3 + number, verdict=Verdict(outcome, confidence, 1.0),
        at_us=BEGAN_US + 1_000_000 * number, at_ms=5_000 + number,
    )  # fmt: skip


def ended(**change: object) -> Ended:
    plain = {
        "gate": "dock-1", "began_us": BEGAN_US, "active_us": BEGAN_US + 4_000_000, "active_ms": 9_000,
        "decided_us": BEGAN_US + 6_000_000, "trigger": "input 1", "healthy": False,
    }  # fmt: skip
    return Ended(**(plain | change))  # type: ignore[arg-type]  # of kinds that differ


def test_a_passage_of_which_nothing_moved_says_nothing() -> None:
    assert events_of(ended(), [member(n, None) for n in range(3)], STAMP) == []
    assert events_of(ended(), [], STAMP) == []


def test_a_passage_says_each_tag_that_moved_and_counts_them() -> None:
    outcomes = [
        Direction.IN,
        None,
        Direction.IN,
        Direction.OUT,
        Direction.TURNED_BACK,
        Direction.UNDECIDED,
        None,
        None,
    ]
    *tags, passage = events_of(ended(), [member(n, outcome) for n, outcome in enumerate(outcomes)], STAMP)

    assert isinstance(passage, Passage)
    assert (passage.ins, passage.outs, passage.turned_back, passage.undecided, passage.strays) == (
        2,
        1,
        1,
        1,
        3,
    )
    assert passage.passage == passage.load == "dock-1-20251122T090000.123456Z"
    assert (passage.trigger, passage.healthy, passage.boot, passage.clock) == (
        "input 1",
        False,
        "b7",
        Clock.NOT_SYNCED,
    )
    assert passage.began_at == datetime(2025, 11, 22, 9, 0, 0, 123456, UTC)
    assert passage.at == passage.ended_at == datetime(2025, 11, 22, 9, 0, 4, 123456, UTC)
    assert [tag.epc for tag in tags if isinstance(tag, TagMovement)] == ["E0", "E2", "E3", "E4", "E5"]
    for tag in tags:
        assert isinstance(tag, TagMovement)
        number = int(tag.epc[1:])
        assert tag.outcome is outcomes[number]
        assert (tag.reads, tag.mono_ms, tag.confidence) == (3 + number, 5_000 + number, 0.977)
        assert tag.decided_at == datetime(2025, 11, 22, 9, 0, 6, 123456, UTC)
        assert tag.passage == passage.passage


def test_passages_that_began_a_microsecond_apart_have_names_of_their_own() -> None:
    names = {
        event.passage
        for gate in ("dock-1", "dock-2")
        for us in range(3)
        for event in events_of(ended(gate=gate, began_us=BEGAN_US + us), [member(1, Direction.IN)], STAMP)
        if isinstance(event, Passage)
    }
    assert len(names) == 6
