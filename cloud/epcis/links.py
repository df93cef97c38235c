"""GS1 identifiers as URIs: an EPC URN or any GS1 Digital Link, as the one canonical Digital Link of its finest grain.

Source: GS1 EPC Tag Data Standard 2.3, sections 6 and 7 (what the parts of each URN are); GS1 Digital Link Standard:
URI Syntax (keys, qualifiers, their short names); Core Business Vocabulary 2.0, section 8.9.2 (which of them, and
without a query). Pure.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from wire.epc import check_digit, digital_link

_URN = re.compile(r"urn:epc:(id|class|idpat):([a-z]+):([!-~]+)")

Path = list[tuple[str, str]]  # application identifiers and their values


def canonical(uri: str) -> str:
    """The canonical GS1 Digital Link of a GS1 identifier; whatever is none comes back as it is."""
    match = _URN.fullmatch(uri)
    path = _of_urn(*match.groups()) if match else _of_link(uri)
    return digital_link(path) if path else uri


def _of_urn(kind: str, scheme: str, rest: str) -> Path | None:
    parts = rest.split(".")
    if kind == "idpat":
        # Of patterns only "any serial number of this class" is an identifier.
        if parts[-1] != "*" or "*" in parts[:-1] or scheme not in _CLASSES:
            return None
        parts[-1] = ""
    read = _SCHEMES.get(scheme)
    if read is None or (kind == "class") != (scheme == "lgtin"):
        return None
    try:
        path = read(*_unescaped(scheme, parts))
    except (TypeError, IndexError):
        return None  # another number of parts than the scheme has
    return [part for part in path if part[1]] if path[0][1] else None


_CLASSES = frozenset({"sgtin", "grai", "gdti", "sgcn", "cpi", "itip"})
_TEXT_LAST = {
    "sgtin": 3,
    "sgln": 3,
    "grai": 3,
    "giai": 2,
    "gdti": 3,
    "ginc": 2,
    "upui": 3,
    "lgtin": 3,
    "itip": 5,
}


def _unescaped(scheme: str, parts: list[str]) -> list[str]:
    """A serial number may have dots of its own, and escapes."""
    most = _TEXT_LAST.get(scheme, len(parts))
    if len(parts) > most:
        parts = [*parts[: most - 1], ".".join(parts[most - 1 :])]
    return [unquote(part) for part in parts]


def _numeric(digits: str, length: int) -> str:
    """A key of so many digits with its check digit; empty for what is none."""
    if len(digits) != length - 1 or not digits.isascii() or not digits.isdigit():
        return ""
    return digits + check_digit(digits)


def _gtin(company: str, reference: str) -> str:
    return _numeric(reference[:1] + company + reference[1:], 14)


def _gln(company: str, reference: str) -> str:
    return _numeric(company + reference, 13)


def _sgtin(company: str, reference: str, serial: str) -> Path:
    return [("01", _gtin(company, reference)), ("21", serial)]


def _sgln(company: str, reference: str, extension: str) -> Path:
    return [("414", _gln(company, reference)), ("254", "" if extension == "0" else extension)]


def _grai(company: str, reference: str, serial: str) -> Path:
    base = _gln(company, reference)
    return [("8003", f"0{base}{serial}" if base else "")]


def _itip(company: str, reference: str, piece: str, total: str, serial: str) -> Path:
    base = _gtin(company, reference)
    return [("8006", f"{base}{piece}{total}" if base else ""), ("21", serial)]


def _with_base(identifier: str) -> Callable[[str, str, str], Path]:
    """A key of 13 digits, with whatever tells one of its documents or coupons from another right behind."""

    def path(company: str, reference: str, serial: str) -> Path:
        base = _gln(company, reference)
        return [(identifier, base + serial if base else "")]

    return path


_SCHEMES: dict[str, Callable[..., Path]] = {
    "sgtin": _sgtin,
    "lgtin": lambda company, reference, lot: [("01", _gtin(company, reference)), ("10", lot)],
    "upui": lambda company, reference, code: [("01", _gtin(company, reference)), ("235", code)],
    "itip": _itip,
    "sscc": lambda company, serial: [("00", _numeric(serial[:1] + company + serial[1:], 18))],
    "sgln": _sgln,
    "pgln": lambda company, party: [("417", _gln(company, party))],
    "grai": _grai,
    "giai": lambda company, reference: [("8004", company + reference)],
    "gdti": _with_base("253"),
    "sgcn": _with_base("255"),
    "gsrn": lambda company, service: [("8018", _numeric(company + service, 18))],
    "gsrnp": lambda company, service: [("8017", _numeric(company + service, 18))],
    "cpi": lambda company, part, serial: [("8010", company + part), ("8011", serial)],
    "ginc": lambda company, reference: [("401", company + reference)],
    "gsin": lambda company, reference: [("402", _numeric(company + reference, 17))],
}

# Keys a Digital Link may begin with, the values they may have, and what may follow of their finest grain.
_TEXT = r"[!-~]"
_KEYS: dict[str, tuple[str, tuple[str, ...]]] = {
    "00": (r"\d{18}", ()),
    "01": (r"\d{8}|\d{12,14}", ("21", "235", "10")),
    "253": (rf"\d{{13}}{_TEXT}{{0,17}}", ()),
    "255": (r"\d{13,25}", ()),
    "401": (rf"{_TEXT}{{1,30}}", ()),
    "402": (r"\d{17}", ()),
    "414": (r"\d{13}", ("254",)),
    "417": (r"\d{13}", ()),
    "8003": (rf"0\d{{13}}{_TEXT}{{0,16}}", ()),
    "8004": (rf"{_TEXT}{{1,30}}", ()),
    "8006": (r"\d{18}", ("21",)),
    "8010": (r"[#\-/0-9A-Z]{1,30}", ("8011",)),
    "8017": (r"\d{18}", ()),
    "8018": (r"\d{18}", ()),
}
_SHORT = {
    "sscc": "00", "gtin": "01", "gdti": "253", "gcn": "255", "ginc": "401", "gsin": "402", "gln": "414",
    "party": "417", "grai": "8003", "giai": "8004", "itip": "8006", "cpid": "8010", "gsrnp": "8017", "gsrn": "8018",
    "ser": "21", "lot": "10", "cpv": "22", "glnx": "254", "cpsn": "8011",
}  # fmt: skip


def _of_link(uri: str) -> Path | None:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    segments = [unquote(segment) for segment in parts.path.strip("/").split("/")]
    # A Digital Link may have a stem of its own; its key and qualifiers are the pairs at the end.
    for start in range(len(segments) % 2, len(segments), 2):
        identifier = _SHORT.get(segments[start], segments[start])
        value, qualifiers = _KEYS.get(identifier, ("", ()))
        if value and re.fullmatch(value, segments[start + 1]):
            if identifier == "01":
                segments[start + 1] = segments[start + 1].zfill(14)
            given = {_SHORT.get(name, name): found for name, found in _pairs(segments[start + 2 :])}
            finest = [(name, given[name]) for name in qualifiers if name in given][:1]
            return [(identifier, segments[start + 1]), *finest]
    return None


def _pairs(segments: list[str]) -> list[tuple[str, str]]:
    return list(zip(segments[::2], segments[1::2], strict=True))
