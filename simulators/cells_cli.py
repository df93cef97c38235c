"""`simulate hx711` and `simulate modbus`: load cells behind a microcontroller, and behind transmitters on a bus."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import click

from simulators.alone_cli import link_option, listen_option, place, run, seed_option, trouble_option
from simulators.hx711_lines import board as boards
from simulators.hx711_lines.serve import Served as ServedBoard
from simulators.link import Session, Where, on_line
from simulators.modbus_scale import transmitters
from simulators.modbus_scale.serve import Served as ServedBus
from simulators.physics import Cell, Step
from simulators.trouble import Trouble, maker

grams_option = click.option(
    "--grams", multiple=True, type=float, help="What lies on a cell at first; once for each cell."
)


class Loads:
    """What lies on the cells, in grams."""

    def __init__(self, grams: list[float], seed: int) -> None:
        self._cells = [Cell(each, Random(f"{seed}/{i}"), noise_grams=0.05) for i, each in enumerate(grams)]

    def now(self) -> list[float]:
        return [self.of(i) for i in range(len(self._cells))]

    def of(self, cell: int) -> float:
        return self._cells[cell].grams(asyncio.get_running_loop().time())

    def put(self, cell: int, grams: float) -> None:
        if not 0 <= cell < len(self._cells):
            raise ValueError(f"there are cells 0 to {len(self._cells) - 1}")
        self._cells[cell].put(Step(asyncio.get_running_loop().time(), grams))


@click.command()
@link_option
@listen_option
@click.option(
    "--style", type=click.Choice([each.value for each in boards.Style]), default="counts", show_default=True
)
@click.option(
    "--rate", type=click.FloatRange(0.1, 100), default=10.0, show_default=True, help="Readings a second."
)
@click.option("--tares", is_flag=True, help="It makes zero of what lies there whenever it starts.")
@grams_option
@seed_option
@trouble_option
def hx711(
    link: Path | None, listen: str | None, style: str, rate: float, tares: bool, grams: tuple[float, ...], seed: int,
    trouble: str,
) -> None:  # fmt: skip
    """A microcontroller with load cells; prints its URL. On standard input: "0 -330" takes 330 g off cell 0; "reset"
    resets it in the middle of a line; "over 0", "under 0", "unplugged 0", "fine 0" befall a cell.
    """
    loads = Loads(list(grams or (0.0,)), seed)
    cells = [boards.Cell() for _ in grams or (0.0,)]
    board = boards.Board(cells, boards.Style(style), Random(seed), tares=tares)
    served = ServedBoard(board, loads.now, rate)

    def order(words: list[str]) -> None:
        if words == ["reset"]:
            served.reset()
        elif words[0] in {each.value for each in boards.State}:
            cells[int(words[1])].state = boards.State(words[0])
        else:
            loads.put(int(words[0]), float(words[1]))

    _run(served.session, place(link, listen), 115200, order, maker(trouble, seed))


@click.command()
@link_option
@listen_option
@click.option("--kind", type=click.Choice(transmitters.KINDS), default="laumas", show_default=True)
@click.option(
    "--units", type=click.IntRange(1, 32), default=1, show_default=True, help="Devices, from address 1 on."
)
@click.option("--rtu", is_flag=True, help="Serial frames by TCP, as behind a serial server.")
@click.option("--gateway", is_flag=True, help="A gateway answers for a device that does not.")
@grams_option
@seed_option
@trouble_option
def modbus(
    link: Path | None, listen: str | None, kind: str, units: int, rtu: bool, gateway: bool, grams: tuple[float, ...],
    seed: int, trouble: str,
) -> None:  # fmt: skip
    """Weight transmitters on a bus; prints its URL. On standard input: "0 -330" takes 330 g off cell 0; "off 2" and
    "on 2" switch a device; "over 0", "under 0", "broken 0", "fine 0" befall a cell.
    """
    per_unit = transmitters.CHANNELS.get(kind, 1)
    loads = Loads((list(grams) + [0.0] * (units * per_unit))[: units * per_unit], seed)
    channels = [transmitters.Channel(lambda i=i: loads.of(i)) for i in range(units * per_unit)]  # type: ignore[misc]  # bound now
    devices = [
        transmitters.Transmitter(kind, 1 + i, channels[i * per_unit : (i + 1) * per_unit], serial=4711 + i)
        for i in range(units)
    ]
    served = ServedBus(devices, rtu=rtu or link is not None, gateway=gateway)

    def order(words: list[str]) -> None:
        if words[0] in ("off", "on"):
            served.transmitters[int(words[1])].answers = words[0] == "on"
        elif words[0] in {each.value for each in transmitters.State}:
            channels[int(words[1])].state = transmitters.State(words[0])
        else:
            loads.put(int(words[0]), float(words[1]))

    _run(served.session, place(link, listen), 38400, order, maker(trouble, seed))


def _run(
    session: Session,
    where: Where,
    baud: int,
    order: Callable[[list[str]], None],
    trouble: Callable[[], Trouble],
) -> None:
    """Serve until somebody asks it to stop, and do what is said on standard input."""

    def hear(line: str) -> None:
        try:
            order(line.split() or [""])
        except (ValueError, IndexError, KeyError) as error:
            click.echo(f"{line.strip()!r} cannot be done: {error}", err=True)

    async def serve() -> None:
        async with on_line(session, where, baud=baud, trouble=trouble, say=click.echo):
            await asyncio.Event().wait()

    run(serve, hear)
