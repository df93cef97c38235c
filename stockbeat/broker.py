"""`stockbeat broker`: the embedded MQTT broker by itself, on loopback."""

import os
from pathlib import Path

import click

from edge import nats
from edge.nats import Listen, free_port

__all__ = ["broker", "command", "free_port"]


def command(folder: Path, port: int) -> list[str]:
    """Write the broker's configuration into `folder` and say how to start it on 127.0.0.1:`port`.

    Raises FileNotFoundError when nats-server is not installed beside this Python.
    """
    return nats.command(folder, Listen(port))


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=1883, show_default=True, help="for MQTT, on 127.0.0.1"
)
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), required=True, help="where messages are kept"
)
def broker(port: int, data: Path) -> None:
    """The embedded MQTT broker, in the foreground."""
    try:
        words = command(data, port)
    except FileNotFoundError as error:
        raise click.ClickException(str(error)) from error
    os.execv(words[0], words)  # signals then reach the broker itself
