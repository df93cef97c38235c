"""Real servers for tests: each on 127.0.0.1 and a free port, in a folder of its own, stopped by its own process id.

Nothing here skips: a server that is not installed is a failure that says how to install it.
"""

import contextlib
import itertools
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

START_S = 20.0  # PostgreSQL and nats-server answer within one second on an idle machine; CI is not idle
# Below those that Linux gives to outgoing connections (ip_local_port_range, from 32768 on), any of which could take the
# port of a server that is down for a moment; above those that well-known servers have.
PORTS = range(15_000, 32_000)
POSTGRES_BIN = Path("/usr/lib/postgresql")


def _ports() -> Iterator[int]:
    """This process's share of `PORTS`, round and round, from somewhere in it."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = PORTS[worker :: int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]
    start = random.Random(os.getpid()).randrange(len(share))
    return itertools.cycle([*share[start:], *share[:start]])


_next_port = _ports()


def free_port() -> int:
    """A TCP port that nobody listens on now, and that nobody else is given before its turn comes again."""
    for port in _next_port:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("never: the ports go round and round")


def program(name: str, *, folders: Sequence[Path] = ()) -> str:
    """The path of an installed program; fails the test with what to do when it is absent."""
    path = shutil.which(
        name, path=os.pathsep.join([*map(str, folders), os.environ["PATH"], "/usr/sbin", "/sbin"])
    )
    if path is None:
        raise AssertionError(f"{name} is not installed: run tools/install-servers")
    return path


def wait_for_port(
    port: int, process: "subprocess.Popen[bytes] | None" = None, *, log: Path | None = None
) -> None:
    """Return once something accepts connections on the port."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    said = log.read_text("utf-8", "replace")[-2000:] if log and log.exists() else ""
    raise AssertionError(f"nothing listens on port {port}\n{said}")


@dataclass
class Server:
    """One server process that can be killed and started again on the same port and folder."""

    command: list[str]
    port: int
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
                cwd=self.folder,
            )
        wait_for_port(self.port, self.process, log=self.log)

    def kill(self) -> None:
        """As a power cut does: nothing is flushed or said."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """It stays connected and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


@contextmanager
def running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def nats(folder: Path, *, mqtt: str = "") -> Iterator[Server]:
    """nats-server speaking MQTT 3.1.1 on `port`, its messages in `folder`; `mqtt` is more for that section."""
    port = free_port()
    config = folder / "nats.conf"
    config.write_text(
        f"""
        server_name: stockbeat-test
        listen: "127.0.0.1:{free_port()}"
        jetstream {{ store_dir: "{folder / "jetstream"}" }}
        mqtt {{ listen: "127.0.0.1:{port}", {mqtt} }}
        """,
        "utf-8",
    )
    command = [program("nats-server", folders=[Path(sys.executable).parent]), "--config", str(config)]
    with running(Server(command, port, folder)) as server:
        yield server


@contextmanager
def mosquitto(folder: Path, *, extra: str = "") -> Iterator[Server]:
    """Mosquitto 2 speaking MQTT 3.1.1 and 5; by default it forgets everything when it dies."""
    port = free_port()
    config = folder / "mosquitto.conf"
    user = pwd.getpwuid(os.getuid()).pw_name
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser {user}\n{extra}\n", "utf-8")
    with running(Server([program("mosquitto"), "-c", str(config)], port, folder)) as server:
        yield server


@dataclass
class Postgres:
    """A cluster of its own. `url(name)` makes a fresh, empty database and gives its SQLAlchemy URL."""

    server: Server
    made: int = 0

    def url(self) -> str:
        self.made += 1
        name = f"ledger_{self.made}"
        createdb = program("createdb", folders=[_postgres_bin()])
        where = ["-h", "127.0.0.1", "-p", str(self.server.port), "-U", "postgres"]
        subprocess.run([createdb, *where, name], check=True)
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.server.port}/{name}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """PostgreSQL 15 with durable commits. It refuses to run as root, and so cannot use root's temporary folders."""
    folder = Path(tempfile.mkdtemp(prefix="stockbeat-postgres-"))
    as_postgres: list[str] = []
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    port = free_port()
    data = folder / "data"
    try:
        initdb = [str(_postgres_bin() / "initdb"), "-N", "--auth=trust", "-U", "postgres", "-D", str(data)]
        subprocess.run([*as_postgres, *initdb], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        settings = ["-c", "listen_addresses=127.0.0.1", "-p", str(port), "-k", str(folder)]
        command = [*as_postgres, str(_postgres_bin() / "postgres"), "-D", str(data), *settings]
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
        server = _FastShutdown(command, port, folder)
        with running(server):
            _wait_until_ready(server)
            yield Postgres(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(server: Server) -> None:
    """It accepts connections some time before it takes questions."""
    ask = [program("pg_isready", folders=[_postgres_bin()]), "-q", "-h", "127.0.0.1", "-p", str(server.port)]
    deadline = time.monotonic() + START_S
    while subprocess.run(ask, check=False).returncode:
        assert time.monotonic() < deadline, server.log.read_text("utf-8", "replace")[-2000:]
        time.sleep(0.05)


class _FastShutdown(Server):
    def stop(self) -> None:
        self._end(signal.SIGINT)


def _postgres_bin() -> Path:
    versions = sorted(POSTGRES_BIN.glob("*/bin"), key=lambda path: int(path.parent.name))
    if not versions:
        raise AssertionError("PostgreSQL is not installed: run tools/install-servers")
    return versions[-1]
