"""The drivers: one folder a device family. A new one is a config in the union and a case in `build`."""

from collections.abc import Callable
from typing import Annotated, assert_never

from pydantic import Field

from edge.readers.ascii_scale.config import AsciiScaleConfig
from edge.readers.ascii_scale.reader import AsciiScale
from edge.readers.hx711_lines.config import Hx711LinesConfig
from edge.readers.hx711_lines.reader import Hx711Lines
from edge.readers.impinj_iot.config import ImpinjIotConfig
from edge.readers.impinj_iot.reader import impinj_reader
from edge.readers.llrp.config import LlrpConfig
from edge.readers.llrp.reader import LlrpReader
from edge.readers.m100.config import M100Config
from edge.readers.m100.reader import M100Reader
from edge.readers.metratec.config import MetratecConfig
from edge.readers.metratec.reader import MetratecReader
from edge.readers.modbus_scale.config import ModbusScaleConfig
from edge.readers.modbus_scale.reader import ModbusScale
from edge.readers.mqtt_scale.config import MqttScaleConfig
from edge.readers.mqtt_scale.reader import MqttScale
from edge.readers.reader import Reader
from edge.readers.sics.config import SicsConfig
from edge.readers.sics.reader import SicsScale
from edge.readers.surroundings import Surroundings
from edge.readers.thingmagic.config import ThingmagicConfig
from edge.readers.thingmagic.reader import ThingmagicReader
from edge.readers.zebra_iotc.config import ZebraIotcConfig
from edge.readers.zebra_iotc.reader import ZebraIotcReader

ReaderConfig = Annotated[
    AsciiScaleConfig
    | Hx711LinesConfig
    | ImpinjIotConfig
    | LlrpConfig
    | M100Config
    | MetratecConfig
    | ModbusScaleConfig
    | MqttScaleConfig
    | SicsConfig
    | ThingmagicConfig
    | ZebraIotcConfig,
    Field(discriminator="driver"),
]


VISITOR = Surroundings()


def build(  # noqa: C901 - one case for each driver, and nothing else
    config: ReaderConfig, name: str, now_us: Callable[[], int], surroundings: Surroundings = VISITOR
) -> Reader:
    """The driver for these settings; touches no device.

    Args:
        name: of the gate or shelf that it serves.
        now_us: our wall clock, in microseconds since 1970.
        surroundings: the agent that it is for; without, it looks at the device as a visitor.
    """
    match config:
        case AsciiScaleConfig():
            return AsciiScale(config, name, now_us)
        case Hx711LinesConfig():
            return Hx711Lines(config, name, now_us)
        case ImpinjIotConfig():
            return impinj_reader(config, name, now_us, surroundings)
        case LlrpConfig():
            return LlrpReader(config, name, now_us)
        case MetratecConfig():
            return MetratecReader(config, name, now_us)
        case ModbusScaleConfig():
            return ModbusScale(config, name, now_us)
        case MqttScaleConfig():
            return MqttScale(config, name, now_us, surroundings)
        case SicsConfig():
            return SicsScale(config, name, now_us)
        case ThingmagicConfig():
            return ThingmagicReader(config, name, now_us)
        case ZebraIotcConfig():
            return ZebraIotcReader(config, name, now_us, surroundings)
        case M100Config():
            return M100Reader(config, name, now_us)
        case _:
            assert_never(config)
