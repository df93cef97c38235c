"""`simulate`: devices that speak their own protocols, with nothing behind them but a schedule."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from simulators import orders, single, single_iot
from simulators.alone_cli import TROUBLE_HELP, address, known_trouble, trouble_option
from simulators.cells_cli import hx711, modbus
from simulators.doors.cli import day_, passes_, scene
from simulators.errors import SimulatorError
from simulators.llrp import single as llrp_single
from simulators.llrp.held import MOST_HELD
from simulators.llrp.reader import Reader as LlrpReader
from simulators.metratec import single as metratec_single
from simulators.modules_cli import m100, thingmagic
from simulators.mqtt_scale.cli import mqtt_scale
from simulators.scales_cli import ascii_scale, sics
from simulators.scenario import load
from simulators.schedule import Schedule
from simulators.shelves.cli import shelf
from simulators.trouble import FAULTS, TROUBLES, parse
from simulators.world import Options, World

scenario_option = click.option(
    "--scenario",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=Path(__file__).parent / "scenarios" / "store.toml",
    help="What stands where; left out, the example store.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same world."
)
for_option = click.option(
    "--for", "lasts_s", type=click.FloatRange(15), default=60.0, show_default=True, help="Seconds it lasts."
)
quiet_option = click.option(
    "--quiet-last",
    "quiet_s",
    type=click.FloatRange(0),
    default=10.0,
    show_default=True,
    help="Nothing moves in the last so many seconds.",
)
pace_option = click.option(
    "--pace", type=click.FloatRange(0.05, 20), default=1.0, show_default=True, help="More is busier."
)


def _trouble_or_fault(context: click.Context, option: click.Parameter, words: str) -> str:
    try:
        parse(words, faults=True)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return words


def _troubles(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    troubles = {}
    for each in given:
        device, mark, words = each.partition("=")
        if not mark:
            raise click.BadParameter(f"{each!r} should be DEVICE=NAME")
        troubles[device] = known_trouble(context, option, words)
    return troubles


@click.group()
def simulate() -> None:
    """Simulated devices: RFID readers on TCP ports, scales on ptys, and a store full of both."""


simulate.add_command(day_)
simulate.add_command(scene)
simulate.add_command(shelf)
simulate.add_command(passes_)
simulate.add_command(thingmagic)
simulate.add_command(m100)
simulate.add_command(sics)
simulate.add_command(ascii_scale)
simulate.add_command(mqtt_scale)
simulate.add_command(hx711)
simulate.add_command(modbus)


@simulate.command()
@scenario_option
@seed_option
@for_option
@quiet_option
@pace_option
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True,
              help="Where world.json, truth.jsonl and the scales' ports go.")  # fmt: skip
@click.option("--wait", "wait_s", type=click.FloatRange(0), default=30.0, show_default=True,
              help="Begin when every device is in use, or after so many seconds.")  # fmt: skip
@click.option("--linger", "linger_s", type=click.FloatRange(0), default=5.0, show_default=True,
              help="Devices stay on so long after the end.")  # fmt: skip
@click.option(
    "--trouble", "troubles", multiple=True, callback=_troubles, help=f"DEVICE=TROUBLE; {TROUBLE_HELP}"
)
@click.option("--broker", default="", help="mqtt://HOST:PORT, for readers that publish.")
@click.option("--clock-offset", "offset_s", type=float, default=0.0, show_default=True,
              help="Seconds by which the readers' clocks are ahead.")  # fmt: skip
def world(
    scenario: Path,
    seed: int,
    lasts_s: float,
    quiet_s: float,
    pace: float,
    folder: Path,
    wait_s: float,
    linger_s: float,
    troubles: dict[str, str],
    offset_s: float,
    broker: str,
) -> None:
    """A whole store in real time, with the truth of what happened in truth.jsonl."""
    schedule = _schedule(scenario, seed, lasts_s, quiet_s, pace)
    names = schedule.scenario.devices
    if strange := set(troubles) - set(names):
        raise click.UsageError(
            f"no device is called {', '.join(sorted(strange))}; there are {', '.join(names)}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("world.json", "truth.jsonl"):
        if (folder / name).exists():
            raise click.UsageError(f"{folder / name} is there already: every world gets a new folder")
    options = Options(
        folder=folder.resolve(),
        wait_s=wait_s,
        linger_s=linger_s,
        troubles=troubles,
        clock_offset_s=offset_s,
        broker=broker,
    )
    click.echo(f"world {schedule.scenario.name}, seed {seed}, in {folder}", err=True)
    _run(lambda stopped: World(schedule, options, _now).run(stopped))


@simulate.command()
@scenario_option
@seed_option
@for_option
@quiet_option
@pace_option
def plan(scenario: Path, seed: int, lasts_s: float, quiet_s: float, pace: float) -> None:
    """Print what will happen in a world, one JSON object a line, without running it."""
    schedule = _schedule(scenario, seed, lasts_s, quiet_s, pace)
    for gate in schedule.scenario.gates:
        for visit in schedule.visits(gate):
            reads = Counter(read.epc for read in visit.sightings)
            _print(gate=gate.name, load=visit.load, way=visit.way, enters_s=visit.enters_s, leaves_s=visit.leaves_s,
                   tags=len(visit.epcs), fewest_reads=min(reads.values()), most_reads=max(reads.values()))  # fmt: skip
    for action in schedule.actions():
        _print(bay=action.bay, gtin=action.gtin, action=action.act, units=action.units, from_s=action.from_s,
               at_s=action.at_s, rest_s=action.rest_s)  # fmt: skip


@simulate.command()
@click.option(
    "--listen", default="127.0.0.1:5084", show_default=True, help="HOST:PORT; port 0 is a free one."
)
@click.option("--antennas", type=click.IntRange(1, 32), default=4, show_default=True)
@click.option(
    "--tags", type=click.IntRange(0, 1000), default=5, show_default=True, help="Standing before it."
)
@click.option("--kind", type=click.Choice(list(llrp_single.KINDS)), default="plain", show_default=True,
              help="LLRP 1.0.1, 1.1, with Impinj's extensions, or without a clock.")  # fmt: skip
@click.option("--hold", "most_held", type=click.IntRange(1), default=MOST_HELD, show_default=True,
              help="Reads that its buffer holds.")  # fmt: skip
@seed_option
@click.option("--trouble", default="none", callback=_trouble_or_fault,
              help=f"NAME or NAME:SECONDS of {', '.join((*TROUBLES, *FAULTS))}.")  # fmt: skip
def llrp(listen: str, antennas: int, tags: int, kind: str, most_held: int, seed: int, trouble: str) -> None:
    """One LLRP reader; prints its URL. Each line of standard input lets something happen to it:
    "input 1 high", "antenna 2 off", "power-cycle", "leave", "clock 3600"."""
    where = address(listen)
    about = llrp_single.KINDS[kind](tuple(range(1, antennas + 1)), llrp_single.MAC)
    reader = LlrpReader(about, _now_us, most_held=most_held)

    def ordered(line: str) -> None:
        try:
            llrp_single.order(reader, line)
        except ValueError as error:
            click.echo(str(error), err=True)

    async def run(stopped: asyncio.Event) -> None:
        orders.listen(ordered)
        await _until(stopped, llrp_single.run(reader, where, single.standing_tags(tags), trouble=trouble,
                                              seed=seed, now_us=_now_us, say=click.echo))  # fmt: skip

    _run(run)


@simulate.command()
@click.option("--listen", help="HOST:PORT, port 0 is a free one; 127.0.0.1:10001 without either.")
@click.option("--link", type=click.Path(path_type=Path), help="Serial instead: symlink to make to its port.")
@click.option("--generation", type=click.Choice(metratec_single.GENERATIONS), default="at", show_default=True)
@click.option("--antennas", type=click.IntRange(1, 16), default=4, show_default=True)
@click.option(
    "--tags", type=click.IntRange(0, 1000), default=5, show_default=True, help="Standing before it."
)
@seed_option
@trouble_option
def metratec(
    listen: str | None,
    link: Path | None,
    generation: str,
    antennas: int,
    tags: int,
    seed: int,
    trouble: str,
) -> None:
    """One metraTec reader; prints its URL."""
    if listen and link:
        raise click.UsageError("either --listen or --link, not both")
    where = link or address(listen or "127.0.0.1:10001")

    async def run(stopped: asyncio.Event) -> None:
        await _until(stopped, metratec_single.reader(where, generation=generation, antennas=antennas, tags=tags,
                                                     trouble=trouble, seed=seed, say=click.echo))  # fmt: skip

    _run(run)


@simulate.command()
@click.argument("make", type=click.Choice(single_iot.MAKES))
@click.option(
    "--broker", default="", help="mqtt://HOST:PORT to publish to; without, an Impinj streams over HTTP."
)
@click.option("--topic", default="reader", show_default=True, help="It publishes below this.")
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="HOST:PORT of an HTTP stream.")
@click.option("--report-every", "report_every_s", type=click.FloatRange(0), default=0.0, show_default=True,
              help="Seconds that a report sums up; 0 tells each read.")  # fmt: skip
@click.option("--clock-offset", "offset_s", type=float, default=0.0, show_default=True,
              help="Seconds by which its clock is ahead.")  # fmt: skip
@click.option(
    "--tags", type=click.IntRange(0, 1000), default=5, show_default=True, help="Standing before it."
)
@seed_option
@trouble_option
def iot(
    make: str,
    broker: str,
    topic: str,
    listen: str,
    report_every_s: float,
    offset_s: float,
    tags: int,
    seed: int,
    trouble: str,
) -> None:
    """One reader that speaks JSON, over MQTT or HTTP; prints its URL."""
    where = address(listen)

    async def run(stopped: asyncio.Event) -> None:
        await _until(stopped, single_iot.reader(
            make, listen=where, broker=broker, topic=topic, report_every_s=report_every_s,
            clock_offset_s=offset_s, tags=tags, trouble=trouble, seed=seed, now_us=_now_us, say=click.echo,
        ))  # fmt: skip

    try:
        _run(run)
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error


def _schedule(scenario: Path, seed: int, lasts_s: float, quiet_s: float, pace: float) -> Schedule:
    try:
        return Schedule(scenario=load(scenario), seed=seed, lasts_s=lasts_s, quiet_s=quiet_s, pace=pace)
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error


def _print(**what: Any) -> None:
    click.echo(
        json.dumps(
            {key: round(value, 3) if isinstance(value, float) else value for key, value in what.items()}
        )
    )


def _now_us() -> int:
    return int(_now().timestamp() * 1e6)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the simulated devices' wall clock starts here


def _run(program: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run until the program ends, or somebody asks it to stop."""

    async def until_asked() -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await program(stopped)

    asyncio.run(until_asked())


async def _until(stopped: asyncio.Event, program: Coroutine[Any, Any, None]) -> None:
    """Run a program that ends only by being cancelled."""
    task = asyncio.ensure_future(program)
    stopping = asyncio.ensure_future(stopped.wait())
    await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
