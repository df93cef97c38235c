"""What scales publish: payloads in, weights in grams out. No I/O and no clock.

Sources: Tasmota, tasmota_xsns_sensor/xsns_34_hx711.ino (SENSOR and STATUS10); ESPHome, MQTT component and `hx711`
sensor (a state is its number as text); Home Assistant, MQTT sensor (a state is text, or JSON with a value template);
RFC 8428 (SenML, JSON representation). Every payload is untrusted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import msgspec

from edge.errors import ProtocolError
from edge.readers import masses

Format = Literal["tasmota", "esphome", "home_assistant", "senml", "json"]

GRAMS = {unit: masses.GRAMS[unit] for unit in ("mg", "g", "kg", "t", "lb", "oz")}
COUNT = "count"  # a converter's own steps, which `grams_per_count` turns into grams
MOST_GRAMS = 1e7  # ten tonnes: no shelf weighs so much, and no sane payload says so

# The ends of an HX711's 24 bits: it answers these when its input is beyond what it can measure.
_SATURATED = (0x7FFFFF, -0x800000)
_NO_ANSWER = -1  # what Tasmota reads from a converter that does not answer in time
_MOST_BYTES = 65_536
_MOST_RECORDS = 1000
_MOST_DEPTH = 20
_NUMBER = re.compile(r"[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_NOT_A_NUMBER = frozenset({"nan", "-nan", "+nan", "inf", "-inf", "+inf", "infinity", "-infinity"})
_NO_STATE = frozenset({"", "unavailable", "unknown", "none", "null", "offline"})
_STEP = re.compile(r"([^.\[\]]+)((?:\[\d{1,4}\])*)")
# RFC 8428, section 4.5.1: letters, digits and - : . / _ ; the first a letter or a digit.
_SENML_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*", re.ASCII)
_RELATIVE = 2**28  # RFC 8428, section 4.5.3: times below are relative to now
_SENML_VERSION = 10  # RFC 8428, section 4.4: the version it defines
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - of a time whose zone is not told
_MICROSECOND = timedelta(microseconds=1)
_OLDEST, _NEWEST = 0, 253_402_300_799  # seconds: 1970 to 9999, what a time can be


@dataclass(frozen=True, slots=True)
class Time:
    """When it was weighed, as far as the payload says.

    Attributes:
        us: microseconds since 1970 by the device's clock; or, `relative`, microseconds from the arrival, below zero.
        zoned: whether it is known where that clock's zero is; without, it only tells the order.
    """

    us: int
    zoned: bool = True
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Weight:
    grams: float
    stable: bool | None = None
    time: Time | None = None


@dataclass(frozen=True, slots=True)
class NoWeight:
    """The scale speaks and has no weight: `fault` in the words of `edge.reads.WeightFault`."""

    fault: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where in a payload one cell's weight is, and in what unit.

    Attributes:
        value: a key (tasmota), a path (json, home_assistant with JSON), a record's full name (senml); "" is the
            payload itself, or the only record that is a mass.
        unit: of the number, where the payload does not tell; "count" with `grams_per_count`.
        zero_count: the count that is no weight; taken off before anything is multiplied.
    """

    format: Format
    value: str = ""
    unit: str = ""
    unit_at: str = ""
    time_at: str = ""
    stable_at: str = ""
    grams_per_count: float = 1.0
    zero_count: float = 0.0


def parse(payload: bytes, recipe: Recipe) -> list[Weight | NoWeight]:
    """What one payload says of one cell, oldest first; empty where it says nothing of it.

    Raises:
        ProtocolError: the payload is not of this format, or its unit is no mass.
    """
    if len(payload) > _MOST_BYTES:
        raise ProtocolError(f"a payload of {len(payload)} bytes; a scale's is under {_MOST_BYTES}")
    match recipe.format:
        case "tasmota":
            return _tasmota(_json(payload), recipe)
        case "senml":
            return _senml(payload, recipe)
        case "json":
            return _by_path(_json(payload), recipe)
        case "home_assistant" if recipe.value:
            text = _text(payload)
            return [_no_state(text)] if text.lower() in _NO_STATE else _by_path(_json(payload), recipe)
        case _:
            return [_number_as_text(_text(payload), recipe)]


def online(payload: bytes) -> bool | None:
    """What a payload on a status topic says: Tasmota's LWT, ESPHome's status, Home Assistant's availability.

    None where it says neither.
    """
    text = payload[:200].decode("utf-8", "replace").strip()
    if text.startswith("{"):
        try:
            text = str(find(_json(payload), "state"))
        except ProtocolError:
            return None
    return {"online": True, "offline": False}.get(text.lower())


def steps(path: str) -> list[str | int]:
    """The steps of a path such as `scales[0].kg`.

    Raises:
        ValueError: saying what is wrong and what would be right.
    """
    found: list[str | int] = []
    for part in path.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise ValueError(
                f'{path!r} is no path; write keys with dots between them, as "scale.kg" or "a[0].kg"'
            )
        found.append(match[1])
        found += [int(index) for index in re.findall(r"\d+", match[2])]
    if len(found) > _MOST_DEPTH:
        raise ValueError(f"{path!r} goes deeper than {_MOST_DEPTH} steps")
    return found


