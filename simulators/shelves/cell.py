"""A load cell and its amplifier: from the force on it to what it shows, with the errors of data sheets. Grams, seconds.

Sizes: creep 0.02 to 0.1 % of the load in 30 minutes, zero 0.014 to 0.05 % of full scale in 10 K, span 0.01 to 0.05 %
in 10 K, hysteresis and non-linearity 0.013 to 0.2 % of full scale, as the sheets of bar cells from industrial to
hobby grade say.
"""

from dataclasses import dataclass

import numpy as np

from simulators.shelves.force import Floats, Load

CREEP_PARTS = ((40.0, 0.3), (400.0, 0.4), (2500.0, 0.3))  # time constants in seconds, and the share of each
LOOP_WIDTH = 0.04  # of full scale: so far the load must turn back before hysteresis has turned too


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    full_grams: float
    offset_grams: float = 0.0  # shown when empty
    span: float = 1.0  # shown over true
    creep: float = 0.0003  # of the load, in 30 minutes
    bow: float = 0.0  # non-linearity, of full scale, half way
    loop: float = 0.0  # hysteresis, of full scale
    zero_per_k: float = 0.0  # grams
    span_per_k: float = 0.0
    noise_grams: float = 0.1  # white, one standard deviation a sample
    flicker_grams: float = 0.0  # of 1/f noise, one standard deviation over ten minutes
    warm_grams: float = 0.0  # off when just switched on …
    warm_s: float = 300.0  # … and fading so


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """Room temperature beside that of calibration: a slow swing, and a thermostat that goes on and off."""

    mean_k: float = 0.0
    swing_k: float = 0.0
    swing_s: float = 4.0 * 3600.0
    phase: float = 0.0
    cycle_k: float = 0.0
    cycle_s: float = 900.0

    def at(self, times: Floats) -> Floats:
        slow = self.swing_k * np.sin(2.0 * np.pi * times / self.swing_s + self.phase)
        return (
            self.mean_k + slow + self.cycle_k * np.sin(2.0 * np.pi * times / self.cycle_s + 2.0 * self.phase)
        )


def drawn(rng: np.random.Generator, full_grams: float, noise_grams: float) -> Cell:
    """A cell of a random make."""
    grade = rng.uniform(0.0, 1.0)  # 0 industrial, 1 hobby; a little of each in every cell

    def between(good: float, poor: float) -> float:
        return float(good * (poor / good) ** np.clip(grade + rng.normal(0.0, 0.2), 0.0, 1.0))

    def signed(size: float) -> float:
        return float(size * rng.choice((-1.0, 1.0)))

    return Cell(
        full_grams=full_grams,
        offset_grams=float(rng.normal(0.0, 0.0004)) * full_grams,
        span=1.0 + float(rng.normal(0.0, 0.001)),
        creep=signed(between(0.0002, 0.001)),
        bow=signed(between(0.00013, 0.001)),
        loop=between(0.00013, 0.001),
        zero_per_k=signed(between(0.000014, 0.00005)) * full_grams,
        span_per_k=signed(between(0.00001, 0.00005)),
        noise_grams=noise_grams,
        flicker_grams=noise_grams * float(rng.uniform(0.1, 0.6)),
    )


def shown(cell: Cell, load: Load, times: Floats, force: Floats, climate: Climate, on_s: float) -> Floats:
    """What the amplifier gives for `force` at `times`, without noise; `load` tells what was there before."""
    at, still, _ = load.bends()
    full = cell.full_grams
    part = force / full
    found = force + full * cell.bow * 4.0 * part * (1.0 - part)
    found += np.interp(times, at, _looped(still / full) * cell.loop * full)
    found += cell.creep * _crept(times, at, still)
    warm = climate.at(times)
    found = found * (cell.span + cell.span_per_k * warm) + cell.zero_per_k * warm + cell.offset_grams
    if cell.warm_grams:
        found += cell.warm_grams * np.exp(-np.maximum(times - on_s, 0.0) / cell.warm_s)
    return found


def _looped(parts: Floats) -> Floats:
    """Between -1 and 1: which way a load has come from, as a slider with play that is dragged along."""
    found, slider = np.empty_like(parts), float(parts[0])
    for i, part in enumerate(parts.tolist()):
        slider = min(max(slider, part - LOOP_WIDTH), part + LOOP_WIDTH)
        found[i] = (part - slider) / LOOP_WIDTH
    return found


def _crept(times: Floats, at: Floats, still: Floats) -> Floats:
    """The load as it creeps: what stood there at the beginning has long crept. Zero for a load that never changes."""
    found = np.zeros_like(times)
    here = np.searchsorted(at, times, side="right") - 1
    before = np.where(here >= 0, still[np.maximum(here, 0)], still[0])
    for tau, share in CREEP_PARTS:
        held = np.empty_like(still)
        held[0] = still[0]
        for k in range(1, len(at)):
            fade = np.exp(-(at[k] - at[k - 1]) / tau)
            held[k] = still[k - 1] + (held[k - 1] - still[k - 1]) * fade
        since = np.where(here >= 0, times - at[np.maximum(here, 0)], 0.0)
        now = before + (np.where(here >= 0, held[np.maximum(here, 0)], still[0]) - before) * np.exp(
            -since / tau
        )
        found += share * (now - still[0])
    return found


def noise(cell: Cell, number: int, every_s: float, rng: np.random.Generator) -> Floats:
    """White and 1/f noise of so many samples."""
    found = rng.normal(0.0, cell.noise_grams, number)
    if cell.flicker_grams and number > 1:
        tones = np.fft.rfft(rng.normal(0.0, 1.0, number))
        hertz = np.fft.rfftfreq(number, every_s)
        # Below 1/600 Hz it does not grow: flicker_grams is over ten minutes, and a day is not noisier than that.
        shape = 1.0 / np.sqrt(np.maximum(hertz, 1.0 / 600.0))
        pink = np.fft.irfft(tones * shape, number)
        wide = np.log(
            max(300.0 / every_s, 1.0)
        )  # the density of 1 g²/Hz white noise, over f from 1/600 Hz up
        found += cell.flicker_grams * pink / np.sqrt(2.0 * every_s * (1.0 + wide))
    return found
