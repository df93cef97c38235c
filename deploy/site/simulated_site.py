"""Runs a simulated site in one container: devices first, then the edge agent on their addresses.

Ends when either does, so that the container's restart policy starts both anew. Imports nothing of Stockbeat: it runs
the program as a person would.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

EXAMPLE = Path("examples/store/edge.toml")
EXAMPLE_BROKER = 'url = "mqtt://127.0.0.1:1883"'
START_S = 60  # devices listen within seconds; a longer world takes longer to plan
LINGER_S = 7 * 86_400  # after the world's last event its devices stay on, and show what they last saw


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--broker", required=True, help="mqtt://HOST:PORT, spoken to in MQTT 5")
    options.add_argument(
        "--state", required=True, type=Path, help="where the agent keeps what must not be lost"
    )
    options.add_argument("--for", dest="lasts_s", default="3600", help="seconds until nothing moves any more")
    options.add_argument("--stockbeat", default="stockbeat", help="the program")
    options.add_argument("--example", type=Path, default=EXAMPLE)
    said = options.parse_args()

    folder = said.state / "world"
    folder.mkdir(parents=True, exist_ok=True)
    addresses = folder / "world.json"
    addresses.unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    world = [said.stockbeat, "simulate", "world", "--dir", str(folder), "--for", said.lasts_s]
    processes = [subprocess.Popen([*world, "--linger", str(LINGER_S)])]
    try:
        wait_for(addresses, processes[0])
        config = said.state / "edge.toml"
        config.write_text(configure(said.example, addresses, said.broker), "utf-8")
        processes.append(subprocess.Popen([said.stockbeat, "edge", "run", str(config)]))
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        return 1
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait()


def wait_for(file: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_S
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the simulated devices did not come up: {file} is not there")
        time.sleep(0.1)


def configure(example: Path, addresses: Path, broker: str) -> str:
    """The example's configuration, with the devices' real addresses and the broker's."""
    text = example.read_text("utf-8")
    devices = json.loads(addresses.read_text("utf-8"))
    real = devices["gates"] | devices["shelves"]
    config = tomllib.loads(text)
    if EXAMPLE_BROKER not in text:
        sys.exit(f"{example} no longer says {EXAMPLE_BROKER}")
    text = text.replace(EXAMPLE_BROKER, f'url = "{broker}"\nmqtt_version = 5')
    for device in [*config["gates"], *config["shelves"]]:
        text = re.sub(re.escape(f'"{device["reader"]["url"]}"'), f'"{real[device["name"]]}"', text)
    return text


if __name__ == "__main__":
    sys.exit(main())