def find(document: object, path: str) -> object:
    """The value at a path. Raises ProtocolError, naming the keys that are there."""
    here = document
    for step in steps(path):
        try:
            here = _step(here, step)
        except LookupError:
            there = ", ".join(list(map(str, here))[:8])[:80] if isinstance(here, Mapping) else f"{here!r:.40}"
            raise ProtocolError(f"{path!r} is not in it: at {step!r} there is {there}") from None
    return here


def _step(here: object, step: str | int) -> object:
    """Raises LookupError where it leads nowhere."""
    if isinstance(step, int) and isinstance(here, list):
        return here[step]
    if isinstance(step, str) and isinstance(here, dict):
        return here[step]
    raise LookupError(step)


def _tasmota(document: object, recipe: Recipe) -> list[Weight | NoWeight]:
    """`Weight` is in kg and never below zero; `WeightRaw` in whole grams and `AbsRaw` in counts are not tared.

    `Count` is a division that cuts off, and is never used.
    """
    if isinstance(document, Mapping) and isinstance(document.get("StatusSNS"), Mapping):
        document = document["StatusSNS"]  # the answer to `Status 10`
    if not isinstance(document, Mapping):
        raise ProtocolError(f"no SENSOR message of Tasmota: {document!r:.60}")
    scale = document.get("HX711")
    if not isinstance(scale, Mapping):
        raise ProtocolError(f"no HX711 in it, only {', '.join(list(map(str, document))[:8])[:80]}")
    if recipe.value not in scale:
        raise ProtocolError(f"HX711 says no {recipe.value!r}, only {', '.join(map(str, scale))[:80]}")
    return [_weight(scale[recipe.value], recipe, recipe.unit, None, _time(document.get("Time")))]


def _by_path(document: object, recipe: Recipe) -> list[Weight | NoWeight]:
    unit = recipe.unit
    if recipe.unit_at:
        told = find(document, recipe.unit_at)
        if not isinstance(told, str):
            raise ProtocolError(f"the unit at {recipe.unit_at!r} is {told!r:.40}")
        unit = told.strip()
    stable = _truth(find(document, recipe.stable_at)) if recipe.stable_at else None
    time = _time(find(document, recipe.time_at)) if recipe.time_at else None
    return [_weight(find(document, recipe.value), recipe, unit, stable, time)]


def _number_as_text(text: str, recipe: Recipe) -> Weight | NoWeight:
    if text.lower() in _NO_STATE:
        return _no_state(text)
    if text.lower() in _NOT_A_NUMBER:
        return NoWeight("not_a_number")
    if not _NUMBER.fullmatch(text):
        raise ProtocolError(f"{text[:40]!r} is no number")
    return _weight(float(text), recipe, recipe.unit, None, None)


def _no_state(text: str) -> NoWeight:
    return NoWeight(f"device_error: the state is {text.lower() or 'empty'}")


def _weight(
    value: object, recipe: Recipe, unit: str, stable: bool | None, time: Time | None
) -> Weight | NoWeight:
    if value is None:
        return NoWeight("not_a_number")  # how JSON is made to say it
    if isinstance(value, str):
        told = _number_as_text(value.strip(), Recipe("esphome", unit="g"))
        if isinstance(told, NoWeight):
            return told
        value = told.grams
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProtocolError(f"{value!r:.40} is no weight")
    if unit == COUNT:
        if value in _SATURATED:
            return NoWeight("saturated")
        if value == _NO_ANSWER:
            return NoWeight("device_error: the converter does not answer")
        grams = (value - recipe.zero_count) * recipe.grams_per_count
    else:
        if (factor := GRAMS.get(unit.lower())) is None:  # "Kg" is meant as it is
            raise ProtocolError(f"{unit[:20]!r} is no unit of mass; it can be {', '.join(GRAMS)}")
        grams = value * factor
    if not -MOST_GRAMS <= grams <= MOST_GRAMS:
        raise ProtocolError(f"{value!r:.40} {unit} is more than any shelf weighs")
    return Weight(grams, stable, time)


