"""How many reads a second one core turns into movements, with few and with many tags known.

    python -m benchmarks.gate_speed [KNOWN ...]

A gate of four antennas whose reader makes 2,000 reads a second: `KNOWN` tags stand around, and a load of 100 goes
through every 20 s, in and out in turn. The standing tags are known (read once and more) before the clock starts.
Printed: reads a CPU second, from `TagRead` values to events; how long after it left a load is said at the latest, in
steady time; and the bytes that a known tag takes in what a gate saves of itself.
"""

import sys
import time
from collections.abc import Iterator
from random import Random

from edge.aggregator.aggregator import Aggregator
from edge.aggregator.gate import Gate, Side
from edge.reads import TagRead
from wire.events import Event, TagMovement

KNOWN = (100, 1_000, 10_000, 100_000)
READS_HZ = 2_000
EVERY_S = 20.0
LASTS_S = 120.0
LOAD = 100
SPEED_M_S = 1.2
ANTENNAS = {1: Side.OUTSIDE, 2: Side.OUTSIDE, 3: Side.INSIDE, 4: Side.INSIDE}
PLACE_M = {1: -0.7, 2: -0.7, 3: 0.7, 4: 0.7}
BEGAN_US = 1_800_000_000_000_000
AROUND_M = 4.0  # a load is read so far from the sill


def _epc(number: int) -> str:
    return f"3074257BF7194E40{number:08X}"


def _standing(known: int, at_s: float, rng: Random, number: int) -> TagRead:
    tag = number % known
    antenna = 1 + tag % 4
    return TagRead(
        at_us=BEGAN_US + round(1e6 * at_s), gate="dock-1", antenna=antenna, epc=_epc(tag),
        rssi_dbm=-68.0 - tag % 8 + rng.choice((0.0, 0.5)),
    )  # fmt: skip


def _passing(at_s: float, rng: Random) -> TagRead | None:
    """A read of the load that is at the door then, if one is."""
    turn, into_s = divmod(at_s, EVERY_S)
    away_m = SPEED_M_S * (into_s - EVERY_S / 2)
    if abs(away_m) > AROUND_M:
        return None
    y = away_m if int(turn) % 2 == 0 else -away_m
    tag, antenna = rng.randrange(LOAD), rng.randint(1, 4)
    power = -52.0 - 3.0 * (y - PLACE_M[antenna]) ** 2 + rng.gauss(0.0, 2.0)
    if power < -76.0:
        return None
    return TagRead(
        at_us=BEGAN_US + round(1e6 * at_s), gate="dock-1", antenna=antenna, epc=_epc(1_000_000 + tag),
        rssi_dbm=power,
    )  # fmt: skip


def reads(known: int) -> Iterator[TagRead]:
    rng, number = Random(7), 0
    for step in range(round(LASTS_S * READS_HZ)):
        at_s = step / READS_HZ
        if (passing := _passing(at_s, rng)) is not None and rng.random() < 0.5:
            yield passing
        else:
            number += 1
            yield _standing(known, at_s, rng, number)


def measure(known: int) -> tuple[float, float, float]:
    """Reads a CPU second, the longest time from a load's last read to its movement, and bytes a known tag."""
    aggregator = Aggregator([Gate(name="dock-1", antennas=ANTENNAS)], [], boot="bench")
    aggregator.device_up("dock-1", BEGAN_US // 1000 - 600_000, BEGAN_US - 600_000_000)
    rng = Random(1)
    for number in range(max(2 * known, 20_000)):
        read = _standing(known, -590.0 + number * 580.0 / max(2 * known, 20_000), rng, number)
        aggregator.observe(read, read.at_us // 1000)
    saved = len(aggregator.changed_state()["gate:dock-1"])
    stream = [(read, read.at_us // 1000) for read in reads(known)]
    said: list[Event] = []
    observe = aggregator.observe
    began = time.process_time()
    for read, at_ms in stream:
        if events := observe(read, at_ms):
            said += events
    seconds = time.process_time() - began
    moved = [event for event in said if isinstance(event, TagMovement)]
    if len(moved) < 0.9 * LOAD * (LASTS_S / EVERY_S - 1):
        raise SystemExit(
            f"only {len(moved)} movements: {LOAD} tags went through {LASTS_S / EVERY_S:.0f} times"
        )
    delays = [event.decided_at.timestamp() - _left_s(event.decided_at.timestamp()) for event in moved]
    return len(stream) / seconds, max(delays), saved / known


def _left_s(decided_s: float) -> float:
    """When the load that was last at the door before a moment had left it."""
    at_s = decided_s - BEGAN_US / 1e6
    turn = (at_s - EVERY_S / 2 - AROUND_M / SPEED_M_S) // EVERY_S
    return BEGAN_US / 1e6 + turn * EVERY_S + EVERY_S / 2 + AROUND_M / SPEED_M_S


def main(arguments: list[str]) -> None:
    print("known tags   reads a CPU second   longest delay   bytes a known tag")
    for known in [int(word) for word in arguments] or KNOWN:
        rate, delay_s, size = measure(known)
        print(f"{known:10,} {rate:20,.0f} {delay_s:13.2f} s {size:19,.0f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
