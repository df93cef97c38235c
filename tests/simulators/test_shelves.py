"""The simulated shelf: its physics come out as asked, and its truth is what its weights show."""

import json
import tomllib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from simulators.shelves import cell as cells
from simulators.shelves import device as devices
from simulators.shelves import people, spoiling
from simulators.shelves.cases import CASES
from simulators.shelves.cell import Cell, Climate, noise, shown
from simulators.shelves.cli import shelf
from simulators.shelves.day import LONG, shop_day
from simulators.shelves.device import Epoch, Samples, sampled
from simulators.shelves.force import Load, Plate, Shake
from simulators.shelves.goods import goods, mean_grams, spread
from simulators.shelves.making import Making
from simulators.shelves.world import World

PLATE = Plate(hertz=10.0, damping=0.1, own_grams=500.0)
PERFECT = Cell(full_grams=10_000.0, creep=0.0, noise_grams=0.0)


def _rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def _stepped(grams: float, at_s: float = 1.0, ramp_s: float = 0.001) -> Load:
    load = Load()
    load.add([(at_s, 0.0), (at_s + ramp_s, grams)])
    return load


def _sent(load: Load, seconds: float, device: devices.Device, cell: Cell = PERFECT, seed: int = 1) -> Samples:
    epochs = (Epoch(from_s=0.0, to_s=seconds, cell=cell),)
    return sampled(device, epochs, load, (), PLATE, Climate(), _rng(seed))


def test_a_plate_overshoots_and_rings_as_its_damping_says() -> None:
    times = np.linspace(1.0, 4.0, 30_001)
    heavy = Plate(10.0, 0.1, 1e9)  # goods do not slow it
    felt = _stepped(100.0).felt(times, heavy)
    # A second-order system overshoots a step by exp(-pi zeta / sqrt(1 - zeta^2)): 72.9 % at a tenth of critical.
    assert felt.max() == pytest.approx(172.9, abs=0.3)
    peak = times[np.argmax(felt)] - 1.0
    assert peak == pytest.approx(0.5 / (10.0 * np.sqrt(0.99)), abs=0.002)  # half a damped period
    assert felt[-1] == pytest.approx(100.0, abs=1e-3)
    laden = _stepped(100.0).felt(times, Plate(10.0, 0.1, 100.0))  # twice as heavy when it is done
    assert laden.max() == pytest.approx(172.9, abs=0.3)
    assert times[np.argmax(laden)] - 1.0 == pytest.approx(np.sqrt(2.0) * (peak - 0.0005), abs=0.002)


def test_a_plate_answers_as_an_integration_of_its_equation_does() -> None:
    load = Load(at_first=300.0)
    load.add([(0.2, 0.0), (0.5, 80.0), (0.6, -40.0), (1.4, -120.0)])
    step_s, omega = 1e-5, 2.0 * np.pi * PLATE.hertz
    times = np.arange(0.0, 2.0, step_s)
    stiff = Plate(PLATE.hertz, PLATE.damping, 1e9)  # so heavy itself that goods do not slow it
    force = load.still(times)
    place, speed, found = force[0], 0.0, np.empty_like(times)
    for i, push in enumerate(force.tolist()):
        speed += step_s * (omega * omega * (push - place) - 2.0 * PLATE.damping * omega * speed)
        place += step_s * speed
        found[i] = place
    assert np.abs(load.felt(times, stiff) - found).max() < 0.1


def test_a_push_must_begin_with_nothing_and_go_on_in_time() -> None:
    with pytest.raises(ValueError, match="begins with 0 g, not with 5"):
        Load().add([(0.0, 5.0), (1.0, 6.0)])
    with pytest.raises(ValueError, match="times of a push must rise"):
        Load().add([(1.0, 0.0), (1.0, 6.0)])


def test_a_shake_has_its_size_and_stays_within_its_time() -> None:
    load = Load(shakes=[Shake(2.0, 12.0, 60.0, 4.0, 25.0, 3)])
    times = np.arange(0.0, 14.0, 0.002)
    felt = load.felt(times, PLATE)
    assert felt[(times > 3.0) & (times < 11.0)].std() == pytest.approx(60.0, rel=0.15)
    assert not felt[(times < 2.0) | (times > 12.0)].any()


