"""However a day is cut up by steps, restarts and outages of the push: what arrives is what an export says."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.epcis.capture import Repository as Client
from cloud.epcis.export import export
from cloud.epcis.ledger import sites_named
from cloud.epcis.manner import Manner
from cloud.epcis.push import EpcisPush
from tests.support.epcis_repository import repository
from tests.support.ledger import (
    CASE,
    PALLET,
    PALLET_TAG,
    Cloud,
    at,
    crossing,
    new_ledger,
    passage,
    write_master,
)
from wire.events import Direction, Event

MANNER = Manner("https://stock.example", aggregate="together")
GATES = ("dock-1", "dock-2", "door-1")
TAGS = ("3074257BF7194E4000000001", "3074257BF7194E4000000002", PALLET_TAG, "3374257BF40C0E400000162E")

loads = st.tuples(
    st.sampled_from(GATES), st.sampled_from(list(Direction)), st.sets(st.sampled_from(TAGS), min_size=1)
)
happenings = st.one_of(loads, st.sampled_from(["step", "restart", "down", "lost answer"]))


@pytest.mark.timeout(120)
@settings(max_examples=12, deadline=None)
@given(st.lists(happenings, min_size=1, max_size=14))
def test_what_arrives_is_what_the_ledger_has_to_tell(
    day: Sequence[str | tuple[str, Direction, set[str]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, repository() as (there, url):
        database = new_ledger(f"sqlite:///{Path(folder) / 'ledger.db'}")
        contents = f"sscc,gtin,quantity\n{PALLET},{CASE},3\n"
        cloud = Cloud(database, write_master(Path(folder) / "master", contents=contents))
        clients = [Client(url, "")]
        push = EpcisPush(database, clients[0], MANNER, now=lambda: cloud.now)
        for number, happening in enumerate(day):
            if isinstance(happening, tuple):
                cloud.book(*_load(number, *happening))
            elif happening == "restart":
                clients.append(Client(url, ""))
                push = EpcisPush(database, clients[-1], MANNER, now=lambda: cloud.now)
            else:
                there.answers = [(503, {"Retry-After": "0"})] if happening == "down" else []
                there.drop_after_taking = happening == "lost answer"
                push.step()
        there.answers, there.drop_after_taking = [], False
        cloud.now = at(7200)
        push.step()
        with database.read() as connection:
            told = export(connection, list(sites_named(connection).values()), MANNER, now=cloud.now)
            assert sorted(event["eventID"] for event in told) == sorted(there.events)
        for client in clients:
            client.close()
        database.close()


def _load(number: int, gate: str, outcome: Direction, tags: set[str]) -> list[Event]:
    second = 10.0 * (number + 1)
    name = f"p{number}"
    crossed = [crossing(epc, outcome, second, gate=gate, passage=name) for epc in sorted(tags)]
    return [*crossed, passage(name, second + 4, gate=gate)]
