"""An event's own id: the SHA-256 of what it says, whoever writes it down and in whatever order. Pure.

Source: Core Business Vocabulary 2.0, section 8.9 "Hash-based event identifiers": properties in the order of
`_ORDER`, lists in the order of their texts, times in UTC to the millisecond, GS1 identifiers as canonical Digital
Links, words of GS1's vocabularies as their web URIs, numbers without idle zeros, others' properties behind, each with
its namespace. What only says who recorded an event, or that it was wrong, is no part of it.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cloud.epcis.links import canonical

CBV = "https://ref.gs1.org/cbv/"
VOCABULARY = "https://gs1.org/voc/"
_PREFIXES = {  # of EPCIS's own context
    "cbv": CBV,
    "gs1": VOCABULARY,
    "epcis": "https://ref.gs1.org/epcis/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "dcterms": "http://purl.org/dc/terms/",
    "schema": "https://schema.org/",
}
COMMENT = "{http://www.w3.org/2000/01/rdf-schema#}comment"  # for people: no part of what an event says

_REPORT = (
    "type exception deviceID deviceMetadata rawData dataProcessingMethod bizRules time microorganism"
    " chemicalSubstance value component stringValue booleanValue hexBinaryValue uriValue minValue maxValue meanValue"
    " percRank percValue sDev uom coordinateReferenceSystem"
)
_EVENT = (
    "eventTime eventTimeZoneOffset certificationInfo epcList parentID inputEPCList childEPCs quantityList"
    " childQuantityList inputQuantityList outputEPCList outputQuantityList action transformationID bizStep disposition"
    " persistentDisposition readPoint bizLocation bizTransactionList destinationList sourceList sensorElementList ilmd"
)
_METADATA = "time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules"
_QUANTITY = "epcClass quantity uom"
# The properties of each kind of thing, in their order. An event's `type` is called eventType.
_ORDER: dict[str, tuple[str, ...]] = {
    "event": tuple(_EVENT.split()),
    "quantityElement": tuple(_QUANTITY.split()),
    "persistentDisposition": ("set", "unset"),
    "place": ("id",),
    "bizTransaction": ("type", "bizTransaction"),
    "destination": ("type", "destination"),
    "source": ("type", "source"),
    "sensorElement": ("sensorMetadata", "sensorReport"),
    "sensorMetadata": tuple(_METADATA.split()),
    "sensorReport": tuple(_REPORT.split()),
    "open": (),
}
_NOT_HASHED = frozenset({"eventID", "recordTime", "errorDeclaration", "type", "@context", "isA"})
_TIMES = frozenset({"eventTime", "time", "startTime", "endTime"})
# Bare words are of these vocabularies; `type` is of another one in each thing that has it.
_WORDS = {
    ("event", "bizStep"): CBV + "BizStep-",
    ("event", "disposition"): CBV + "Disp-",
    ("persistentDisposition", "set"): CBV + "Disp-",
    ("persistentDisposition", "unset"): CBV + "Disp-",
    ("bizTransaction", "type"): CBV + "BTT-",
    ("source", "type"): CBV + "SDT-",
    ("destination", "type"): CBV + "SDT-",
    ("sensorReport", "type"): VOCABULARY,
    ("sensorReport", "exception"): VOCABULARY,
    ("sensorReport", "component"): CBV + "Comp-",
}
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_URN_WORD = re.compile(r"urn:epcglobal:cbv:(?:bizstep|disp|btt|sdt):([A-Za-z_]+)")
# A list whose members are named: (name of the list, the members' name, their kind or None for plain values).
_LISTS: dict[str, tuple[str, str | None]] = {
    "epcList": ("epc", None),
    "inputEPCList": ("epc", None),
    "outputEPCList": ("epc", None),
    "childEPCs": ("epc", None),
    "quantityList": ("quantityElement", "quantityElement"),
    "childQuantityList": ("quantityElement", "quantityElement"),
    "inputQuantityList": ("quantityElement", "quantityElement"),
    "outputQuantityList": ("quantityElement", "quantityElement"),
    "bizTransactionList": ("", "bizTransaction"),
    "sourceList": ("", "source"),
    "destinationList": ("", "destination"),
    "sensorElementList": ("sensorElement", "sensorElement"),
}
_THINGS = {
    "persistentDisposition": "persistentDisposition",
    "readPoint": "place",
    "bizLocation": "place",
    "sensorMetadata": "sensorMetadata",
    "sensorReport": "sensorReport",
    "ilmd": "open",
}


@dataclass(frozen=True, slots=True)
class _Context:
    prefixes: Mapping[str, str]
    ignored: frozenset[str]


def event_ids(document: Mapping[str, Any]) -> list[str]:
    """The hash ids of a document's events, in their order; of an EPCISDocument or an EPCISQueryDocument."""
    body = document["epcisBody"]
    results = body.get("queryResults", {})
    events = body["eventList"] if "eventList" in body else results["resultsBody"]["eventList"]
    ignored = [*_ignored(document), *_ignored(results)]
    return [event_id(event, document.get("@context", ()), ignored) for event in events]


