"""Drivers of scales against simulated scales, which share no code with them: nothing lost, nothing invented, whatever
the line does."""

import re
from pathlib import Path

import pytest

from edge.readers.ascii_scale.config import AsciiScaleConfig
from edge.readers.ascii_scale.reader import AsciiScale
from edge.readers.sics.config import SicsConfig
from edge.readers.sics.reader import SicsScale
from edge.reads import Scale as Who
from edge.reads import WeightFault, WeightSample
from simulators.ascii_scale.device import Scale
from simulators.link import tcp
from simulators.sics.device import Scale as SimulatedSics
from simulators.sics.indicator import Indicator
from simulators.sics.serve import Served
from simulators.trouble import maker
from tests.support.supervised import now_us, watching
from tests.support.weighing import UPDATE_S, Load, weigh

pytestmark = pytest.mark.timeout(90)

# The simulator's name of it, and what the driver is told; `stream` where it writes by itself.
KINDS: dict[str, dict[str, object]] = {
    "and": {"dialect": "and"},
    "and, asked": {"dialect": "and", "mode": "poll"},
    "and-indicator": {"dialect": "and"},
    "dini": {"dialect": "dini"},
    "dini, asked": {"dialect": "dini", "mode": "poll", "address": "01"},
    "ohaus": {"dialect": "ohaus"},
    "ohaus, by itself": {"dialect": "ohaus", "mode": "stream"},
    "sartorius": {"dialect": "sartorius", "unit": "g"},
    "sartorius-22": {"dialect": "sartorius", "unit": "g"},
    "nci": {"dialect": "nci"},
    "toledo": {"dialect": "toledo"},
    "toledo-without": {"dialect": "toledo", "checksum": False},
}
ASKED = {"and, asked", "dini, asked", "ohaus", "ohaus, by itself", "sartorius", "sartorius-22", "nci"}


def simulated(kind: str, load: Load, unit: str = "g") -> Served[Scale]:
    device = Scale(
        Indicator(15_000.0), kind.split(",")[0], unit=unit, streams=kind not in ASKED,
        address=str(KINDS[kind].get("address", "")),
    )  # fmt: skip
    return Served(device, load.grams, UPDATE_S)


def driver(kind: str, url: str, silence_s: float = 0.6) -> AsciiScale:
    settings = {"driver": "ascii_scale", "url": url, "poll_s": 0.02, "silence_s": silence_s, **KINDS[kind]}
    return AsciiScale(AsciiScaleConfig.model_validate(settings), "aisle-1", now_us)


def grams_in(message: bytes) -> float | None:
    """The only number with a point; Toledo's stands in bytes 5 to 10, without one."""
    if message.startswith(b"\x02"):
        return int(message[4:10]) / 10
    found = re.search(rb"[\d.]*\d\.\d+", message)
    return float(found[0]) if found else None


@pytest.mark.parametrize("kind, line", [*((kind, "pty") for kind in KINDS), ("and", "tcp"), ("nci", "tcp")])
async def test_reads_every_weight(kind: str, line: str, tmp_path: Path) -> None:
    seen = await weigh(
        simulated(kind, Load()).session, lambda url: driver(kind, url), grams_in,
        folder=tmp_path if line == "pty" else None, at_least=30,
    )  # fmt: skip
    assert (seen.invented(), seen.lost(), seen.downs) == ([], [], [])


@pytest.mark.parametrize(
    "trouble, after_s, kind",
    [
        *(("garbage", 0.1, kind) for kind in KINDS),
        *(("bite", 0.15, kind) for kind in KINDS if kind not in ASKED or kind == "ohaus, by itself"),
        *(("drop", 0.1, kind) for kind in ("and", "toledo")),
        # An answer that does not come is waited for, a second each time.
        *(("drop", 1.5, kind) for kind in ("nci", "dini, asked")),
        *(("bite", 1.5, kind) for kind in ("nci", "sartorius", "ohaus")),
        *(("drip", 1.0, kind) for kind in ("and", "nci", "toledo")),
        *(("glue", 0.3, kind) for kind in ("and", "toledo", "ohaus, by itself")),
    ],
)
async def test_loses_and_invents_nothing_through(
    kind: str, trouble: str, after_s: float, tmp_path: Path
) -> None:
    seen = await weigh(
        simulated(kind, Load()).session, lambda url: driver(kind, url, 3.0), grams_in, folder=tmp_path,
        trouble=trouble, after_s=after_s,
    )  # fmt: skip
    assert seen.invented() == []
    # Ohaus' lines have no mark where they begin: noise that ends as a number may begin costs one now and then.
    assert len(seen.lost()) <= (2 if kind.startswith("ohaus") and trouble == "garbage" else 0), seen.lost()
    assert seen.downs == []


