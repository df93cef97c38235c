"""`stockbeat readers`: against simulated devices, and against another project's reader emulator."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from llrpkit.emulator import EmulatedTag, LLRPEmulator

from edge import readers_cli
from edge.errors import ConfigError
from tests.support.servers import mosquitto

pytestmark = pytest.mark.timeout(60)
CASE = "3074257BF7194E4000001A85"


async def stockbeat(*words: str) -> tuple[int, str]:
    """Run the program; its exit code, and all that it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from stockbeat.cli import main; main()", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@asynccontextmanager
async def simulating(*words: str) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()
        await process.stdout.read()


async def test_an_llrp_reader_is_guessed_and_shown_read_by_read() -> None:
    async with LLRPEmulator(
        tags=[EmulatedTag(epc=bytes.fromhex(CASE), antennas=(1, 2), rssi_dbm=-50.0)], reads_per_sec=100
    ) as emulator:
        code, said = await stockbeat(
            "readers", "test", f"tcp://127.0.0.1:{emulator.port}", "--driver", "llrp", "--seconds", "2"
        )
    assert code == 0, said
    assert "connected: " in said
    assert said.count(f"\t{CASE}\turn:epc:id:sgtin:0614141.812345.6789") == readers_cli.SHOWN
    assert "antenna 1\t" in said
    assert "of 1 tags by antenna 1, 2" in said


async def test_a_reader_without_tags_is_found_out() -> None:
    async with LLRPEmulator(tags=[]) as emulator:
        code, said = await stockbeat(
            "readers", "test", f"tcp://127.0.0.1:{emulator.port}", "--driver", "llrp", "--seconds", "1"
        )
    assert code == 2, said
    assert "look: no tags at all in 1 s" in said


CONFIG = """
edge = "store-042"
[[gates]]
name = "dock-1"
antennas = {{ 1 = "outside", 2 = "outside", 3 = "inside", 4 = "inside" }}
reader = {{ driver = "llrp", url = "{url}" }}
"""


