"""The maps of makers' transmitters: a TOML file each, beside this one."""

import tomllib
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from edge.readers.modbus_scale.registers import RegisterMap

FOLDER = Path(__file__).parent / "profiles"
_ABOUT = ("title", "source", "unsure")  # for people


@cache
def profile(name: str) -> RegisterMap:
    """The map that a profile of this name is."""
    written = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    adapter: TypeAdapter[RegisterMap] = TypeAdapter(RegisterMap)
    return adapter.validate_python({key: value for key, value in written.items() if key not in _ABOUT})
