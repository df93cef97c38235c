"""Serial drivers on a line where something answers that is no module of theirs."""

import asyncio
from random import Random

import pytest

from edge.errors import ReaderLost
from edge.readers import build
from edge.readers.m100.config import M100Config
from edge.readers.thingmagic.config import ThingmagicConfig
from tests.support.serial_readers import now_us
from tests.support.tcp import Handler, serving

THINGMAGIC = {"driver": "thingmagic", "region": "eu3", "antennas": [1, 2], "silence_s": 1.5}
M100 = {"driver": "m100", "region": "eu", "silence_s": 0.5}


async def echo(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
    """A line whose ends are joined, as with an adapter that echoes."""
    while data := await incoming.read(1000):
        outgoing.write(data)


def babble(seed: int) -> Handler:
    """What never stops and says nothing, as a line at a wrong speed."""

    async def handle(incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        rng = Random(seed)
        while not outgoing.is_closing():
            outgoing.write(rng.randbytes(rng.randint(1, 200)))
            await outgoing.drain()
            await asyncio.sleep(0.01)

    return handle


@pytest.mark.timeout(60)
@pytest.mark.parametrize("handler", [echo, babble(1), babble(2)], ids=["echo", "babble", "more babble"])
@pytest.mark.parametrize(
    "kind, settings, words",
    [
        (ThingmagicConfig, THINGMAGIC, "nothing there answers as a ThingMagic module"),
        (M100Config, M100, "nothing answers there as a module of the M100 family"),
    ],
    ids=["thingmagic", "m100"],
)
async def test_what_is_no_module_is_said_to_be_none(
    kind: type[M100Config | ThingmagicConfig], settings: dict[str, object], words: str, handler: Handler
) -> None:
    async with serving(handler) as port:
        reader = build(kind.model_validate({"url": f"tcp://127.0.0.1:{port}"} | settings), "dock-1", now_us)
        with pytest.raises(ReaderLost, match=words):
            async with reader.open():
                pass
