"""The base of every section of the configuration."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Frozen, and a key it does not know is an error: a misspelt setting must not be silently passed over."""

    model_config = ConfigDict(frozen=True, extra="forbid")
