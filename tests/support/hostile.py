"""Golden messages on disk, and messages that were tampered with."""

from collections.abc import Callable
from pathlib import Path

import jsonschema
from hypothesis import strategies as st

from wire import codec

V1 = Path(__file__).parents[1] / "wire" / "golden" / "v1"
LONGEST_ERROR = 400  # an error must not carry a hostile payload into the logs


def golden(folder: Path, name: str) -> bytes:
    return (folder / f"{name}.json").read_bytes().rstrip(b"\n")


def keep_to_the_schema(folder: Path, named: Callable[[str], str]) -> None:
    """All messages of a folder; `named` tells, by a file's stem, the definition that it is of."""
    schema = codec.schema()
    for path in folder.glob("*.json"):
        definition = {**schema, "$ref": f"#/$defs/{named(path.stem)}"}
        jsonschema.Draft202012Validator(definition).validate(codec.parse_json(path.read_bytes()))


def changed(payload: bytes, old: bytes, new: bytes) -> bytes:
    broken = payload.replace(old, new)
    assert broken != payload
    return broken


def damaged(payload: bytes, data: st.DataObject) -> bytes:
    """With some bytes cut out, put in or exchanged."""
    line = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(line) - 1))
        line[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
    return bytes(line)
