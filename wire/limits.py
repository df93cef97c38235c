"""Limits on fields, as annotations: `Annotated[str, Pattern(...)]`.

pydantic reads them when codec.py builds its validators, yet nothing here imports it, so the
pure parts can use the event classes without loading a validation library.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from annotated_types import Ge, Le, Len

MAX_SEQ = 2**53 - 1  # the largest integer that every JSON reader keeps exact (RFC 8259, section 6)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that the whole string must match, in a syntax common to Python, Rust and JSON Schema."""

    regex: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        schema = handler(source)
        schema["pattern"] = f"^(?:{self.regex})$"
        return schema


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant with its offset from UTC stated, between 1970 and 2200, handed on in UTC.

    A reader without a battery says 1970 or 2000: kept, because the cloud judges a wrong clock. Beyond 2200
    nothing is a clock, and conversion to UTC could overflow.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        schema = handler(source)
        schema["tz_constraint"] = "aware"
        schema["ge"] = datetime(1970, 1, 1, tzinfo=UTC)
        schema["le"] = datetime(2200, 1, 1, tzinfo=UTC)
        return {
            "type": "function-after",
            "function": {"type": "no-info", "function": _to_utc},
            "schema": schema,
        }


def _to_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


At = Annotated[datetime, Moment()]
EdgeName = Annotated[str, Pattern("[a-z0-9-]{1,40}")]
Name = Annotated[str, Pattern("[A-Za-z0-9][A-Za-z0-9._-]{0,39}")]  # a gate, shelf, bay or device
RunId = Annotated[str, Pattern("[0-9a-f]{32}")]
Seq = Annotated[int, Ge(1), Le(MAX_SEQ)]
Count = Annotated[int, Ge(0), Le(MAX_SEQ)]
Milliseconds = Annotated[int, Ge(0), Le(MAX_SEQ)]
Units = Annotated[int, Ge(-1_000_000), Le(1_000_000)]
Grams = Annotated[float, Ge(-1e8), Le(1e8)]  # a hundred tonnes either way
Confidence = Annotated[float, Ge(0.0), Le(1.0)]
Gtin14 = Annotated[str, Pattern("[0-9]{14}")]
# Gen2 gives the EPC length in 5 bits of 16-bit words: at most 31 words, 124 digits (Gen2 PC word, bits 10h-14h).
EpcHex = Annotated[str, Pattern("(?:[0-9A-F]{4}){1,31}")]
TidHex = Annotated[str, Pattern("(?:[0-9A-F]{4}){1,32}")]
Words = Annotated[str, Len(0, 500)]  # a sentence for a person
Id = Annotated[str, Pattern("[A-Za-z0-9][A-Za-z0-9:._-]{0,119}")]
