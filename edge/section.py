"""The base of every section of the configuration."""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationInfo,
    model_validator,
)


class Section(BaseModel):
    """Frozen, and a key it does not know is an error: a misspelt setting must not be silently passed over.

    Nor is true a 1, as pydantic would take it: where a number is wanted, it is a mistake.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _truth_is_no_number(cls, written: object) -> object:
        if not isinstance(written, dict):
            return written
        numbers = cls._numbers()
        return {key: _no_numbers(value) if key in numbers else value for key, value in written.items()}

    @classmethod
    @cache
    def _numbers(cls) -> frozenset[str]:
        """The settings that are a number, or some in a list or table, and neither a truth value nor text."""
        taken = {field.alias or name: _types(field.annotation) for name, field in cls.model_fields.items()}
        return frozenset(key for key, of in taken.items() if of & {int, float} and not of & {bool, str})


class _Word(str):
    """true and false as they are written; no text of these is a number."""

    __slots__ = ()
    __repr__ = str.__str__


def _types(annotation: Any) -> frozenset[Any]:
    inner = get_args(annotation)
    return frozenset().union(*map(_types, inner)) if inner else frozenset([annotation])


def _no_numbers(value: object) -> object:
    if isinstance(value, bool):
        return _Word(str(value).lower())
    if isinstance(value, dict):
        return {key: _no_numbers(each) for key, each in value.items()}
    return [_no_numbers(each) for each in value] if isinstance(value, list | tuple) else value


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
