"""`simulate mqtt-scale`: load cells on a board that publishes."""

import time

import click

from simulators import alone_cli
from simulators.errors import SimulatorError
from simulators.mqtt_scale import single
from simulators.mqtt_scale.serve import FORMATS
from simulators.publish import TROUBLES


@click.command(name="mqtt-scale")
@click.argument("format", type=click.Choice(FORMATS))
@click.option("--broker", required=True, help="mqtt://HOST:PORT to publish to.")
@click.option("--name", default="scale", show_default=True, help="What its topics begin with.")
@click.option("--grams", multiple=True, type=float, help="What lies on a cell at first; once for each cell.")
@click.option("--every", "every_s", type=click.FloatRange(0), help="Seconds between two messages.")
@click.option("--trouble", default="none", help=f"NAME or NAME:SECONDS of {', '.join(TROUBLES)}.")
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same noise."
)
def mqtt_scale(
    format: str,
    broker: str,
    name: str,
    grams: tuple[float, ...],
    every_s: float | None,
    trouble: str,
    seed: int,
) -> None:
    """Load cells that publish; prints its URL. "0 -330" on standard input takes 330 g off cell 0."""
    loads = list(grams or (0.0,))

    def put(line: str) -> None:
        try:
            single.ordered(line, loads)
        except ValueError as error:
            click.echo(f"{line!r}: {error}; write a cell and grams, as 0 -330", err=True)

    try:
        alone_cli.run(
            lambda: single.scale(
                format, broker=broker, name=name, grams=loads, every_s=every_s, trouble=trouble, seed=seed,
                now_us=lambda: time.time_ns() // 1000, say=click.echo,
            ),
            put,
        )  # fmt: skip
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--trouble") from error
