"""The drivers: one folder a device family. A new one is a config in the union here."""

from typing import Annotated

from pydantic import Field

from edge.readers.llrp.config import LlrpConfig
from edge.readers.sics.config import SicsConfig

ReaderConfig = Annotated[LlrpConfig | SicsConfig, Field(discriminator="driver")]
