"""What hands, arms and boxes do to a plate: broken lines of grams over time, from nothing to what stays.

Nobody has published how a hand presses on a shop's shelf; the sizes are assumed, and wide on purpose.
"""

import numpy as np

Line = list[tuple[float, float]]


def _line(points: Line) -> Line:
    """Times that rise: points that come too close are moved apart."""
    found: Line = []
    for at_s, grams in points:
        found.append((max(at_s, found[-1][0] + 0.004) if found else at_s, grams))
    return found


def takes(at_s: float, grams: float, rng: np.random.Generator, lift_s: float | None = None) -> Line:
    """A hand touches, grips and lifts: `grams` are gone at the end. A quick one takes a fraction of a second."""
    touch = float(rng.uniform(-0.15, 0.5)) * (min(grams, 600.0) + 20.0)
    touch_s = float(rng.uniform(0.05, 0.45))
    begin_s = at_s + touch_s + float(rng.uniform(0.02, 0.2))
    line = [(at_s, 0.0), (at_s + touch_s, touch), (begin_s, touch * float(rng.uniform(0.2, 1.0)))]
    if lift_s is None:
        end_s = begin_s + float(rng.uniform(0.06, 0.5))
        return _line([*line, (end_s, -grams)])
    parts = np.sort(rng.uniform(0.0, 1.0, 5))  # a slow one goes on all the time, now faster, now slower
    steps = np.clip(parts * 0.7 + np.linspace(0.1, 0.9, 5) * 0.3, 0.02, 0.98)
    along = np.linspace(0.1, 0.9, 5)
    line += [(begin_s + lift_s * float(t), -grams * float(s)) for t, s in zip(along, steps, strict=True)]
    return _line([*line, (begin_s + lift_s, -grams)])


def puts(at_s: float, grams: float, rng: np.random.Generator, set_s: float | None = None) -> Line:
    """A hand sets down, bumps a little, presses a little, and lets go: `grams` are there at the end."""
    down_s = at_s + (float(rng.uniform(0.05, 0.4)) if set_s is None else set_s)
    bump = grams * (1.0 + float(rng.uniform(0.0, 0.5 if set_s is None else 0.05)))
    press = grams + float(rng.uniform(0.0, 1.0)) * (0.4 * min(grams, 500.0) + 20.0)
    stays_s = float(rng.uniform(0.05, 0.8))
    gone_s = down_s + 0.08 + stays_s
    return _line([(at_s, 0.0), (down_s, bump), (down_s + 0.08, press), (gone_s, press * 0.6 + grams * 0.4),
                  (gone_s + float(rng.uniform(0.05, 0.3)), grams)])  # fmt: skip


def swaps(at_s: float, out: float, into: float, rng: np.random.Generator, between_s: float) -> Line:
    """One thing out and another in, by one hand after the other."""
    first = takes(at_s, out, rng)
    second = puts(first[-1][0] + between_s, into, rng)
    return first + [(t, grams - out) for t, grams in second if t > first[-1][0]]


def rests(at_s: float, lasts_s: float, grams: float, rng: np.random.Generator) -> Line:
    """A hand, an arm or a whole person's weight for a while; it wanders, and goes without a trace."""
    rise_s, fall_s = rng.uniform(0.15, 0.9, 2).tolist()
    inner = int(max(2, min(60, lasts_s / float(rng.uniform(0.6, 2.0)))))
    times = np.linspace(at_s + rise_s, at_s + max(rise_s + 0.1, lasts_s - fall_s), inner)
    walk = np.cumsum(rng.normal(0.0, 0.06, inner))
    level = grams * np.clip(1.0 + walk - walk.mean(), 0.3, 1.7)
    points = [
        (at_s, 0.0),
        *zip(times.tolist(), level.tolist(), strict=True),
        (float(times[-1]) + fall_s, 0.0),
    ]
    return _line(points)


def stands(at_s: float, lasts_s: float | None, grams: float, rng: np.random.Generator) -> Line:
    """A thing put down that stands still, and is taken away again after a while if it is."""
    down = puts(at_s, grams, rng)
    if lasts_s is None:
        return down
    up_s = max(down[-1][0] + 0.1, at_s + lasts_s)
    return down + [(t, grams + more) for t, more in takes(up_s, grams, rng)]
