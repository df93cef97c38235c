"""Settings of a Zebra reader whose IoT Connector publishes MQTT."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from edge.readers.mqtt_urls import checked
from edge.section import FilePath, Section


class ZebraIotcConfig(Section):
    yields: ClassVar[Literal["tags"]] = "tags"
    inputs: ClassVar[bool] = True  # whether it tells of inputs that photo-eyes can be wired to

    driver: Literal["zebra_iotc"]
    url: Annotated[str, checked()]
    # Its own name or a level of its topic, where several readers publish on one topic.
    reader: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    # Nothing for so long, not even a heartbeat: the reader is lost. Left out, three of its heartbeats are waited for.
    silent_s: Annotated[float, Field(ge=1, le=86_400)] | None = None
    credentials_file: FilePath | None = None  # for the broker
    ca_file: FilePath | None = (
        None  # of the authority that certified an mqtts broker, in place of the system's
    )
