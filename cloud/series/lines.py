"""InfluxDB line protocol. Pure: values in, one line out.

Source: InfluxDB OSS v2, "Line protocol", sections "Special characters" and "Data types and format"; InfluxDB 1 reads
the same.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

Field = bool | int | float | str | None

_MEASUREMENT = str.maketrans({",": r"\,", " ": r"\ "})
_KEY = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\="})
# A backslash cannot be escaped outside strings: at a tag's end it would swallow the separator that follows. It is
# shown by a character that looks like it, so that two names never become one.
_BACKSLASH_IN_TAGS = "\u29f5"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")  # line ends and the like: no name needs them
_STRING = str.maketrans({"\\": r"\\", '"': r"\""})

INT64 = 2**63
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PER_MICROSECOND = 1000


def line(measurement: str, tags: Mapping[str, str], fields: Mapping[str, Field], at_ns: int) -> str:
    """One point; "" where no field has a value. A tag without a value is left out: the protocol knows no empty one."""
    values = ",".join(f"{_key(key)}={text}" for key, value in fields.items() if (text := _value(value)))
    if not values:
        return ""
    labels = "".join(f",{_key(key)}={text}" for key, value in tags.items() if (text := _key(value)))
    return f"{_name(measurement, _MEASUREMENT)}{labels} {values} {at_ns}"


def at_ns(at: datetime, position: int, not_after: datetime) -> int:
    """When a point is: nanoseconds since 1970, never later than `not_after`'s microsecond.

    What happens is known to the microsecond; the nanoseconds below it tell apart what happened in the same one, by
    its position in its sequence. Points of one series fall together only if a whole thousand of them share a
    microsecond.
    """
    moment = min(at, not_after)
    return (moment - EPOCH) // MICROSECOND * PER_MICROSECOND + position % PER_MICROSECOND


def _key(text: str) -> str:
    return _name(text, _KEY)


def _name(text: str, escapes: dict[int, str]) -> str:
    clean = _CONTROL.sub(" ", text).strip().replace("\\", _BACKSLASH_IN_TAGS)
    return clean.translate(escapes)


def _value(value: Field) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}i" if -INT64 <= value < INT64 else repr(float(value))
        case float():
            return repr(value) if math.isfinite(value) else ""
        case str():
            return f'"{_CONTROL.sub(" ", value).translate(_STRING)}"'
