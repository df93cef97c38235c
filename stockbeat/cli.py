"""The one program: each side's own commands, found when they are asked for.

A site installs only the edge's dependencies, so nothing of the cloud may be imported before somebody names it.
"""

import importlib
import json
from string import hexdigits

import click

from stockbeat import VERSION
from stockbeat.logs import FORMATS, configure
from wire import codec
from wire.epc import decode

# name -> (where its click command lives, the extra that brings what it needs, what it is for)
ELSEWHERE = {
    "edge": ("edge.cli:edge", "edge", "The agent at a site: check, run, record, status."),
    "readers": ("edge.readers_cli:readers", "edge", "Devices: what can be read, and whether one works."),
    "gates": (
        "edge.gates_cli:gates",
        "edge",
        "Explain what a door decided of a passage; teach it with labelled ones.",
    ),
    "shelves": (
        "stockbeat.shelves_cli:shelves",
        "edge",
        "Weighing shelves: calibrate, service mode, zero, what stands where.",
    ),
    "replay": ("edge.cli:replay", "edge", "Run a recording through the aggregator and print the events."),
    "cloud": ("cloud.cli:cloud", "cloud", "The ledger, rules, alerts and the console."),
    "epcis": ("cloud.cli:epcis", "cloud", "What crossed the gates, told to others as EPCIS 2.0 events."),
    "simulate": (
        "simulators.cli:simulate",
        "simulators",
        "Devices that speak real bytes, and a world that moves them.",
    ),
    "broker": ("stockbeat.broker:broker", "broker", "The embedded MQTT broker, in the foreground."),
    "demo": (
        "stockbeat.demo.cli:demo",
        "edge,cloud,simulators,broker",
        "A whole simulated site on this machine.",
    ),
}


class Program(click.Group):
    """Lists every command at once, and imports one only to run it or to show its help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        where, extra, _ = ELSEWHERE[cmd_name]
        module, _, attribute = where.partition(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"'stockbeat {cmd_name}' needs {error.name}: pip install 'stockbeat[{extra}]'"
            ) from error
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        here = {name: command.get_short_help_str(80) for name, command in self.commands.items()}
        there = {name: what for name, (_, _, what) in ELSEWHERE.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted((here | there).items()))


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="stockbeat")
@click.option(
    "--log-format",
    type=click.Choice(FORMATS),
    default="text",
    envvar="STOCKBEAT_LOG_FORMAT",
    show_default=True,
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info",
              envvar="STOCKBEAT_LOG_LEVEL", show_default=True)  # fmt: skip
def main(log_format: str, log_level: str) -> None:
    """Stock figures that are true without anyone typing them in."""
    configure(log_format, log_level)


@main.command()
def schema() -> None:
    """Print the JSON Schema of everything on the wire."""
    click.echo(json.dumps(codec.schema(), indent=2))


@main.command()
@click.argument("digits", nargs=-1, required=True)
def epc(digits: tuple[str, ...]) -> None:
    """Say what EPCs, as hexadecimal digits, mean."""
    wrong = [word for word in digits if not word or not set(word) <= set(hexdigits)]
    for hexadecimal in digits:
        if hexadecimal in wrong:
            continue
        meaning = decode(hexadecimal)
        said = (meaning.element_string, meaning.uri, meaning.digital_link, meaning.why)
        click.echo("\t".join([meaning.hex, meaning.scheme, *filter(None, said)]))
    if wrong:
        words = ", ".join(map(repr, wrong))
        raise click.ClickException(f"not hexadecimal, an EPC is digits 0-9 and A-F: {words}")