@pytest.mark.parametrize("hertz, number", [(10.0, 12_000), (80.0, 50_000)])
def test_noise_is_as_large_as_asked_and_partly_slow(hertz: float, number: int) -> None:
    white = noise(Cell(full_grams=1.0, noise_grams=0.3), number, 1.0 / hertz, _rng())
    assert white.std() == pytest.approx(0.3, rel=0.03)
    flicker = Cell(full_grams=1.0, noise_grams=0.0, flicker_grams=0.2)
    pink = [noise(flicker, number, 1.0 / hertz, _rng(seed)) for seed in range(20)]
    assert np.mean([one.std() for one in pink]) == pytest.approx(0.2, rel=0.15)
    # 1/f: as much between 0.02 and 0.2 Hz as between 0.2 and 2 Hz.
    density = np.mean([np.abs(np.fft.rfft(one)) ** 2 for one in pink], axis=0)
    at = np.fft.rfftfreq(number, 1.0 / hertz)
    slow, fast = (density[(at > low) & (at < 10 * low)].sum() for low in (0.02, 0.2))
    assert slow / fast == pytest.approx(1.0, rel=0.3)


def test_creep_is_its_share_of_the_load_in_half_an_hour_and_goes_back() -> None:
    load = _stepped(5_000.0)
    load.add([(3601.0, 0.0), (3601.1, -5_000.0)])
    times = np.array([0.0, 1.5, 1801.0, 3600.0, 3602.0, 7200.0, 50_000.0])
    one = Cell(full_grams=10_000.0, creep=0.0005)
    found = shown(one, load, times, load.still(times), Climate(), 0.0)
    assert found[0] == 0.0
    assert found[1] == pytest.approx(5_000.0, abs=0.1)
    assert found[2] - 5_000.0 == pytest.approx(0.0005 * 5_000.0, rel=0.2)
    assert found[3] > found[2]
    assert 0.0 < found[5] < found[4] < 2.5  # what it had crept is left, and fades
    assert found[6] == pytest.approx(0.0, abs=1e-3)


def test_what_stood_there_from_the_beginning_has_crept() -> None:
    load = Load(at_first=5_000.0)
    times = np.array([0.0, 1000.0, 30_000.0])
    assert (
        shown(Cell(full_grams=10_000.0, creep=0.001), load, times, load.still(times), Climate(), 0.0).tolist()
        == [5_000.0] * 3
    )


def test_warmth_moves_zero_and_span() -> None:
    load = Load(at_first=4_000.0)
    one = Cell(full_grams=10_000.0, creep=0.0, zero_per_k=0.3, span_per_k=0.00005)
    found = shown(one, load, np.zeros(1), np.array([4_000.0]), Climate(mean_k=6.0), 0.0)
    assert found[0] - 4_000.0 == pytest.approx(6.0 * 0.3 + 4_000.0 * 6.0 * 0.00005)


def test_hysteresis_is_a_loop_and_the_bow_is_largest_half_way() -> None:
    load = Load()
    load.add([(1.0, 0.0), (2.0, 10_000.0), (3.0, 0.0), (4.0, 0.1)])
    times = np.array([1.5, 2.5])
    looped = Cell(full_grams=10_000.0, creep=0.0, loop=0.0002)
    # Bends are where the slider is followed, so the way up and the way down need knots half way.
    load.add([(0.5, 0.0), (1.5, 0.001), (2.5, 0.0)])
    up, down = shown(looped, load, times, load.still(times), Climate(), 0.0).tolist()
    assert up - down == pytest.approx(2 * 0.0002 * 10_000.0, rel=0.01)
    bowed = Cell(full_grams=10_000.0, creep=0.0, bow=0.0003)
    found = shown(bowed, load, times, np.array([5_000.0, 10_000.0]), Climate(), 0.0)
    assert found.tolist() == pytest.approx([5_003.0, 10_000.0])


