"""What sends a cell's weights: a board that samples, a scale that is legal for trade, or a module once a second.

Times are those at which a sample's conversion ended, give or take what a serial line or a broker adds: no device sends
at an even pace, and none sends at the rate that its sheet says.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from simulators.shelves.cell import Cell, Climate, noise, shown
from simulators.shelves.force import Floats, Load, Plate

SIGMA_DELTA = 4  # conversions that a converter of this kind averages
FINE_S = 0.0125  # between the points at which a conversion takes the force: twice what plates and trucks shake with
STILL_S = 1.0  # a legal scale is stable when its indication stayed within a division for so long
ZERO_BAND = (
    0.5  # divisions: only what would show as zero may be pulled there (OIML R 76-1, zero-tracking device)
)
BITS_GRAMS = 0.005  # of a 24-bit converter with a 10 kg cell of 1 mV/V


@dataclass(slots=True)
class Samples:
    """Of one cell, in order of time: `come_s` is when they arrive, `at_s` what they say of when they are from."""

    at_s: Floats
    come_s: Floats
    grams: Floats
    stable: npt.NDArray[np.int8]  # 1, 0, or -1 where the device does not tell

    def only(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Samples":
        return Samples(self.at_s[which], self.come_s[which], self.grams[which], self.stable[which])


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    kind: str  # "board", "legal", "slow"
    every_s: float  # between conversions
    averages: int  # conversions a sample
    each: int  # conversions between samples
    division: float  # that a sample is rounded to, in grams
    tells_stable: bool = False
    jitter_s: float = 0.002
    lost: float = 0.0  # share of samples
    tracks: float = 0.0  # divisions a second by which it pulls a small weight to zero

    @property
    def period_s(self) -> float:
        return self.every_s * self.each


def board(rng: np.random.Generator, hertz: float) -> Device:
    """An HX711: its own oscillator, so 10/s is anything from 9 to 12.5."""
    every_s = 1.0 / (hertz * float(rng.uniform(0.9, 1.25)))
    return Device(
        kind="board", every_s=every_s, averages=SIGMA_DELTA, each=1, division=BITS_GRAMS,
        jitter_s=float(rng.choice((0.0005, 0.004, 0.016))), lost=float(rng.choice((0.0, 0.0, 0.003))),
    )  # fmt: skip


def legal(rng: np.random.Generator, division: float) -> Device:
    """A shop scale: filtered, rounded, and telling whether it stands still."""
    every_s = 1.0 / float(rng.uniform(38.0, 42.0))
    return Device(
        kind="legal", every_s=every_s, averages=int(rng.integers(10, 32)), each=4, division=division,
        tells_stable=True, jitter_s=0.005,
    )  # fmt: skip


def slow(rng: np.random.Generator) -> Device:
    """A module that publishes the mean of its last conversions once a second."""
    return Device(
        kind="slow", every_s=0.1 * float(rng.uniform(0.95, 1.05)), averages=10, each=10, division=0.1,
        jitter_s=float(rng.uniform(0.01, 0.06)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """From when on which cell is there: it is switched off before, or another sensor takes its place."""

    from_s: float
    to_s: float
    cell: Cell


def sampled(
    device: Device, epochs: tuple[Epoch, ...], load: Load, others: tuple[tuple[Load, float], ...], plate: Plate,
    climate: Climate, rng: np.random.Generator,
) -> Samples:  # fmt: skip
    """What a device sends of one cell. `others`: neighbours' loads, and the share of them that this cell feels."""
    parts = [_epoch(device, epoch, load, others, plate, climate, rng) for epoch in epochs]
    return Samples(*(np.concatenate([getattr(part, name) for part in parts]) for name in Samples.__slots__))


def _epoch(
    device: Device, epoch: Epoch, load: Load, others: tuple[tuple[Load, float], ...], plate: Plate, climate: Climate,
    rng: np.random.Generator,
) -> Samples:  # fmt: skip
    first_s = epoch.from_s + device.every_s * (SIGMA_DELTA + float(rng.uniform()))
    ends = np.arange(first_s, epoch.to_s, device.every_s)
    fine = max(1, round(device.every_s / FINE_S))
    points = (ends[:, None] - device.every_s * (np.arange(fine)[::-1] / fine)).ravel()
    force = load.felt(points, plate)
    for other, share in others:  # calibrated alone, with nothing on its neighbours
        force += share * other.felt(points, plate)
    grams = shown(epoch.cell, load, points, force, climate, epoch.from_s).reshape(-1, fine).mean(axis=1)
    hiss = noise(epoch.cell, len(ends), device.every_s, rng)
    if device.kind == "board":  # the noise in its sheet is that of what it sends
        grams = _averaged(grams, device.averages) + hiss
    else:
        grams = _averaged(grams + hiss, device.averages)
    grams = grams[:: device.each]
    at = ends[:: device.each]
    grams = np.clip(grams, -0.2 * epoch.cell.full_grams, 1.25 * epoch.cell.full_grams)
    if device.tracks:
        grams = _tracked(grams, device)
    grams = np.round(grams / device.division) * device.division
    stable = _stable(grams, device) if device.tells_stable else np.full(len(at), -1, np.int8)
    late = rng.exponential(device.jitter_s, len(at))
    come = np.maximum.accumulate(at + late)
    found = Samples(come, come, grams, stable)
    return found.only(rng.random(len(at)) >= device.lost) if device.lost else found


def _averaged(grams: Floats, over: int) -> Floats:
    """The mean of the last conversions; the first ones of all as far as there are any."""
    sums = np.concatenate([[0.0], np.cumsum(grams)])
    ends = np.arange(1, len(sums))
    begins = np.maximum(ends - over, 0)
    return np.asarray((sums[ends] - sums[begins]) / (ends - begins), np.float64)


def _stable(grams: Floats, device: Device) -> npt.NDArray[np.int8]:
    over = max(2, round(STILL_S / device.period_s))
    if len(grams) < over:
        return np.zeros(len(grams), np.int8)
    windows = np.lib.stride_tricks.sliding_window_view(grams, over)
    still = np.ptp(windows, axis=1) <= 1.01 * device.division
    return np.concatenate([np.zeros(over - 1, np.int8), still.astype(np.int8)])


def _tracked(grams: Floats, device: Device) -> Floats:
    """Zero tracking as the law lets it: showing zero, standing still, by half a division a second."""
    found, zero, before = np.empty_like(grams), 0.0, 0.0
    most = device.tracks * device.division * device.period_s
    for i, weight in enumerate(grams.tolist()):
        shows = weight - zero
        if abs(shows) <= ZERO_BAND * device.division and abs(weight - before) < device.division:
            zero += max(-most, min(most, shows))
        before = weight
        found[i] = weight - zero
    return found


def with_tracking(device: Device, divisions: float = 0.5) -> Device:
    return replace(device, tracks=divisions)
