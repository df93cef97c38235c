"""How many serial ports one process reads without losing a line, and what of a core that takes.

    python -m benchmarks.serial_ports [--ports 200] [--rate 80] [--seconds 20]

Another process holds the far ends of so many pseudo-terminals and writes a numbered line to each, `rate` times a
second, each port at its own moments. Here every port has its own driver under its own supervisor, opened as a running
agent opens it. File descriptors up to 1,100 are taken first, so that no port has one that select(2) could wait for.
Printed: the descriptors that the ports had; lines written, read, lost and doubled; and the share of one core that
reading took (CPU time of this process by wall time).
"""

import argparse
import asyncio
import json
import os
import resource
import sys
import time
import tty
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from random import Random

from edge.readers.hx711_lines.config import Hx711LinesConfig
from edge.readers.hx711_lines.reader import Hx711Lines
from edge.reads import Read, WeightSample
from edge.supervise import Backoff, supervise

TAKEN_FDS = 1_100  # select(2) ends at 1023
SLOTS = 200  # moments in a second at which the writer writes
OPEN_S = 60.0  # for all ports to be open


@dataclass
class Port:
    """What came of one port: the numbers of its lines."""

    first: int | None = None
    last: int = -1
    read: int = 0
    lost: int = 0
    doubled: int = 0

    def take(self, number: int) -> None:
        self.read += 1
        if self.first is None:
            self.first = number
        elif number > self.last + 1:
            self.lost += number - self.last - 1
        elif number <= self.last:
            self.doubled += 1
        self.last = max(self.last, number)


@dataclass
class Outcome:
    ports: int
    written: int  # lines, after each port's first that was read
    read: int
    lost: int
    doubled: int
    core: float  # the share of one that reading took
    us_a_line: float
    lowest_fd: int
    highest_fd: int
    downs: list[str] = field(default_factory=list)


async def measure(ports: int, rate: int, seconds: float, *, taken_fds: int = TAKEN_FDS) -> Outcome:
    """Read so many ports for so long."""
    with ExitStack() as held:
        _take_descriptors(held, taken_fds + 6 * ports, taken_fds)
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.serial_ports", "--write", f"--ports={ports}", f"--rate={rate}",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20,
        )  # fmt: skip
        assert writer.stdin
        assert writer.stdout
        try:
            names: list[str] = json.loads(await writer.stdout.readline())
            return await _read_all(names, seconds, writer.stdin, writer.stdout)
        finally:
            with suppress(ProcessLookupError):
                writer.terminate()
            writer.stdin.close()
            await writer.wait()
            await writer.stdout.read()


async def _read_all(
    names: Sequence[str], seconds: float, orders: asyncio.StreamWriter, said: asyncio.StreamReader
) -> Outcome:
    seen = {name: Port() for name in names}
    downs: list[str] = []
    up: set[str] = set()

    async def emit(reads: Sequence[Read]) -> None:
        for read in reads:
            if isinstance(read, WeightSample):
                seen[read.shelf].take(round(read.grams))

    watching = [
        asyncio.create_task(
            supervise(_driver(name), emit, up=lambda name, _: up.add(name), down=lambda name, why: downs.append(why),
                      backoff=Backoff(first_s=0.1))
        )
        for name in names
    ]  # fmt: skip
    try:
        async with asyncio.timeout(OPEN_S):
            while len(up) < len(names):  # noqa: ASYNC110 - they come up one by one, and nobody tells of the last
                await asyncio.sleep(0.05)
        fds = _ports_of(names)
        before = {name: (port.read, port.last) for name, port in seen.items()}
        cpu, wall = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        cpu_s, wall_s = time.process_time() - cpu, time.monotonic() - wall
        meanwhile = sum(port.read - before[name][0] for name, port in seen.items())
        orders.write(b"stop\n")
        last: list[int] = json.loads(await said.readline())
        async with asyncio.timeout(10.0):
            while any(seen[name].last < number for name, number in zip(names, last, strict=True)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass  # what is missing is counted
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    return _outcome(names, seen, before, last, (cpu_s / wall_s, 1e6 * cpu_s / max(meanwhile, 1)), fds, downs)


def _outcome(
    names: Sequence[str],
    seen: dict[str, Port],
    before: dict[str, tuple[int, int]],
    last: list[int],
    cost: tuple[float, float],
    fds: Sequence[int],
    downs: list[str],
) -> Outcome:
    missing = sum(number - seen[name].last for name, number in zip(names, last, strict=True))
    return Outcome(
        ports=len(names),
        written=sum(number - before[name][1] for name, number in zip(names, last, strict=True)),
        read=sum(seen[name].read - before[name][0] for name in names),
        lost=missing + sum(port.lost for port in seen.values()),
        doubled=sum(port.doubled for port in seen.values()),
        core=cost[0],
        us_a_line=cost[1],
        lowest_fd=min(fds),
        highest_fd=max(fds),
        downs=downs,
    )


def _driver(name: str) -> Hx711Lines:
    config = Hx711LinesConfig(driver="hx711_lines", url=f"serial:{name}?baud=115200")
    return Hx711Lines(config, name, lambda: time.time_ns() // 1000)


def _take_descriptors(held: ExitStack, needed: int, taken: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed + 200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed + 200, hard), hard))
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    while True:
        fd = os.open(os.devnull, os.O_RDONLY)
        held.callback(os.close, fd)
        if fd >= taken:
            return


