"""What is wrong in a configuration, in the words and the spelling of whoever wrote it: `gates[1].antennas`."""

import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$"  # wire.limits.Name
EDGE_NAME = r"^[a-z0-9-]{1,40}$"  # wire.limits.EdgeName
_PATTERNS = {
    NAME: "1 to 40 letters, digits, dots, hyphens and underscores, a letter or digit first",
    EDGE_NAME: "1 to 40 of a-z, 0-9 and hyphen",
}
# What pydantic 2 calls a mistake (docs.pydantic.dev, "Validation Errors"), and what would be right.
_RIGHT = {
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_parsing_size": "write a smaller whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a finite number",
    "bool_type": "write true or false",
    "bool_parsing": "write true or false",
    "string_type": "write it in quotes",
    "path_type": "write a path in quotes",
    "dict_type": "write a table, as {{ key = value }}",
    "model_type": "write a table, as {{ key = value }}",
    "model_attributes_type": 'say its driver and where it is, as {{ driver = "llrp", url = "tcp://192.0.2.10:5084" }}',
    "tuple_type": "write a list, as [ … ]",
    "list_type": "write a list, as [ … ]",
    "greater_than": "must be more than {gt:.12g}",
    "greater_than_equal": "must be at least {ge:.12g}",
    "less_than": "must be less than {lt:.12g}",
    "less_than_equal": "must be at most {le:.12g}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "too_short": "must have at least {min_length}",
    "too_long": "must have at most {max_length}",
}
# Which of several types a validator tried: its own words, and no key of the file.
_TRIED = re.compile(r"constrained-\w+|function-\w+.*|\w+\[.*\]")

Written = Mapping[str, Any]  # TOML as it was read: nothing in it is checked yet


def where(loc: tuple[int | str, ...], written: Written) -> str:
    """Spell a validator's location as people write and count, leaving out the validator's own words."""
    spelled, here = "", written  # type: str, Any
    for i, part in enumerate(loc):
        last = i == len(loc) - 1
        if part == "cells" and isinstance(here, Mapping) and "cells" not in here:
            part = "cell"  # the short form of it
        if isinstance(part, int):
            if isinstance(here, list):
                spelled += f"[{part + 1}]"
                here = here[part] if part < len(here) else None
            continue
        known = isinstance(here, Mapping) and part in here
        tag = i > 0 and loc[i - 1] == "reader" and not known  # the driver that the validator chose
        if known or (last and not tag and part != "[key]" and not _TRIED.fullmatch(str(part))):
            spelled += f".{part}" if spelled else part
            here = here[part] if known else None
    return spelled or "the file"


def what(problem: Any) -> str:
    """Say one of pydantic's errors so that it tells what would be right."""
    match problem["type"]:
        case "missing":
            return "is needed"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return "is no setting here"
        case "union_tag_invalid":
            return f"driver {problem['ctx']['tag']!r} is none of {problem['ctx']['expected_tags']}"
        case "union_tag_not_found":
            return "driver is needed"
        case "string_pattern_mismatch":
            return f"{_PATTERNS[problem['ctx']['pattern']]}, not {problem['input']!r}"
        case "value_error":
            return str(problem["ctx"]["error"])
        case kind if kind in _RIGHT:
            return f"{_RIGHT[kind].format(**problem.get('ctx', {}))}, not {problem['input']!r}"
        case _:
            return f"{problem['msg'][0].lower()}{problem['msg'][1:]}, not {problem['input']!r}"


def clashes(written: Written) -> Iterator[str]:
    """Settings that are right by themselves and wrong together. Passes over whatever is not in shape."""
    yield from _twice(
        [
            (f"{key}.name", table.get("name"))
            for kind in ("gates", "shelves")
            for key, table in _tables(written, kind)
        ],
        "gate's and shelf's name",
    )
    yield from _twice(
        [(f"{key}.reader.url", _device(_reader(table))) for kind in ("gates", "shelves")
         for key, table in _tables(written, kind)],
        "device's URL",
    )  # fmt: skip
    for key, gate in _tables(written, "gates"):
        yield from _unread_antennas(key, gate)
    for key, shelf in _tables(written, "shelves"):
        yield from _clashes_of_bays(key, shelf)


def _unread_antennas(key: str, gate: Written) -> Iterator[str]:
    """Antennas of the gate that its reader is not told to read with, where it is told which; each would be blind."""
    sides, reader = gate.get("antennas"), _reader(gate)
    if not isinstance(sides, Mapping):
        return
    read = reader.get("antennas")
    if isinstance(read, list):
        for antenna in sides:
            if antenna not in map(str, read):
                yield f"{key}.antennas: the reader is told to read with {', '.join(map(str, read))}, not with {antenna}"
    only = reader.get("antenna")
    if isinstance(only, int) and str(only) not in sides:
        yield f"{key}.reader.antenna: {only} is none of the gate's antennas, {', '.join(sides)}"


def _clashes_of_bays(key: str, shelf: Written) -> Iterator[str]:
    bays = [(f"{key}.{at}", bay) for at, bay in _tables(shelf, "bays")]
    yield from _twice([(f"{at}.name", bay.get("name")) for at, bay in bays], "bay's name on a shelf")
    cells = [cell for at, bay in bays for cell in _cells(at, bay)]
    yield from _twice(cells, "bay's cell")
    if _reader(shelf).get("driver") in ("ascii_scale", "sics"):
        yield from (
            f"{at}: a scale of this kind has only cell 0, not {cell}" for at, cell in cells if cell != 0
        )
    for at, bay in bays:
        yield from _twice(
            [(f"{at}.{n}.gtin", item.get("gtin")) for n, item in _tables(bay, "items")],
            "item of a bay",
        )


def _cells(at: str, bay: Written) -> Iterator[tuple[str, object]]:
    if "cell" in bay:
        yield f"{at}.cell", bay["cell"]
    elif isinstance(cells := bay.get("cells"), list):
        yield from ((f"{at}.cells[{i}]", cell) for i, cell in enumerate(cells, 1))


def _tables(table: Written, key: str) -> Iterator[tuple[str, Written]]:
    """Each table of an array of tables, with the key it is written under."""
    array = table.get(key)
    for i, entry in enumerate(array if isinstance(array, list) else (), 1):
        if isinstance(entry, Mapping):
            yield f"{key}[{i}]", entry


def _reader(table: Written) -> Written:
    reader = table.get("reader")
    return reader if isinstance(reader, Mapping) else {}


def _device(reader: Written) -> object:
    """What tells one device from another: its URL, and its own name or its cells where several publish on one topic."""
    url, name = reader.get("url"), reader.get("reader")
    if reader.get("driver") == "mqtt_scale" and "cells" in reader:
        name = reader["cells"]
    return f"{url} of {name}" if name is not None else url


def _twice(entries: list[tuple[str, object]], role: str) -> Iterator[str]:
    first: dict[Hashable, str] = {}
    for key, value in entries:
        if not isinstance(value, Hashable) or value is None:
            continue
        if value in first:
            yield f"{key}: {value!r} is taken by {first[value]}; each {role} is its own"
        else:
            first[value] = key