def test_just_switched_on_zero_is_off_and_comes_back() -> None:
    one = Cell(full_grams=10_000.0, creep=0.0, warm_grams=4.0, warm_s=100.0)
    times = np.array([50.0, 150.0, 1_050.0])
    found = shown(one, Load(), times, np.zeros(3), Climate(), 50.0)
    assert found.tolist() == pytest.approx([4.0, 4.0 / np.e, 0.0], abs=0.01)


@pytest.mark.parametrize("hertz", [10.0, 80.0])
def test_a_board_samples_at_a_pace_of_its_own_and_settles_in_four_conversions(hertz: float) -> None:
    board = devices.board(_rng(4), hertz)
    found = _sent(_stepped(100.0, 20.0, 0.0001), 60.0, board)
    periods = np.diff(found.at_s)
    assert 0.79 / hertz < periods.mean() < 1.12 / hertz
    assert periods.std() > 0.0
    assert found.stable.tolist() == [-1] * len(found.at_s)
    stiff = sampled(board, (Epoch(from_s=0.0, to_s=60.0, cell=PERFECT),), _stepped(100.0, 20.0, 0.0001), (),
                    Plate(2_000.0, 0.7, 1e9), Climate(), _rng())  # fmt: skip
    between = stiff.grams[(stiff.grams > 0.5) & (stiff.grams < 99.5)]
    assert 3 <= len(between) <= 4
    assert np.diff(between).min() > 0.0


def test_boards_of_other_seeds_have_other_rates() -> None:
    assert len({round(devices.board(_rng(seed), 10.0).every_s, 4) for seed in range(5)}) == 5


def test_a_legal_scale_shows_divisions_and_tells_when_it_stands_still() -> None:
    found = _sent(_stepped(1_000.0, 20.0), 40.0, devices.legal(_rng(2), 2.0))
    assert set((found.grams % 2.0).tolist()) == {0.0}
    assert 9.0 < len(found.grams) / 40.0 < 11.0
    moving = (found.at_s > 20.05) & (found.at_s < 20.8)
    assert not found.stable[moving].any()
    assert found.stable[(found.at_s > 5.0) & (found.at_s < 19.9)].all()
    assert found.stable[found.at_s > 30.0].all()


def test_a_slow_module_sends_once_a_second() -> None:
    found = _sent(_stepped(50.0, 20.0), 60.0, devices.slow(_rng(3)))
    assert np.diff(found.at_s).mean() == pytest.approx(1.0, abs=0.06)


def test_a_neighbour_shows_by_its_share_of_what_stands_there_from_the_beginning() -> None:
    """Each cell was calibrated with nothing beside it."""
    board = devices.board(_rng(4), 10.0)
    epochs = (Epoch(from_s=0.0, to_s=30.0, cell=PERFECT),)
    neighbour = Load(at_first=700.0)
    neighbour.add([(10.0, 0.0), (10.2, -500.0)])
    found = sampled(board, epochs, Load(), ((neighbour, 0.02),), PLATE, Climate(), _rng())
    assert found.grams[0] == pytest.approx(14.0, abs=0.01)
    assert found.grams[-1] == pytest.approx(4.0, abs=0.01)


def test_zero_tracking_swallows_what_comes_slowly_and_leaves_what_comes_at_once() -> None:
    scale = devices.legal(_rng(2), 5.0)
    slowly, at_once = Load(), _stepped(40.0, 10.0)
    slowly.add([(10.0, 0.0), (210.0, 40.0)])
    ends = [
        _sent(load, 240.0, each, PERFECT).grams[-1]
        for load in (slowly, at_once)
        for each in (scale, devices.with_tracking(scale))
    ]
    assert ends == [40.0, 0.0, 40.0, 40.0]


def test_unit_weights_spread_as_those_of_real_goods() -> None:
    rng = _rng(5)
    each = np.array([spread(rng) for _ in range(20_000)])
    assert np.median(each) == pytest.approx(0.013, rel=0.05)
    assert np.quantile(each, 0.75) == pytest.approx(0.0283, rel=0.1)
    assert np.quantile(each, 0.9) == pytest.approx(0.0464, rel=0.15)
    assert (each > 0.03).mean() == pytest.approx(0.23, abs=0.03)
    assert each.max() <= 0.18
    means = np.array([mean_grams(rng) for _ in range(20_000)])
    assert np.median(means) == pytest.approx(91.0, rel=0.1)
    assert 15.0 <= means.min() <= means.max() <= 1124.0


