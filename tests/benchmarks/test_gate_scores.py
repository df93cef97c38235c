"""What measures gates, measured itself: intervals, peers, scores and the simulated day, in cases small enough."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks import door_day, gates, peers, scenes
from benchmarks.folds import folds
from benchmarks.gates_a import Run, Score
from benchmarks.page import markers
from benchmarks.passes import Pass
from benchmarks.passes import score as score_passes
from benchmarks.reliability import bins
from benchmarks.said import Said
from benchmarks.shares import table, wilson
from edge.reads import TagRead
from simulators.doors.day import day
from simulators.doors.scenes import SCENES
from simulators.doors.world import BEGAN
from wire.events import Clock, Direction, TagMovement

SIDES = {1: "outside", 2: "inside"}


def _reads(*seen: tuple[float, int, float], epc: str = "AA") -> list[TagRead]:
    return [
        TagRead(at_us=round(s * 1e6), gate="gate", antenna=antenna, epc=epc, rssi_dbm=dbm)
        for s, antenna, dbm in seen
    ]


def _run(truth: str, *tags: str, kind: str = "in", name: str = "run") -> Run:
    reads = [read for epc in tags for read in _reads((0.0, 1, -60.0), epc=epc)]
    return Run(name, reads, kind, truth)


def _outcomes(said: Sequence[Said]) -> list[tuple[str, str]]:
    return [(one.epc, one.outcome) for one in said]


def test_wilsons_interval_is_that_of_published_examples() -> None:
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_table_is_markdown_of_even_columns() -> None:
    lines = table(("a", "longer"), [["x", "1"], ["yyy", "22"]]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1] == "|-----|-------:|"


def test_the_first_and_last_antenna_see_nothing_where_they_are_the_same() -> None:
    assert _outcomes(list(peers.first_last(_reads((0, 1, -60), (1, 2, -60)), SIDES))) == [("AA", "in")]
    assert list(peers.first_last(_reads((0, 1, -60), (1, 2, -60), (2, 1, -60)), SIDES)) == []


def test_centroids_are_weighted_by_power() -> None:
    reads = _reads((0, 1, -50), (4, 1, -80), (1, 2, -80), (3, 2, -50))
    assert _outcomes(list(peers.centroids(1.0)(reads, SIDES))) == [("AA", "in")]
    assert list(peers.centroids(3.5)(reads, SIDES)) == []


@pytest.mark.parametrize(
    ("dbm", "at_s", "moves"),
    [
        (-55.0, 0.3, []),  # 5 dB stronger, and the old place was just read: 6 dB are asked for
        (-53.0, 0.3, ["in"]),
        (-61.0, 1.2, []),  # 1.2 s later 0.4 dB are asked for
        (-61.0, 1.5, ["in"]),  # and after 1.25 s it may even be weaker: 1 dB weaker at 1.5 s is enough
    ],
)
def test_edgex_asks_for_less_the_longer_ago_the_old_place_was_read(
    dbm: float, at_s: float, moves: list[str]
) -> None:
    reads = _reads((-0.1, 1, -60.0), (0.0, 1, -60.0), (at_s - 0.01, 2, dbm), (at_s, 2, dbm))
    assert [said.outcome for said in peers.edgex_moves(reads, SIDES)] == moves


def test_back_and_forth_is_no_right_answer_and_undecided_is_none_either() -> None:
    score = Score()
    score.add(_run("in", "AA", "BB", "CC"), [Said(0, "AA", "in", 0.95), Said(0, "BB", "out", 0.5),
                                             Said(1, "BB", "in", 0.5), Said(0, "CC", "undecided", 0.6)])  # fmt: skip
    score.add(_run("none", "DD", "EE", name="other"), [Said(0, "DD", "in", 0.8)])
    counts = score.counts
    assert (counts["all"], counts["crossings"], counts["right"], counts["crossed"]) == (5, 3, 2, 1)
    assert (counts["reversed"], counts["false"], counts["undecided"]) == (1, 1, 1)
    assert (counts["booked"], counts["booked wrongly"], counts["asked"]) == (1, 0, 3)
    assert score.wrong_runs == {"run", "other"}


def test_folds_hold_every_run_once_and_never_learn_from_it() -> None:
    runs = [_run("in", "AA", kind=kind, name=f"{kind}{n}") for kind in ("in", "out") for n in range(5)]
    held = []
    for known, out in folds(runs, 4):
        assert not {run.name for run in known} & {run.name for run in out}
        assert len(known) + len(out) == len(runs)
        held += [run.name for run in out]
    assert sorted(held) == sorted(run.name for run in runs)


def test_a_pass_is_scored_by_what_is_said_in_its_time() -> None:
    passes = [Pass(10, Direction.IN, 0, 20), Pass(30, Direction.OUT, 20, 40)]
    said = [Said(11, "AA", "in", 0.95), Said(29, "AA", "out", 0.7), Said(12, "BB", "out", 0.99),
            Said(31, "BB", "turned_back", 0.8), Said(13, "stray", "in", 0.95)]  # fmt: skip
    score = score_passes(passes, ["AA", "BB", "CC"], said)
    assert score.movements == 6
    assert (score.counts["right"], score.counts["booked"], score.counts["wrong"]) == (2, 1, 1)
    assert (score.counts["turned"], score.counts["missed"]) == (1, 2)
    assert (score.counts["stray moved"], score.counts["stray booked"]) == (1, 1)


def test_bins_hold_what_was_said_and_whether_it_was_right() -> None:
    found = bins([(0.9, True), (0.94, False), (0.995, True)])
    assert [(b.name, b.movements, b.right) for b in found] == [("0.90-0.95", 2, 1), ("0.99-1.00", 1, 1)]


def _moved(epc: str, at_s: float, outcome: Direction, confidence: float) -> TagMovement:
    at = BEGAN + timedelta(seconds=at_s)
    return TagMovement(at=at, clock=Clock.SYNCED, boot="b", mono_ms=0, gate="dock-1", epc=epc, outcome=outcome,
                       confidence=confidence, passage="p", reads=3, decided_at=at)  # fmt: skip


@pytest.mark.timeout(60)
def test_a_day_in_which_all_is_said_as_it_was_has_no_errors_and_one_of_silence_misses_all() -> None:
    world = day(1, lasts_s=1800.0, passages=14, parked=20)
    spans = door_day.expected(world)
    crossed = [span for span in spans if span.direction]
    assert crossed
    read = {span.epc: [(span.from_s + span.to_s) / 2] for span in crossed}
    said = [
        _moved(span.epc, (span.from_s + span.to_s) / 2, Direction(span.direction), 0.95)
        for span in crossed
        if span.direction
    ]
    right = door_day.score(world, said, read)
    assert right.total("wrong") == right.total("missed") == right.total("told") == 0
    assert right.total("right") == len(spans)
    silence = door_day.score(world, [], read)
    assert silence.total("missed") == len(crossed)


@pytest.mark.timeout(60)
def test_a_booking_of_a_parked_tag_is_a_silent_error_and_an_unsure_one_is_told() -> None:
    world = day(1, lasts_s=1800.0, passages=14, parked=20)
    parked = [span for span in door_day.expected(world) if span.cause == "parked beside the door"]
    said = [_moved(parked[0].epc, 600.0, Direction.IN, 0.95), _moved(parked[1].epc, 600.0, Direction.OUT, 0.7),
            _moved(parked[2].epc, 600.0, Direction.TURNED_BACK, 0.7)]  # fmt: skip
    counts = door_day.score(world, said, {}).counts["parked beside the door"]
    assert (counts["wrong"], counts["told"]) == (1, 1)
    assert counts["right"] == counts["tags"] - 2


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ((), ("in",), 0),
        (("in", "out"), ("in",), 1),
        (("in", "out"), ("out", "in", "out"), 2),
        (("in",), ("out",), 0),
    ],
)
def test_what_is_common_is_taken_in_order(one: tuple[str, ...], other: tuple[str, ...], common: int) -> None:
    assert scenes.common(one, other) == common


def test_a_scene_of_which_nothing_is_said_is_missed_whole_and_what_is_added_is_wrong() -> None:
    scene = SCENES["clock_step"](1)
    crossings = [said for said in scene.truth if said["type"] == "crossed"]
    silence = scenes.score(scene, [])
    assert silence["missed"] == silence["crossings"] == len(crossings)
    stray = next(said["epc"] for said in scene.truth if said["type"] == "stray")
    wrong = scenes.score(scene, [_moved(stray, 0.0, Direction.IN, 0.95), _moved(crossings[0]["epc"], 0.0,
                         Direction(crossings[0]["direction"]), 0.8)])  # fmt: skip
    assert (wrong["wrong"], wrong["booked wrongly"], wrong["right"], wrong["booked"]) == (1, 1, 1, 0)


@pytest.mark.timeout(60)
def test_a_report_is_put_between_the_markers_and_replaces_the_one_before(tmp_path: Path) -> None:
    page, plot = tmp_path / "benchmarks.md", tmp_path / "images" / "plot.png"
    begin, end = markers("gates")
    page.write_text(f"before\n\n{begin}\nold\n{end}\n\nafter\n", "utf-8")
    for words in ("first", "second"):
        report = gates.Report()
        report.say(words)
        report.sure["set"] = [(0.7, True), (0.95, True), (0.96, False)]
        gates.write(report, 1.0, page, plot)
    text = page.read_text("utf-8")
    assert text.startswith("before\n\n")
    assert text.endswith("\n\nafter\n")
    assert "second" in text
    assert "first" not in text
    assert "old" not in text
    assert plot.read_bytes().startswith(b"\x89PNG")