def event_id(event: Mapping[str, Any], context: Any = (), ignored: Sequence[str] = ()) -> str:
    """`ni:///sha-256;…?ver=CBV2.0`. `ignored` are properties, as written, that are not hashed."""
    text = pre_hash(event, context, ignored)
    return f"ni:///sha-256;{hashlib.sha256(text.encode()).hexdigest()}?ver=CBV2.0"


def pre_hash(event: Mapping[str, Any], context: Any = (), ignored: Sequence[str] = ()) -> str:
    """The text whose hash an event's id is."""
    prefixes = _PREFIXES | dict(_prefixes(context)) | dict(_prefixes(event.get("@context", ())))
    around = _Context(prefixes, frozenset(ignored))
    return f"eventType={event['type']}{_thing(event, 'event', around)}"


def _ignored(holder: Mapping[str, Any]) -> list[str]:
    """A repository may say which of its own properties are none of the event's."""
    return [
        name for key, names in holder.items() if key.rpartition(":")[2] == "ignoreFields" for name in names
    ]


def _prefixes(context: Any) -> Iterator[tuple[str, str]]:
    for part in [context] if isinstance(context, str | Mapping) else context:
        if isinstance(part, Mapping):
            yield from ((prefix, where) for prefix, where in part.items() if isinstance(where, str))


def _thing(thing: Mapping[str, Any], kind: str, around: _Context) -> str:
    """Its own properties in order, then those of others in the order of their texts."""
    order = _ORDER[kind]
    own = "".join(_property(name, thing[name], kind, around) for name in order if name in thing)
    left_out = _NOT_HASHED if kind == "event" else frozenset({"@context"})
    others = (
        _other(name, value, around)
        for name, value in thing.items()
        if name not in order and name not in left_out and name not in around.ignored
    )
    return own + "".join(sorted(others))


def _property(name: str, value: Any, kind: str, around: _Context) -> str:
    if name in _LISTS:
        member, of_kind = _LISTS[name]
        if of_kind is None:
            return name + "".join(sorted(f"{member}={canonical(one)}" for one in value))
        return name + "".join(sorted(member + _thing(one, of_kind, around) for one in value))
    if name in _THINGS:
        things = value if isinstance(value, list) else [value]
        return "".join(sorted(name + _thing(one, _THINGS[name], around) for one in things))
    if isinstance(value, list):
        return "".join(sorted(f"{name}={_plain(name, one, kind, around)}" for one in value))
    return f"{name}={_plain(name, value, kind, around)}"


def _plain(name: str, value: Any, kind: str, around: _Context) -> str:
    if not isinstance(value, str):
        return _literal(value)
    if name in _TIMES:
        return _utc(value)
    vocabulary = _WORDS.get((kind, name))
    if vocabulary is not None:
        urn = _URN_WORD.fullmatch(value)
        return vocabulary + urn[1] if urn else _expanded(value, vocabulary, around)
    return canonical(value)


def _expanded(word: str, vocabulary: str, around: _Context) -> str:
    prefix, colon, local = word.partition(":")
    if not colon:
        return vocabulary + word
    if local.startswith("//") or prefix not in around.prefixes:
        return word
    return around.prefixes[prefix] + local


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return f"{number.normalize():f}" if number else "0"
    return str(value)


def _utc(text: str) -> str:
    """Rounded half up to the millisecond, which `datetime` would cut to the microsecond first."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"a time with its zone, such as 2026-11-22T09:00:00.5Z, not {text!r}")
    second, fraction, zone = match.groups()
    milliseconds = (Decimal(fraction or "0") * 1000).to_integral_value(ROUND_HALF_UP)
    at = datetime.fromisoformat(second + zone).astimezone(UTC) + timedelta(milliseconds=int(milliseconds))
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _other(name: str, value: Any, around: _Context) -> str:
    """A property of another vocabulary: its namespace and name, and all that is in it."""
    key = _key(name, around)
    if key == COMMENT:
        return ""
    if isinstance(value, list):
        return "".join(sorted(_other(name, one, around) for one in value))
    if isinstance(value, Mapping):
        inner = (
            _other(part, of_part, around)
            for part, of_part in value.items()
            if part != "@context" and part not in around.ignored
        )
        return key + "".join(sorted(inner))
    return f"{key}={value if isinstance(value, str) else _literal(value)}"


def _key(name: str, around: _Context) -> str:
    prefix, colon, local = name.partition(":")
    if colon and prefix in around.prefixes:
        return f"{{{around.prefixes[prefix]}}}{local}"
    if local.startswith("//"):
        cut = max(name.rfind("/"), name.rfind("#")) + 1
        return f"{{{name[:cut]}}}{name[cut:]}"
    return name
