"""How fast LLRP tag reports are decoded, beside two other decoders in the same run: tags a CPU second on one core.

    python -m benchmarks.llrp_decode [--tags N] [--rounds N]

Every decoder gets the same reports of 200 tags seen by four antennas: with the standard's fields (46 bytes a tag), and
with an Impinj reader's phase, fine strength and Doppler too (88 bytes); one tag a report, and 50.

Ours starts from the bytes as a socket gives them, 64 KiB at a time, and cuts the messages itself. `decoded` ends with
each tag's values as Python's, in columns; `reads` with a TagRead for each tag, which is what the rest of the agent is
given. `alone` is as `reads`, but each report comes by itself, as from a reader that is hardly busy. The others start
from messages that are cut already, and end with an object of theirs for each tag. sllurp runs in a process of its own.
Rounds of all take turns; figures are medians, and ratios are of medians.
"""

import argparse
import gc
import json
import random
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from llrpkit.inventory import TagReport
from llrpkit.protocol import messages
from llrpkit.protocol.codec import decode_message

from benchmarks.shares import table
from edge.readers.llrp.clock import DeviceClock
from edge.readers.llrp.converter import Converter
from edge.readers.llrp.protocol.framing import Framer
from edge.readers.llrp.protocol.reports import ReportDecoder

ROOT = Path(__file__).parents[1]
SLLURP = ROOT / ".venv-sllurp" / "bin" / "python"
SOCKET_READ = 64 * 1024
NOW_US = 1_763_800_000_000_000
OURS = ("ours, decoded", "ours, reads", "ours, alone")

Decoder = Callable[[bytes], int]  # the number of tags found


def tag(rng: random.Random, at_us: int, *, impinj: bool) -> bytes:
    """One TagReportData (LLRP 1.1, section 17.2.7.3)."""
    epc = bytes.fromhex("3074257BF7194E4000") + rng.randrange(200).to_bytes(3, "big")
    inside = b"\x8d" + epc + struct.pack(
        "!BHBbBHBQBQBH", 0x81, rng.randint(1, 4), 0x86, rng.randint(-75, -45), 0x87, rng.randint(1, 50),
        0x82, at_us, 0x84, at_us, 0x88, 1,
    )  # fmt: skip
    if impinj:
        for subtype, form, value in ((56, "!H", rng.randrange(4096)), (57, "!h", -5525), (68, "!h", 16)):
            inside += struct.pack("!HHII", 1023, 14, 25882, subtype) + struct.pack(form, value)
    return struct.pack("!HH", 240, 4 + len(inside)) + inside


def reports(tags: int, each: int, *, impinj: bool) -> list[bytes]:
    rng = random.Random(1)
    bodies = [
        b"".join(tag(rng, NOW_US + 1000 * (first + n), impinj=impinj) for n in range(each))
        for first in range(0, tags, each)
    ]
    return [
        struct.pack("!HII", 1 << 10 | 61, 10 + len(body), number) + body for number, body in enumerate(bodies)
    ]


def decoded(stream: bytes) -> int:
    framer, decoder, found = Framer(), ReportDecoder(), 0
    for at in range(0, len(stream), SOCKET_READ):
        framer.receive(stream[at : at + SOCKET_READ])
        for message in framer.messages():
            for tags in decoder.decode(message.body):
                found += len(tags.epc)
    return found


def reads(stream: bytes, pieces: list[bytes] | None = None) -> int:
    framer, decoder, found = Framer(), ReportDecoder(), 0
    converter = Converter("dock-1", DeviceClock(25_000_000), DeviceClock(25_000_000))
    for piece in pieces or [stream[at : at + SOCKET_READ] for at in range(0, len(stream), SOCKET_READ)]:
        framer.receive(piece)
        for message in framer.messages():
            for tags in decoder.decode(message.body):
                found += len(converter.reads(tags, NOW_US))
    return found


def llrpkit(cut: list[bytes]) -> int:
    found = 0
    for each in cut:
        message = decode_message(each)
        assert isinstance(message, messages.RO_ACCESS_REPORT)
        found += len([TagReport.from_param(tag) for tag in message.tag_report_datas])
    return found


def rate(decode: Callable[[], int], tags: int) -> float:
    gc.collect()
    began = time.process_time()
    found = decode()
    took = time.process_time() - began
    assert found == tags, f"{found} of {tags} tags were found"
    return tags / took


@contextmanager
def sllurp() -> Iterator[Callable[[Path], float]]:
    """A process that decodes the messages in a file, and says how many tags a second it made."""
    if not SLLURP.exists():
        raise SystemExit("sllurp is not there: make .venv-sllurp/.installed")
    script = ROOT / "tests" / "third_party" / "sllurp" / "decode.py"
    with subprocess.Popen([SLLURP, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdin
        assert peer.stdout

        def ask(path: Path) -> float:
            assert peer.stdin
            assert peer.stdout
            peer.stdin.write(f"{path}\n")
            peer.stdin.flush()
            return float(json.loads(peer.stdout.readline())["tags_per_s"])

        yield ask
        peer.stdin.close()


def measure(
    tags: int, rounds: int, each: int, *, impinj: bool, ask: Callable[[Path], float]
) -> dict[str, float]:
    """Tags a CPU second of each decoder, the median of its rounds. The slow ones get a tenth of the tags."""
    cut = reports(tags, each, impinj=impinj)
    few = cut[: len(cut) // 10]
    stream = b"".join(cut)
    measured: dict[str, list[float]] = {}
    with tempfile.NamedTemporaryFile(suffix=".llrp") as file:
        file.write(b"".join(few))
        file.flush()
        for _ in range(rounds):
            for name, figure in (
                ("ours, decoded", rate(lambda: decoded(stream), tags)),
                ("ours, reads", rate(lambda: reads(stream), tags)),
                ("ours, alone", rate(lambda: reads(b"", few), len(few) * each)),
                ("sllurp", ask(Path(file.name))),
                ("llrpkit", rate(lambda: llrpkit(few), len(few) * each)),
            ):
                measured.setdefault(name, []).append(figure)
    return {name: median(figures) for name, figures in measured.items()}


HEAD = ("tags a second", *OURS, "sllurp", "llrpkit", "decoded ÷ sllurp", "decoded ÷ llrpkit")


def rows(tags: int, rounds: int) -> Iterator[list[str]]:
    """What a table of HEAD shows."""
    with sllurp() as ask:
        for impinj in (False, True):
            for each in (1, 50):
                figures = measure(tags, rounds, each, impinj=impinj, ask=ask)
                name = f"{'Impinj' if impinj else 'standard'}, {each} a report"
                ratios = [figures["ours, decoded"] / figures[peer] for peer in ("sllurp", "llrpkit")]
                yield [
                    name,
                    *(f"{figure:,.0f}" for figure in figures.values()),
                    *(f"{r:.0f}" for r in ratios),
                ]


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    words.add_argument("--tags", type=int, default=50_000)
    words.add_argument("--rounds", type=int, default=7)
    given = words.parse_args()
    print(table(HEAD, list(rows(given.tags, given.rounds))))


if __name__ == "__main__":
    main()
