"""One board by itself, told by a person what lies on it."""

import asyncio
from collections.abc import Callable

from simulators.mqtt_scale.serve import Served
from simulators.publish import Broker, must_suit_messages
from simulators.trouble import maker


def ordered(line: str, grams: list[float]) -> None:
    """Heed "0 +330" or "330", which is for cell 0: so many grams are put on it, or taken off.

    Raises:
        ValueError: it is neither.
    """
    words = line.split()
    cell, number = (int(words[0]), words[1]) if len(words) == 2 else (0, words[0] if words else "")
    if not 0 <= cell < len(grams):
        raise ValueError(f"there is no cell {cell}; there are {len(grams)}")
    grams[cell] += float(number)


async def scale(
    format: str,
    *,
    broker: str,
    name: str,
    grams: list[float],
    every_s: float | None,
    trouble: str,
    seed: int,
    now_us: Callable[[], int],
    say: Callable[[str], None],
) -> None:
    """Run it until cancelled; `say` is told its URL. Raises ScenarioError for a broker or a trouble that is none."""
    at = Broker.at(broker)
    must_suit_messages(trouble)
    served = Served(format, now_us, broker=at, name=name, grams=grams, every_s=every_s, seed=seed)
    served.publisher.trouble = maker(trouble, seed)
    topics = "&".join(f"topic={topic}" for topic in dict.fromkeys(served.topics))
    say(f"{at.url}?{topics}")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(served.run())