def test_units_weigh_as_their_kind_says_and_a_batch_shifts_them_all() -> None:
    rng = _rng(6)
    kind = goods(rng, 1, grams=330.0, cv=0.02)
    plain = np.array([kind.unit(rng) for _ in range(4_000)])
    heavy = np.array([kind.unit(rng, 0.03) for _ in range(4_000)])
    assert plain.mean() == pytest.approx(330.0, rel=0.002)
    assert plain.std() / plain.mean() == pytest.approx(0.02, rel=0.05)
    assert heavy.mean() == pytest.approx(339.9, rel=0.002)
    assert abs(kind.noted_grams - 330.0) < 0.03 * 330.0


@pytest.mark.parametrize("make", [people.takes, people.puts])
def test_hands_leave_what_they_should(make: type) -> None:
    for seed in range(20):
        line = make(5.0, 200.0, _rng(seed))
        assert line[0] == (5.0, 0.0)
        assert abs(line[-1][1]) == 200.0
        assert all(a[0] < b[0] for a, b in pairwise(line))


def test_what_rests_goes_without_a_trace() -> None:
    for seed in range(20):
        line = people.rests(5.0, 8.0, 900.0, _rng(seed))
        assert (line[0][1], line[-1][1]) == (0.0, 0.0)
        assert 300.0 < np.mean([grams for _, grams in line[1:-1]]) < 1_500.0


def _samples() -> Samples:
    at = np.arange(0.0, 60.0, 0.1)
    return Samples(at, at, np.full(len(at), 500.0), np.full(len(at), -1, np.int8))


def test_samples_are_spoiled_as_asked_and_only_then() -> None:
    stuck = spoiling.constant(10.0, 20.0, -1.0)(_samples(), _rng())
    during = (stuck.at_s >= 10.0) & (stuck.at_s < 20.0)
    assert set(stuck.grams[during].tolist()) == {-1.0}
    assert set(stuck.grams[~during].tolist()) == {500.0}
    flipped = spoiling.scaled(10.0, 20.0, 0.001)(_samples(), _rng())
    assert set(flipped.grams[during].tolist()) == {0.5}
    assert len(spoiling.gap(10.0, 20.0)(_samples(), _rng()).grams) == 500
    spiked = spoiling.spikes(0.05, 30.0, 1000.0)(_samples(), _rng()).grams
    assert 10 < (np.abs(spiked - 500.0) >= 30.0).sum() < 60
    assert (np.abs(spiked - 500.0) < 30.0).sum() == (spiked == 500.0).sum()


def test_untidy_samples_keep_their_own_times() -> None:
    before = _samples()
    found = spoiling.untidy(0.1, 0.1, 0.3, 2.0)(before, _rng())
    assert np.all(np.diff(found.come_s) >= 0.0)
    assert np.any(np.diff(found.at_s) < 0.0)
    assert set(found.at_s.tolist()) <= set(before.at_s.tolist())
    assert len(set(found.at_s.tolist())) < len(found.at_s)  # some came twice
    assert np.all(found.come_s >= found.at_s)


def _rest(world: World, bay: str, from_s: float, to_s: float) -> float:
    """A bay's mean weight between two times, from its rows."""
    (place,) = (each for each in world.places if each.name == bay)
    rows = [(cell, grams) for at_s, _, cell, grams, _ in world.rows() if from_s <= at_s <= to_s]
    return sum(float(np.mean([g for c, g in rows if c == cell])) for cell in place.cells)