async def test_a_gate_of_a_configuration_knows_its_antennas(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    async with LLRPEmulator(
        tags=[EmulatedTag(epc=bytes.fromhex(CASE), antennas=(1, 3), rssi_dbm=-50.0)], reads_per_sec=200
    ) as emulator:
        path.write_text(CONFIG.format(url=f"tcp://127.0.0.1:{emulator.port}"), "utf-8")
        code, said = await stockbeat(
            "readers", "test", "--config", str(path), "--gate", "dock-1", "--seconds", "2"
        )
        assert code == 2, said
        assert "look: antenna 2 reads nothing while others do" in said
        assert "look: antenna 4 reads nothing while others do" in said
        other, words = await stockbeat("readers", "test", "--config", str(path), "--gate", "dock-9")
        assert other == 1
        assert "no gate is called 'dock-9'; there is dock-1" in words


async def test_a_second_client_is_told_who_holds_the_reader() -> None:
    async with simulating("llrp", "--listen", "127.0.0.1:0") as url:
        words = ("readers", "test", url, "--driver", "llrp", "--seconds", "6")
        first = asyncio.create_task(stockbeat(*words))
        await asyncio.sleep(3)
        code, said = await stockbeat(*words)
        assert (code, "no: another client is connected" in said) == (1, True), said
        assert (await first)[0] in (0, 2)


@pytest.mark.parametrize("generation", ["at", "ascii"])
async def test_a_serial_reader(generation: str, tmp_path: Path) -> None:
    async with simulating("metratec", "--generation", generation, "--link", str(tmp_path / "reader")) as url:
        code, said = await stockbeat("readers", "test", url, "--driver", "metratec", "--seconds", "2")
    assert code in (0, 2), said  # whether a tag is above the limit is chance
    assert "connected: " in said
    assert "urn:epc:id:sgtin:0614141.812345." in said


@pytest.mark.parametrize(
    "simulated, words",
    [
        ("thingmagic", ("--driver", "thingmagic", "--set", "region=eu", "--set", "antennas=[1, 2, 3, 4]")),
        ("m100", ("--driver", "m100", "--set", "region=eu", "--set", "antenna=1")),
    ],
)
async def test_a_module_whose_settings_are_given_by_name(
    simulated: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    async with simulating(simulated, "--link", str(tmp_path / "module")) as url:
        code, said = await stockbeat("readers", "test", url, *words, "--seconds", "2")
        assert code in (0, 2), said
        assert "urn:epc:id:sgtin:0614141.812345." in said
        code, said = await stockbeat("readers", "test", url, *words[:2])
        assert (code, "region: is needed" in said and "give --set region=" in said) == (1, True), said


async def test_a_reader_that_streams_is_known_by_its_url_and_shows_its_band() -> None:
    async with simulating("iot", "impinj_iot") as url:
        code, said = await stockbeat("readers", "test", url, "--seconds", "2")
    assert code in (0, 2), said
    assert "transmits at 865 to 868 MHz" in said


async def test_a_scale_and_what_is_none(tmp_path: Path) -> None:
    async with simulating("sics", "--link", str(tmp_path / "scale"), "--grams", "500") as url:
        code, said = await stockbeat("readers", "test", url, "--driver", "sics", "--seconds", "2")
        assert code == 0, said
        assert "g\tat rest" in said
        assert "weights" in said
        code, said = await stockbeat("readers", "test", url, "--driver", "metratec", "--seconds", "2")
        assert (code, "the speed (baud) is wrong" in said) == (1, True), said


@pytest.mark.parametrize(
    "url, words",
    [
        (
            "tcp://127.0.0.1:1",
            "does not tell which protocol, as only the ports 502 (modbus_scale) and 5084 (llrp) and 10001 "
            "(metratec) do: add --driver ascii_scale, or --driver ",
        ),
        ("serial:/dev/ttyUSB0", "add --driver "),
        ("ftp://127.0.0.1", "it begins with one of "),
        ("tcp://127.0.0.1:x", "is no URL"),
    ],
)
async def test_a_url_that_says_too_little(url: str, words: str) -> None:
    code, said = await stockbeat("readers", "test", url)
    assert (code, words in said) == (1, True), said


async def test_a_port_where_nothing_listens_and_one_that_is_not_there() -> None:
    code, said = await stockbeat("readers", "test", "tcp://127.0.0.1:1", "--driver", "llrp")
    assert (code, "no: refused: a machine is there" in said) == (1, True), said
    code, said = await stockbeat("readers", "test", "serial:/dev/nothing", "--driver", "sics")
    assert (code, "no: there is no such serial port" in said) == (1, True), said


async def test_the_list_has_every_driver_with_its_status() -> None:
    code, said = await stockbeat("readers", "list", "--json")
    assert code == 0, said
    listed = json.loads(said)
    folders = {path.parent.name for path in readers_cli.READMES.glob("*/config.py")}
    assert {each["driver"] for each in listed["drivers"]} == folders
    for each in listed["drivers"]:
        assert all(each[key] for key in ("reads", "links", "for", "hardware")), each
    code, said = await stockbeat("readers", "list")
    assert code == 0
    assert all(folder in said for folder in folders)


def test_settings_of_a_driver_are_given_by_name() -> None:
    settings = readers_cli.from_url("tcp://127.0.0.1", "metratec", ["antennas=[1, 2]", "region=FCC"])
    assert (settings.driver, settings.url) == ("metratec", "tcp://127.0.0.1")
    with pytest.raises(ConfigError, match=r"antennas.*; region: "):
        readers_cli.from_url("tcp://127.0.0.1", "metratec", ["antennas=7", "region=?"])
    with pytest.raises(
        ConfigError, match=r"region: is needed; give --set region=cn900 \(or us, eu, cn800, kr\)"
    ):
        readers_cli.from_url("serial:/dev/ttyUSB0", "m100")
    with pytest.raises(ConfigError, match=r"--set region=\w+ \(or .*\beu3\b.*\) and --set antennas=\[1,2\]"):
        readers_cli.from_url("serial:/dev/ttyUSB0", "thingmagic")
    with pytest.raises(ConfigError, match="write KEY=VALUE"):
        readers_cli.from_url("tcp://127.0.0.1", "metratec", ["region"])
    with pytest.raises(ConfigError, match=r"driver: driver 'x' is none of"):
        readers_cli.from_url("tcp://127.0.0.1", "x")


@pytest.mark.parametrize(
    "simulated, words, code, what",
    [
        (("--grams", "510"), ("--set", "dialect=and"), 0, "ok: "),
        (("--dialect", "nci", "--poll", "--grams", "500"), ("--set", "dialect=nci"), 0, "ok: "),
        (("--dialect", "nci", "--poll"), ("--set", "dialect=and"), 1, "the link is open and the device says nothing"),
        (("--dialect", "sartorius"), ("--set", "dialect=toledo"), 1, 'right as Sartorius SBI: dialect = "sartorius"'),
        (("--dialect", "toledo-without"), ("--set", "dialect=toledo"), 1, "checksum = false"),
        (("--grams", "20000"), ("--set", "dialect=and"), 2, "look: cell 0 could not weigh"),
        ((), (), 1, "dialect: is needed; give --set dialect="),
    ],
)  # fmt: skip
async def test_a_scale_that_writes_lines_is_diagnosed(
    simulated: tuple[str, ...], words: tuple[str, ...], code: int, what: str, tmp_path: Path
) -> None:
    async with simulating("ascii_scale", "--link", str(tmp_path / "scale"), *simulated) as url:
        driver = (
            ("--driver", "ascii_scale", "--set", "silence_s=1.5") if words else ("--driver", "ascii_scale")
        )
        got, said = await stockbeat("readers", "test", url, *driver, *words, "--seconds", "2")
    assert (got, what in said) == (code, True), said
    if code == 0:
        assert said.count(" g\tat rest") >= 8, said  # of ten weights, spread over the time


async def test_a_scale_with_another_framing_is_noise(tmp_path: Path) -> None:
    async with simulating(
        "ascii_scale", "--link", str(tmp_path / "scale"), "--trouble", "flip:0.001"
    ) as url:  # a bit of every line is wrong, as when speeds are nearly the same
        got, said = await stockbeat(
            "readers", "test", url, "--driver", "ascii_scale", "--set", "dialect=toledo", "--seconds", "2"
        )
    assert got == 1
    assert "no: " in said


async def test_an_mt_sics_scale_tells_who_it_is(tmp_path: Path) -> None:
    async with simulating("sics", "--listen", "127.0.0.1:0", "--grams", "500", "--without", "SIR") as url:
        code, said = await stockbeat("readers", "test", url, "--driver", "sics", "--seconds", "2")
    assert (code, "serial number SIM0000001" in said) == (0, True), said


COUNTS = (
    "--driver", "hx711_lines", "--set", 'columns=["counts"]', "--set", "counts_per_gram=[420]", "--set",
    "zero_counts=[84000]",
)  # fmt: skip


async def test_a_line_that_loses_digits_is_found_out(tmp_path: Path) -> None:
    for trouble, code in (("bite:0.6", 2), ("none", 0)):
        link = ("--link", str(tmp_path / trouble[:4]), "--grams", "500", "--trouble", trouble)
        async with simulating("hx711", *link) as url:
            got, said = await stockbeat("readers", "test", url, *COUNTS, "--seconds", "6")
        assert (got, "far off the rest" in said) == (code, code == 2), said
        assert "mean 500." in said or "mean 499." in said, said


async def test_a_board_that_publishes_each_second_is_fine(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as server:
        broker = ("--broker", f"mqtt://127.0.0.1:{server.port}")
        async with simulating("mqtt-scale", "esphome", *broker, "--every", "1", "--grams", "500") as url:
            words = (
                "--driver",
                "mqtt_scale",
                "--set",
                "format=esphome",
                "--set",
                "unit=kg",
                "--seconds",
                "4",
            )
            code, said = await stockbeat("readers", "test", url, *words)
    assert (code, "ok: " in said, "baud" in said) == (0, True, False), said


async def test_a_bus_on_which_nobody_answers_comes_with_what_to_look_at(tmp_path: Path) -> None:
    words = ("--driver", "modbus_scale", "--set", "profile=laumas")
    async with simulating("modbus", "--link", str(tmp_path / "bus"), "--grams", "500") as url:
        code, said = await stockbeat("readers", "test", url, *words, "--set", "units=[9]")
        assert (code, "no device on the bus answers" in said, "A and B swapped" in said) == (1, True, True), (
            said
        )
        code, said = await stockbeat(
            "readers", "test", url, *words, "--set", "units=[1, 9]", "--seconds", "2"
        )
        assert (code, "does not answer" in said, "A and B swapped" in said) == (2, True, True), said


async def test_a_shelf_is_tried_before_it_is_calibrated_and_after(tmp_path: Path) -> None:
    async with simulating("sics", "--link", str(tmp_path / "scale"), "--grams", "500") as url:
        config = tmp_path / "edge.toml"
        config.write_text(
            'edge = "store-042"\n[[shelves]]\nname = "aisle-1"\ncalibration = "aisle-1.shelf.toml"\n'
            f'reader = {{ driver = "sics", url = "{url}" }}\nbays = [ {{ name = "A1", cell = 0, capacity = 24, '
            'items = [ { gtin = "09506000134352", unit_grams = 330.0 } ] } ]\n',
            "utf-8",
        )
        of_it = ("--config", str(config), "--shelf", "aisle-1", "--seconds", "2")
        code, said = await stockbeat("readers", "test", *of_it)
        assert code == 0, said
        code, said = await stockbeat("edge", "check", str(config))
        assert (code, "not calibrated yet: run `stockbeat shelves calibrate" in said) == (1, True), said
        (tmp_path / "aisle-1.shelf.toml").write_text(
            'version = 1\nshelf = "aisle-1"\nmade = { at = 2026-11-22T09:00:00Z }\n'
            "[[cells]]\ncell = 0\nfactor = 2.0\noffset_grams = -700.0\n",
            "utf-8",
        )
        code, said = await stockbeat("readers", "test", *of_it)
        assert (code, "made 2026-11-22" in said) == (0, True), said
        (mean,) = re.findall(r"mean (\S+) g", said)
        assert float(mean) == pytest.approx(300.0, abs=5.0)  # twice what it says, less 700
