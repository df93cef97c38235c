"""Our driver of weight transmitters on a bus against simulated ones, which share no code with it, through every trouble
of a line: what was measured is told, once and in order, and nothing else is.
"""

import asyncio
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from edge.readers.modbus_scale.config import ModbusScaleConfig
from edge.readers.modbus_scale.reader import ModbusScale
from edge.reads import Scale
from simulators.modbus_scale.serve import Served as ServedBus
from simulators.modbus_scale.transmitters import CHANNELS, KINDS, Channel, Transmitter
from simulators.modbus_scale.transmitters import State as ChannelState
from tests.support.cells import ON, faults, grams, until_it_came_back, watched
from tests.support.serial_readers import Wire
from tests.support.supervised import Site, now_us

pytestmark = pytest.mark.timeout(120)


class Weights:
    """What transmitters measured: each time another weight, told in whole tenths of a gram."""

    def __init__(self) -> None:
        self.measured: dict[int, list[float]] = {}

    def channel(self, cell: int) -> Channel:
        numbers = count(1)
        mine = self.measured.setdefault(cell, [])

        def weigh() -> float:
            mine.append(float(next(numbers)) * (-1.0) ** cell)
            return mine[-1]

        return Channel(weigh)


def bus(kind: str, units: int, weights: Weights) -> list[Transmitter]:
    each = CHANNELS.get(kind, 1)
    return [
        Transmitter(kind, 1 + i, [weights.channel(i * each + c) for c in range(each)], serial=100 + i)
        for i in range(units)
    ]


def scale(url: str, kind: str, units: Sequence[int], **settings: Any) -> ModbusScale:
    written = {
        "driver": "modbus_scale", "url": url, "profile": kind, "units": units, "poll_s": 0.05, "timeout_s": 0.5,
        "silence_s": 1.0, **settings,
    }  # fmt: skip
    if kind in ("baykon", "dini", "dini_4"):
        written |= {"unit": "g", "decimals": 1}
    return ModbusScale(ModbusScaleConfig.model_validate(written), "aisle-1", now_us)


def ordered_part(got: Sequence[float], of: Sequence[float]) -> bool:
    """Whether each of `got` is in `of`, in the same order, and none of them twice."""
    rest = iter(of)
    return all(each in rest for each in got)


@pytest.mark.parametrize("on", ON)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_profile_reads_its_transmitter(kind: str, on: str, tmp_path: Path) -> None:
    weights, wires = Weights(), list[Wire]()
    devices = bus(kind, 2, weights)
    served = ServedBus(devices, rtu=on == "pty")
    async with watched(
        lambda url: scale(url, kind, [1, 2]),
        served.session,
        tmp_path if on == "pty" else None,
        "none",
        1.0,
        wires,
    ) as site:
        cells = 2 * CHANNELS.get(kind, 1)
        await site.until(lambda: len(grams(site, cells - 1)) >= 20)
        for device in devices:
            device.channels[0].state = ChannelState.OVER
        await site.until(lambda: len(faults(site)) >= 2)
    for cell in range(cells):
        got = [round(each, 1) for each in grams(site, cell)]
        assert len(got) >= 20
        assert ordered_part(got, weights.measured[cell]), (cell, got[:5], weights.measured[cell][:5])
        assert weights.measured[cell].index(got[0]) <= 2, "asked, and not told"
    over = "not_a_number" if kind == "eagle" else "overload"
    assert set(faults(site)) == {(0, over), (CHANNELS.get(kind, 1), over)}
    assert site.reasons == []
    assert all(not device.written for device in devices)
    who = [(read.cells, read.serial) for read in site.reads if isinstance(read, Scale)]
    assert who == ([((0,), "7-2024-100"), ((1,), "7-2024-101")] if kind == "laumas" else [])


BREAKS = ["drip", "slow", "half-frame", "silence", "hang-up", "duplicate"]
NOISE = ["garbage", "flip"]  # not by TCP, which has a checksum of its own: there what comes is what was sent


@pytest.mark.parametrize(
    "trouble, on",
    [(trouble, on) for on in ("pty", "rtu by tcp") for trouble in BREAKS + NOISE]
    + [(each, "tcp") for each in BREAKS],
)
async def test_a_bus_in_trouble_tells_no_weight_that_was_not_measured(
    trouble: str, on: str, tmp_path: Path
) -> None:
    weights, wires = Weights(), list[Wire]()
    devices = bus("laumas", 2, weights)
    served = ServedBus(devices, rtu=on != "tcp")
    after_s = 0.3 if trouble in NOISE else 0.5
    settings: dict[str, Any] = {"framing": "rtu"} if on == "rtu by tcp" else {}
    if trouble == "flip":
        settings["timeout_s"] = 0.1  # shorter than from one spoilt answer to the next
    async with watched(
        lambda url: scale(url, "laumas", [1, 2], **settings),
        served.session,
        tmp_path if on == "pty" else None,
        trouble,
        after_s,
        wires,
    ) as site:
        if trouble in ("half-frame", "silence", "hang-up"):
            await until_it_came_back(site, trouble, on)
        else:
            await site.until(lambda: len(grams(site, 1)) >= 25)
    for cell in (0, 1):
        assert ordered_part(grams(site, cell), weights.measured[cell]), (trouble, cell)
    assert all(not device.written for device in devices)
    if trouble in ("drip", "garbage", "duplicate"):
        missing = sum(len(weights.measured[cell]) - len(grams(site, cell)) for cell in (0, 1))
        assert missing <= 4, "an answer that came whole was not read"
        assert site.reasons == []