def _ports_of(names: Sequence[str]) -> list[int]:
    """The descriptors of this process that are these ports."""
    found = []
    for each in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            if os.readlink(f"/proc/self/fd/{each}") in names:
                found.append(int(each))
    return found


def write(ports: int, rate: int) -> None:
    """The far ends: say the ports' names, write until told to stop, say the last number of each."""
    masters, slaves = zip(*(os.openpty() for _ in range(ports)), strict=True)
    for slave in slaves:
        tty.setraw(slave)  # and kept open: raw between clients, and no hang-up before the first
    print(json.dumps([os.ttyname(slave) for slave in slaves]), flush=True)
    os.set_blocking(sys.stdin.fileno(), False)
    for master in masters:
        os.set_blocking(master, False)
    rng = Random(1)
    phase = [rng.randrange(max(SLOTS // rate, 1)) for _ in masters]  # the first slot of each
    last = [-1] * ports
    began, slot, every = time.monotonic(), 0, SLOTS / rate
    due = [float(each) for each in phase]
    while os.get_blocking(sys.stdin.fileno()) or not _told():
        for i, master in enumerate(masters):
            if due[i] <= slot:
                due[i] += every
                last[i] += 1
                os.write(
                    master, b"%d.00\r\n" % last[i]
                )  # a full pty is an error: then a line would be lost here
        slot += 1
        time.sleep(max(0.0, began + slot / SLOTS - time.monotonic()))
    print(json.dumps(last), flush=True)
    os.set_blocking(sys.stdin.fileno(), True)
    sys.stdin.read()


def _told() -> bool:
    try:
        return bool(os.read(sys.stdin.fileno(), 100))
    except BlockingIOError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description="Serial ports in one process: lines lost, and CPU.")
    parser.add_argument("--ports", type=int, default=200)
    parser.add_argument("--rate", type=int, default=80, help="lines a second on each")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write:
        write(given.ports, given.rate)
        return
    got = asyncio.run(measure(given.ports, given.rate, given.seconds))
    fds = f"descriptors {got.lowest_fd} to {got.highest_fd}"
    print(f"{got.ports} ports x {given.rate} lines/s, {given.seconds:g} s; {fds}")
    came = f"lost {got.lost}  doubled {got.doubled}  ports down {len(got.downs)}"
    print(f"written {got.written:,}  read {got.read:,}  {came}")
    print(f"one core: {got.core:.1%}  ({got.us_a_line:.1f} us a line)")
    if got.lost or got.doubled or got.downs:
        raise SystemExit("; ".join(["lines were lost or doubled", *got.downs[:3]]))


if __name__ == "__main__":
    main()