@pytest.mark.parametrize("name", sorted(CASES))
def test_each_case_is_the_same_again_and_its_truth_adds_up(name: str) -> None:
    make = CASES[name]
    assert make.__doc__
    for seed in (3, 4):
        world = make(seed)
        assert list(world.rows()) == list(make(seed).rows())
        for bay, opening in world.opening.items():
            counts = dict(opening)
            for each in world.happened:
                assert each.from_s <= each.to_s <= world.to_s
                for gtin, n in each.units.items() if each.bay == bay else ():
                    counts[gtin] = counts.get(gtin, 0) + n
            assert {g: n for g, n in counts.items() if n} == {
                g: n for g, n in world.closing[bay].items() if n
            }


@pytest.mark.parametrize(
    "name", ["single", "several", "mixed_bay", "wide_bay", "restock", "thing_stays", "power_minus"]
)
def test_the_weights_show_what_the_truth_says(name: str) -> None:
    for seed in range(6):
        world = CASES[name](seed)
        for place in world.places:
            moved = sum(each.grams for each in world.happened if each.bay == place.name)
            change = _rest(world, place.name, world.to_s - 5.0, world.to_s) - _rest(
                world, place.name, 3.0, 7.5
            )
            # Span, bow, creep and hysteresis of a poor cell are tenths of a percent of what stands there.
            allowed = 3.0 + 0.006 * abs(moved) + 0.0008 * world.epochs[0][0].cell.full_grams
            allowed += world.device.division * len(place.cells)
            assert change == pytest.approx(moved, abs=allowed)


def test_a_world_is_a_recording_that_tells_its_truth() -> None:
    world = CASES["single"](5)
    lines = list(world.lines())
    assert lines[0] == b'{"type":"recording","version":1,"edge":"shop"}\n'
    assert len(lines) == 1 + len(list(world.rows()))
    truth = world.truth()
    assert (truth[0]["type"], truth[-1]["type"]) == ("start", "end")
    assert truth[-1]["shelves"] == world.closing
    assert len(truth) == 2 + len(world.happened)


def test_a_case_can_be_had_as_files(tmp_path: Path) -> None:
    there = tmp_path / "swap"
    done = CliRunner().invoke(shelf, ["swap", "--seed", "3", "--dir", str(there)])
    assert done.exit_code == 0, done.output
    assert (there / "recording.jsonl").read_bytes() == b"".join(CASES["swap"](3).lines())
    assert tomllib.loads((there / "edge.toml").read_text("utf-8"))["shelves"][0]["bays"][0]["name"] == "A1"
    truth = [json.loads(line) for line in (there / "truth.jsonl").read_text("utf-8").splitlines()]
    assert [each["action"] for each in truth if each["type"] == "shelf"] == ["swap", "swap"]


def test_what_cannot_be_is_refused() -> None:
    make = Making(name="test", seed=1, full=3_000.0)
    kind = make.goods(grams=500.0)
    with pytest.raises(ValueError, match="6 units of 500 g are too much for 3000 g"):
        make.bay(kind, capacity=6)
    bay = make.bay(kind, capacity=4, filled=0.5)
    with pytest.raises(ValueError, match=r"has 2 units of .* so 3 cannot be taken"):
        make.take(bay, {kind.gtin: 3})
    with pytest.raises(ValueError, match=r"cells \(0,\) carry a bay already"):
        make.bay(kind, cells=(0,), capacity=2)


def test_a_shops_day_sells_and_refills_and_adds_up() -> None:
    world = shop_day(2, hours=1.0)
    kinds = {each.kind for each in world.happened}
    assert {"pick", "clerk puts", "cleaning"} <= kinds
    for bay, opening in world.opening.items():
        for gtin in opening:
            moved = sum(each.units.get(gtin, 0) for each in world.happened if each.bay == bay)
            assert opening[gtin] + moved == world.closing[bay][gtin] >= 0
    assert set(LONG) == {"creep_12h", "shop_day"}


def test_cells_are_drawn_from_industrial_to_hobby() -> None:
    drawn = [cells.drawn(_rng(seed), 10_000.0, 0.1) for seed in range(300)]
    creep = np.abs([one.creep for one in drawn])
    assert 0.00019 <= creep.min() < 0.0004
    assert 0.0006 < creep.max() <= 0.0011
    assert {np.sign(one.creep) for one in drawn} == {-1.0, 1.0}
