"""A Zebra reader with IoT Connector as the supervisor sees it: it publishes, we listen."""

from collections.abc import Callable

from edge.readers.mqtt_urls import parse as parse_url
from edge.readers.subscriber import Subscriber
from edge.readers.surroundings import Surroundings
from edge.readers.zebra_iotc.config import ZebraIotcConfig
from edge.readers.zebra_iotc.protocol import parse


class ZebraIotcReader(Subscriber):
    def __init__(
        self, config: ZebraIotcConfig, name: str, now_us: Callable[[], int], surroundings: Surroundings
    ) -> None:
        super().__init__(config, parse_url(config.url), name, now_us, parse, surroundings)