@pytest.mark.parametrize("units, dead", [(4, (2, 3)), (12, tuple(range(2, 12)))])
async def test_dead_units_are_said_and_do_not_slow_the_others(
    units: int, dead: Sequence[int], tmp_path: Path
) -> None:
    addresses = list(range(1, units + 1))

    async def in_2_s(dead: Sequence[int]) -> tuple[int, Site]:
        devices = bus("laumas", units, Weights())
        for device in devices:
            device.answers = device.unit not in dead
        async with watched(
            lambda url: scale(url, "laumas", addresses, timeout_s=0.2, poll_s=0.2),
            ServedBus(devices).session,
            tmp_path,
        ) as site:
            await site.until(lambda: site.ups == 1)
            before = len(grams(site, 0))
            await asyncio.sleep(2.0)
            return len(grams(site, 0)) - before, site

    alive, _ = await in_2_s(())
    with_dead, site = await in_2_s(dead)
    # Waiting for them in each round would leave a third, or a tenth; a busy machine leaves less of either figure.
    assert with_dead >= 0.6 * alive, (with_dead, alive)
    assert {cell for cell, _ in faults(site)} == {unit - 1 for unit in dead}
    assert {what for _, what in faults(site)} == {"device_error: does not answer"}
    assert not grams(site, 1)
    assert site.reasons == []


async def test_a_unit_that_comes_back_weighs_again_and_says_who_it_is(tmp_path: Path) -> None:
    weights = Weights()
    devices = bus("laumas", 2, weights)
    async with watched(
        lambda url: scale(url, "laumas", [1, 2]), ServedBus(devices).session, tmp_path
    ) as site:
        await site.until(lambda: len(grams(site, 1)) >= 5)
        devices[1].answers = False
        await site.until(lambda: bool(faults(site)))
        devices[1].serial, devices[1].answers = 999, True  # another one has been put in its place
        before = len(grams(site, 1))
        await site.until(lambda: len(grams(site, 1)) >= before + 5)
    assert [read.serial for read in site.reads if isinstance(read, Scale)] == [
        "7-2024-100",
        "7-2024-101",
        "7-2024-999",
    ]
    assert site.reasons == []


async def test_a_late_answer_is_taken_for_no_other(tmp_path: Path) -> None:
    """Unit 1 answers when unit 2 is being asked."""
    weights = Weights()
    devices = bus("laumas", 2, weights)
    devices[0].late_s = 0.13
    async with watched(
        lambda url: scale(url, "laumas", [1, 2], timeout_s=0.1), ServedBus(devices).session, tmp_path
    ) as site:
        await site.until(lambda: len(grams(site, 1)) >= 20)
    for cell in (0, 1):
        assert ordered_part(grams(site, cell), weights.measured[cell])
    assert (0, "device_error: does not answer") in faults(site)


async def test_an_adapter_that_hears_itself_is_borne(tmp_path: Path) -> None:
    weights = Weights()
    devices = bus("baykon", 1, weights)
    async with watched(
        lambda url: scale(url, "baykon", [1]), ServedBus(devices, echoes=True).session, tmp_path
    ) as site:
        await site.until(lambda: len(grams(site)) >= 20)
    assert ordered_part(grams(site), weights.measured[0])
    assert site.reasons == []


async def test_a_gateway_says_which_unit_is_away_and_the_others_go_on() -> None:
    weights = Weights()
    devices = bus("laumas", 2, weights)
    devices[0].answers = False
    served = ServedBus(devices, rtu=False, gateway=True)
    async with watched(lambda url: scale(url, "laumas", [1, 2]), served.session, None) as site:
        await site.until(lambda: len(grams(site, 1)) >= 20)
    assert set(faults(site)) == {(0, "device_error: does not answer the gateway")}


@pytest.mark.parametrize(
    "settings, devices_are, why",
    [
        ({"units": [7]}, {}, "silent: no answer to us from unit 7; are speed, parity and addresses"),
        (
            {"kind": "eagle"},
            {},
            "unit 1 answers 'illegal data address': is profile 'eagle' that of this device",
        ),
        ({"kind": "dini"}, {}, "unit 1 answers 'illegal function': is profile 'dini'"),
        ({}, {"refuses": 4}, "no unit weighs: unit 1 answers 'device failure'"),
    ],
)
async def test_a_bus_that_is_set_up_wrong_says_what(
    settings: dict[str, Any], devices_are: dict[str, Any], why: str, tmp_path: Path
) -> None:
    (device,) = bus("laumas", 1, Weights())
    for name, value in devices_are.items():
        setattr(device, name, value)
    units, kind = settings.get("units", [1]), settings.get("kind", "laumas")
    async with watched(lambda url: scale(url, kind, units), ServedBus([device]).session, tmp_path) as site:
        await site.until(lambda: bool(site.reasons))
    assert why in site.reasons[0]


async def test_serial_frames_by_tcp_without_saying_so_name_the_setting() -> None:
    devices = bus("laumas", 1, Weights())
    async with watched(
        lambda url: scale(url, "laumas", [1]), ServedBus(devices, rtu=True).session, None
    ) as site:
        await site.until(lambda: bool(site.reasons))
    assert "silent" in site.reasons[0]
