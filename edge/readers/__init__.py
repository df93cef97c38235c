"""The drivers: one folder a device family. A new one is a config in the union and a case in `build`."""

from collections.abc import Callable
from typing import Annotated, assert_never

from pydantic import Field

from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.reader import LlrpReader
from edge.readers.m100.config import M100Config
from edge.readers.m100.reader import M100Reader
from edge.readers.metratec.config import MetratecConfig
from edge.readers.metratec.reader import MetratecReader
from edge.readers.reader import Reader
from edge.readers.sics.config import SicsConfig
from edge.readers.sics.reader import SicsScale
from edge.readers.thingmagic.config import ThingmagicConfig
from edge.readers.thingmagic.reader import ThingmagicReader

ReaderConfig = Annotated[
    LlrpConfig | M100Config | MetratecConfig | SicsConfig | ThingmagicConfig, Field(discriminator="driver")
]


def build(config: ReaderConfig, name: str, now_us: Callable[[], int]) -> Reader:
    """The driver for these settings; touches no device.

    Args:
        name: of the gate or shelf that it serves.
        now_us: our wall clock, in microseconds since 1970.
    """
    match config:
        case LlrpConfig():
            return LlrpReader(config, name, now_us)
        case MetratecConfig():
            return MetratecReader(config, name, now_us)
        case SicsConfig():
            return SicsScale(config, name, now_us)
        case ThingmagicConfig():
            return ThingmagicReader(config, name, now_us)
        case M100Config():
            return M100Reader(config, name, now_us)
        case _:
            assert_never(config)
