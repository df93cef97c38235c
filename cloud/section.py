"""The base of every section of the configuration and of the master data."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError


class Section(BaseModel):
    """Frozen, and a key it does not know is an error: a misspelt setting must not be silently passed over."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def problems(error: ValidationError) -> list[str]:
    """One line for each thing that is wrong, naming the key as people write and count it: site[1].bays[2].bay."""
    return [f"{_where(problem['loc'])}: {_what(problem)}" for problem in error.errors()]


def _where(loc: tuple[int | str, ...]) -> str:
    spelled = ""
    for part in loc:
        if isinstance(part, int):
            spelled += f"[{part + 1}]"
        else:
            spelled += f".{part}" if spelled else part
    return spelled or "the file"


def _what(problem: Any) -> str:
    match problem["type"]:
        case "missing":
            return "is needed"
        case "extra_forbidden":
            return "is no setting here"
        case "value_error":
            return str(problem["ctx"]["error"])
        case _:
            return f"{problem['msg'][0].lower()}{problem['msg'][1:]}, not {problem['input']!r}"
