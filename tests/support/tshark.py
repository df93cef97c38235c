"""Wireshark's reading of LLRP messages, as (name, value) pairs."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PORT = 5084


def dissect(messages: list[bytes], folder: Path) -> list[dict[str, Any]]:
    """tshark's reading of each message: its layers, nested."""
    (folder / "said.txt").write_text("".join(_hex_dump(message) for message in messages))
    capture = folder / "said.pcap"
    _run("text2pcap", "-q", "-T", f"{PORT},40000", str(folder / "said.txt"), str(capture))
    out = _run("tshark", "-r", str(capture), "-d", f"tcp.port=={PORT},llrp", "-T", "json", "--no-duplicate-keys",
               "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.analyze_sequence_numbers:FALSE")  # fmt: skip
    packets: list[dict[str, Any]] = [packet["_source"]["layers"] for packet in json.loads(out)]
    return packets


def _hex_dump(message: bytes) -> str:
    lines = [f"{at:06x} {message[at : at + 16].hex(' ')}" for at in range(0, len(message), 16)]
    return "\n".join(lines) + "\n\n"


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fields(tree: Any) -> Iterator[tuple[str, str]]:
    """Every named leaf of a dissection, in order."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if isinstance(value, str):
                yield name, value
            else:
                yield from (
                    ((name, each) for each in value if isinstance(each, str))
                    if isinstance(value, list)
                    else ()
                )
                yield from fields(value)
    elif isinstance(tree, list):
        for each in tree:
            yield from fields(each)


def values(packet: dict[str, Any], name: str) -> list[str]:
    return [value for field, value in fields(packet["llrp"]) if field == name]


def of_type(packets: list[dict[str, Any]], kind: int) -> list[dict[str, Any]]:
    return [packet for packet in packets if values(packet, "llrp.type")[0] == str(kind)]


def complaints(packet: dict[str, Any]) -> list[str]:
    """What the dissector finds wrong."""
    return values(packet, "_ws.expert.message") + (["malformed"] if "_ws.malformed" in packet else [])