@pytest.mark.parametrize("trouble", ["hang-up", "silence", "half-frame"])
@pytest.mark.parametrize("kind", ["and", "ohaus", "toledo"])
async def test_goes_on_after_the_line_is_there_again(kind: str, trouble: str, tmp_path: Path) -> None:
    seen = await weigh(
        simulated(kind, Load()).session, lambda url: driver(kind, url), grams_in,
        folder=tmp_path if trouble == "hang-up" else None, trouble=trouble, after_s=0.5, downs=2,
    )  # fmt: skip
    assert (seen.invented(), seen.lost()) == ([], [])
    assert len(seen.downs) >= 2


async def test_a_checksum_finds_every_wrong_bit() -> None:
    seen = await weigh(
        simulated("toledo", Load()).session, lambda url: driver("toledo", url), grams_in, folder=None,
        trouble="flip", after_s=0.05, at_least=100,
    )  # fmt: skip
    assert (seen.invented(), seen.lost(), seen.downs) == ([], [], [])


def sics(url: str, **settings: object) -> SicsScale:
    given = {"driver": "sics", "url": url, "poll_s": 0.02, "silence_s": 0.6} | settings
    return SicsScale(SicsConfig.model_validate(given), "aisle-1", now_us)


@pytest.mark.parametrize("unknown", [(), ("SIR",), ("SIR", "I4")])
@pytest.mark.parametrize("trouble, after_s", [("none", 1), ("garbage", 0.1), ("drop", 1.5), ("hang-up", 0.5)])
async def test_mt_sics_loses_and_invents_nothing(
    trouble: str, after_s: float, unknown: tuple[str, ...], tmp_path: Path
) -> None:
    device = SimulatedSics(Indicator(15_000.0), "B021002593", unknown=unknown)
    cut = trouble == "hang-up"
    seen = await weigh(
        Served(device, Load().grams, UPDATE_S).session, lambda url: sics(url, silence_s=0.6 if cut else 3.0), grams_in,
        folder=tmp_path, trouble=trouble, after_s=after_s, downs=2 if cut else 0, at_least=40,
    )  # fmt: skip
    assert (seen.invented(), seen.lost(), bool(seen.downs)) == ([], [], cut)
    told = {read.serial for read in seen.reads if isinstance(read, Who)}
    assert told == (set() if "I4" in unknown else {"B021002593"})


@pytest.mark.parametrize("kind", ["and", "dini", "ohaus", "sartorius", "nci", "toledo"])
async def test_overload_is_a_fault_and_no_weight(kind: str, tmp_path: Path) -> None:
    load = [1000.0]
    served = simulated(kind, Load())
    served = Served(served.scale, lambda: load[0], UPDATE_S)
    async with (
        tcp(served.session, maker("none", 1)) as (host, port),
        watching(driver(kind, f"tcp://{host}:{port}", 2.0)) as site,
    ):
        await site.until(lambda: any(isinstance(read, WeightSample) for read in site.reads))
        load[0] = 20_000.0
        await site.until(lambda: any(isinstance(read, WeightFault) for read in site.reads))
        fault = next(read for read in site.reads if isinstance(read, WeightFault))
        assert fault.fault == ("device_error: Err 8.3" if kind == "ohaus" else "overload")
        load[0] = 900.0
        served.scale.say("unit kg")
        count = len(site.reads)
        await site.until(lambda: any(isinstance(read, WeightSample) for read in site.reads[count + 5 :]))
    assert site.reasons == []
    assert {round(read.grams) for read in site.reads if isinstance(read, WeightSample)} == {1000, 900}


@pytest.mark.parametrize("net, told", [(False, {1000}), (True, {1000, 0})])
async def test_a_tare_at_its_keys_is_no_goods_taken(net: bool, told: set[int]) -> None:
    served = Served(Scale(Indicator(15_000.0), "and-indicator"), lambda: 1000.0, UPDATE_S)
    async with tcp(served.session, maker("none", 1)) as (host, port):
        config = AsciiScaleConfig(
            driver="ascii_scale", url=f"tcp://{host}:{port}", dialect="and", net=net, silence_s=2.0
        )
        async with watching(AsciiScale(config, "aisle-1", now_us)) as site:
            await site.until(lambda: bool(site.reads))
            served.scale.say("tare")
            count = len(site.reads) + 3
            await site.until(
                lambda: len(site.reads) > count or any(isinstance(r, WeightFault) for r in site.reads)
            )
            await site.until(lambda: len(site.reads) > count or not net)
    assert {round(read.grams) for read in site.reads if isinstance(read, WeightSample)} == told
    faults = {read.fault for read in site.reads if isinstance(read, WeightFault)}
    assert all("shows net" in fault for fault in faults)
    assert bool(faults) != net
