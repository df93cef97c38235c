"""The base of every section of the configuration."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo


class Section(BaseModel):
    """Frozen, and a key it does not know is an error: a misspelt setting must not be silently passed over."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    """A relative path is meant from the configuration's own folder: a service starts in `/`."""
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path


def table(right: str) -> BeforeValidator:
    """For a setting that is a table of others: `right` is what to write, said of anything that is none."""

    def check(value: object) -> object:
        if not isinstance(value, dict | Section | None):
            raise ValueError(f"{right}, not {value!r}")
        return value

    return BeforeValidator(check)


FilePath = Annotated[Path, AfterValidator(_beside_the_file)]
