"""The uplink against ledgers that drop, go back, or are not the ones they were."""

import asyncio
import shutil
from pathlib import Path

import pytest

from edge.store.store import Store
from tests.support.servers import Server
from tests.support.small_ledger import SmallLedger
from tests.support.uplinks import ingest, node, until
from wire import codec
from wire.envelope import Key
from wire.events import Missing, RunStarted

pytestmark = pytest.mark.timeout(90)


def everything(store: Store) -> set[int]:
    return set(range(1, store.last_seq + 1))


async def test_what_an_overrun_ingest_dropped_is_sent_again(mosquitto: Server, tmp_path: Path) -> None:
    async with ingest(mosquitto.port) as cloud, node(tmp_path / "edge.db", mosquitto.port) as edge:
        await edge.say(10)
        await edge.all_acknowledged()
        cloud.drops = 3
        for _ in range(10):
            await edge.say(50)
            await asyncio.sleep(0.15)
        assert cloud.dropped == 3
        await edge.all_acknowledged(30)
        assert cloud.ledger.has(edge.run) == everything(edge.store)


async def test_a_ledger_that_went_back_is_filled_up_again(mosquitto: Server, tmp_path: Path) -> None:
    path = tmp_path / "edge.db"
    async with ingest(mosquitto.port) as cloud:
        async with node(path, mosquitto.port) as edge:
            first_run = edge.run
            await edge.say(900)
            await edge.all_acknowledged()
            backup = cloud.ledger.backup()
            await edge.say(1200)
            await edge.all_acknowledged()
        async with node(path, mosquitto.port) as edge:
            await edge.say(700)
            await edge.all_acknowledged()
            cloud.ledger = cloud.ledger.restored(backup)
            assert len(cloud.ledger.has(first_run)) == 901
            assert cloud.ledger.has(edge.run) == set()
            await edge.say(1)  # anything said shows the edge that the ledger is another one now
            await until(lambda: edge.flow.waiting > 100, "the edge to notice")
            await edge.all_acknowledged()
            assert cloud.ledger.has(first_run) == set(range(1, 2102))
            assert cloud.ledger.has(edge.run) == everything(edge.store)
            assert cloud.ledger.conflicts == []
            # What was acknowledged already was asked about, not sent again as a whole.
            assert cloud.deliveries < 25


async def test_what_is_no_longer_held_is_said_to_be_missing(mosquitto: Server, tmp_path: Path) -> None:
    async with ingest(mosquitto.port) as cloud, node(tmp_path / "edge.db", mosquitto.port) as edge:
        backup = cloud.ledger.backup()
        await edge.say(99)
        await edge.all_acknowledged()
        await until(lambda: edge.store.counts().waiting == 0, "the store to know")
        held_from = await edge.thread.run(edge.store.trim, -1)
        assert held_from == {edge.run: 100}
        edge.flow.trimmed(edge.run, 100)
        await edge.say(1)
        await edge.all_acknowledged()
        cloud.ledger = cloud.ledger.restored(backup)
        await edge.say(1)
        await until(lambda: edge.store.last_seq == 103, "the loss to be said")
        await edge.all_acknowledged()
        said = [codec.decode(line).event for line in cloud.ledger.lines.values()]
        missing = [event for event in said if isinstance(event, Missing)]
        assert [(event.run, event.from_seq, event.to_seq) for event in missing] == [(edge.run, 1, 99)]
        assert cloud.ledger.has(edge.run) == everything(edge.store)


async def test_an_unknown_ledger_settles_nothing_until_a_person_says_so(
    mosquitto: Server, tmp_path: Path
) -> None:
    async with (
        ingest(mosquitto.port, SmallLedger(name="first")) as cloud,
        node(tmp_path / "edge.db", mosquitto.port) as edge,
    ):
        await edge.say(20)
        await edge.all_acknowledged()
        cloud.ledger = SmallLedger(name="second")
        await edge.say(5)
        await until(lambda: "unknown ledger second" in edge.faults(), "the fault to be named")
        assert edge.flow.waiting == 5
        assert edge.store.counts().waiting == 5
        await edge.uplink.trust("second")
        await edge.all_acknowledged()
        assert edge.faults() == ""
        # The new one has never seen what the old one had acknowledged: it was asked, and filled up.
        assert cloud.ledger.has(edge.run) == everything(edge.store)


async def test_an_edge_put_back_from_an_old_image_starts_a_run_and_loses_nothing_new(
    mosquitto: Server, tmp_path: Path
) -> None:
    path, image = tmp_path / "edge.db", tmp_path / "image.db"
    async with ingest(mosquitto.port) as cloud:
        async with node(path, mosquitto.port) as edge:
            first_run = edge.run
            await edge.say(50)
            await edge.all_acknowledged()
        shutil.copy(path, image)
        async with node(path, mosquitto.port) as edge:
            await edge.say(50)
            await edge.all_acknowledged()
            lost_run = edge.run
        shutil.copy(image, path)
        async with node(path, mosquitto.port) as edge:
            await edge.say(50)
            await edge.all_acknowledged()
            assert edge.run not in (first_run, lost_run)
            assert cloud.ledger.has(edge.run) == everything(edge.store)
            started = codec.decode(cloud.ledger.lines[Key("store-042", edge.run, 1)]).event
            assert isinstance(started, RunStarted)
            # The ledger knows a later run than the one named here: that is how it sees the old image.
            assert (started.previous_run, started.previous_last_seq) == (first_run, 51)
            assert cloud.ledger.conflicts == []