def _truth(value: object) -> bool | None:
    """A device's flag, however it writes it; None where that is not known."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    words = {"true": True, "on": True, "yes": True, "stable": True, "1": True,
             "false": False, "off": False, "no": False, "unstable": False, "0": False}  # fmt: skip
    return words.get(value.strip().lower()) if isinstance(value, str) else None


def _time(value: object) -> Time | None:
    """An ISO 8601 time, or seconds or milliseconds since 1970; None where it is neither."""
    if isinstance(value, str) and 19 <= len(value) <= 40:
        try:
            at = datetime.fromisoformat(value)
            zoned = at.tzinfo is not None
            plain = at.astimezone(UTC).replace(tzinfo=None) if zoned else at
        except (ValueError, OverflowError):
            return None
        return Time((plain - _EPOCH) // _MICROSECOND, zoned)
    if isinstance(value, int | float) and not isinstance(value, bool):
        for unit_us in (1_000_000, 1000):
            if (
                _RELATIVE <= value * unit_us / 1_000_000 <= _NEWEST / 30
            ):  # until about 2237; milliseconds are beyond
                return Time(round(value * unit_us))
    return None


def _senml(payload: bytes, recipe: Recipe) -> list[Weight | NoWeight]:
    records = resolved(payload)
    cells = [
        each
        for each in records
        if each.number is not None
        and (each.name == recipe.value or (not recipe.value and each.unit.lower() in GRAMS))
    ]
    if not recipe.value and len({each.name for each in cells}) > 1:
        names = ", ".join(sorted({each.name for each in cells})[:5])
        raise ProtocolError(f"several masses are in it: {names}; say which is the cell's with name")
    found: list[tuple[float, Weight | NoWeight]] = []
    for each in cells:
        wanted = recipe.stable_at or f"{each.name}/stable"
        stable = next((one.flag for one in records if one.name == wanted and one.time == each.time), None)
        weight = _weight(each.number, recipe, each.unit or recipe.unit, stable, each.when)
        found.append((each.time, weight))
    return [weight for _, weight in sorted(found, key=lambda pair: pair[0])]


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a pack, its base fields added. `time` in seconds; `number` and `flag` None where it has none."""

    name: str
    unit: str
    time: float
    number: float | None
    flag: bool | None

    @property
    def when(self) -> Time | None:
        if self.time == 0.0:
            return None  # RFC 8428, section 4.5.3: now, roughly
        return Time(round(self.time * 1e6), relative=self.time < _RELATIVE)


@lru_cache(maxsize=8)  # one pack tells of several cells, and is looked at for each
def resolved(payload: bytes) -> tuple[Record, ...]:
    """The records of a SenML pack, each whole by itself (RFC 8428, section 4.6).

    Raises:
        ProtocolError: it is no pack, or needs to be understood more than this does.
    """
    pack = _json(payload)
    if not isinstance(pack, list):
        raise ProtocolError(f"no SenML pack, which is an array of records: {pack!r:.60}")
    if len(pack) > _MOST_RECORDS:
        raise ProtocolError(f"a pack of {len(pack)} records; at most {_MOST_RECORDS} are taken")
    base: dict[str, Any] = {}
    records = []
    for i, written in enumerate(pack, 1):
        if not isinstance(written, dict):
            raise ProtocolError(f"record {i} is no object: {written!r:.60}")
        if strange := [key for key in written if key.endswith("_")]:
            raise ProtocolError(f"record {i} must not be read by who does not know {strange[0]!r}")
        base |= {key: value for key, value in written.items() if key in ("bn", "bt", "bu", "bv", "bver")}
        records.append(_record(i, written, base))
    return tuple(each for each in records if each is not None)


def _record(i: int, written: dict[str, Any], base: dict[str, Any]) -> Record | None:
    """One record with the base fields so far; None for one that holds only base fields."""
    if (version := base.get("bver", _SENML_VERSION)) != _SENML_VERSION:
        raise ProtocolError(f"SenML of version {version!r:.20}; {_SENML_VERSION} is known")
    prefix, own = base.get("bn", ""), written.get("n", "")
    unit = written.get("u", base.get("bu", ""))
    if not (isinstance(prefix, str) and isinstance(own, str) and isinstance(unit, str)):
        raise ProtocolError(f"record {i}: name and unit are text, not {written!r:.60}")
    if not {"v", "vb", "vs", "vd", "s"} & written.keys() and "bv" not in base:
        return None
    name = prefix + own
    if len(name) > 200 or not _SENML_NAME.fullmatch(name):
        raise ProtocolError(f"record {i}: {name[:60]!r} is no SenML name")
    time = _finite(i, base, "bt") + _finite(i, written, "t")
    if time >= _RELATIVE and not _OLDEST <= time <= _NEWEST:
        raise ProtocolError(f"record {i}: {time:g} s is no time")
    flag = written.get("vb")
    number = _finite(i, base, "bv") + _finite(i, written, "v") if "v" in written or "bv" in base else None
    if {"vb", "vs", "vd"} & written.keys():
        number = None  # a base value is added to numbers only
    return Record(name, unit, time, number, flag if isinstance(flag, bool) else None)


def _finite(i: int, fields: dict[str, Any], key: str) -> float:
    value = fields.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e15 <= value <= 1e15:
        raise ProtocolError(f"record {i}: {key!r} should be a number, not {value!r:.40}")
    return float(value)


def _json(payload: bytes) -> object:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"not JSON ({error}): {payload[:60]!r}") from None


def _text(payload: bytes) -> str:
    try:
        return payload.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise ProtocolError(f"not text: {payload[:40]!r}") from None
