"""What one row or section of each file may say. Numbers are decimals: 0.1 is a tenth, not nearly one."""

import re
import zoneinfo
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from cloud.gtin import Gtin
from cloud.ledger.master import GIVEN
from cloud.section import Section
from wire.epc import check_digit, is_key

MOST = Decimal(10) ** 12  # far above any stock, and its thousandths fit a 64-bit integer
# Decimals that a quantity of each unit of measure may have; what is not named here is counted whole.
DECIMALS = {"kg": 3, "l": 3, "m": 3}
_EPC_PREFIX = re.compile("[0-9A-Fa-f]{2,124}")
# EPC Tag Data Standard 2.3, section 6.3.3: company prefix and location reference have 12 digits together.
_SGLN = re.compile(r"urn:epc:id:sgln:(?=[0-9.]{13}\.)[0-9]{6,12}\.[0-9]{0,6}\.[!-~]{1,60}")
_WEB_URI = re.compile(r"https?://[!-~]{1,190}")
_URI_PREFIX = re.compile(r"urn:epc:id:[a-z]+:[\x21-\x7e]{1,100}")


def _sscc(text: str) -> str:
    if not text.isascii() or not text.isdigit() or len(text) != 18:
        raise ValueError(f"write an SSCC of 18 digits, not {text!r}")
    if not is_key(text):
        raise ValueError(f"the check digit of {text} would be {check_digit(text[:-1])}")
    return text


def _prefixes(text: object) -> object:
    if not isinstance(text, str):
        return text
    words = text.split()
    for word in words:
        if not _EPC_PREFIX.fullmatch(word):
            raise ValueError(f"write hexadecimal digits, several prefixes apart by spaces, not {word!r}")
    return tuple(word.upper() for word in words)


def _tag_prefix(text: str) -> str:
    if _EPC_PREFIX.fullmatch(text):
        return text.upper()
    if _URI_PREFIX.fullmatch(text):
        return text
    raise ValueError(f"write what an EPC begins with, AD02 or urn:epc:id:sscc:0614141., not {text!r}")


def _place_uri(uri: str) -> str:
    if not _SGLN.fullmatch(uri) and not _WEB_URI.fullmatch(uri):
        raise ValueError(f"write urn:epc:id:sgln:0614141.07346.dock1 or https://…, not {uri!r}")
    return uri


def _time_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError(f"write a time zone such as Europe/Paris, not {name!r}")
    return name


def _own_name(name: str) -> str:
    if name in GIVEN:
        raise ValueError(f"{name!r} exists by itself at every site; give only further places")
    return name


def _empty_is_none(value: object) -> object:
    return None if value == "" else value


PlaceUri = Annotated[str, AfterValidator(_place_uri)]  # how other companies know a place
TagPrefix = Annotated[str, AfterValidator(_tag_prefix)]
Sscc = Annotated[str, AfterValidator(_sscc)]
Name = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
Place = Annotated[Name, AfterValidator(_own_name)]
EdgeName = Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]
Quantity = Annotated[Decimal, Field(ge=0, le=MOST, allow_inf_nan=False)]
Role = Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,39}$")]
Address = Annotated[str, Field(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$", max_length=200)]


class ItemRow(Section):
    """A line of items.csv."""

    gtin: Gtin
    name: Annotated[str, Field(min_length=1, max_length=200)]
    uom: Annotated[str, Field(pattern="^[A-Za-z0-9]{1,10}$")] = "each"
    unit_grams: Annotated[
        Annotated[Decimal, Field(gt=0, allow_inf_nan=False)] | None, BeforeValidator(_empty_is_none)
    ] = None
    abc: Literal["A", "B", "C"] = "C"
    epc_prefix: Annotated[tuple[str, ...], BeforeValidator(_prefixes)] = ()

    @property
    def scale(self) -> int:
        """How many decimals the ledger keeps."""
        return DECIMALS.get(self.uom.lower(), 0)


class OpeningRow(Section):
    """A line of opening.csv."""

    place: Name
    gtin: Gtin
    quantity: Quantity
    site: str = ""


class ContentsRow(Section):
    """A line of contents.csv."""

    sscc: Sscc
    gtin: Gtin
    quantity: Annotated[Quantity, Field(gt=0)]


class GateSection(Section):
    edge: EdgeName
    gate: Name
    outside: Name
    inside: Name
    role: Literal["dock", "doorway", "staging", "exit"] = "dock"
    book_at: Annotated[float, Field(ge=0.5, le=1.0)] = 0.9
    read_point: PlaceUri | None = None


class BaySection(Section):
    edge: EdgeName
    shelf: Name
    bay: Name
    place: Place | None = None  # its name in the ledger, where the bay's own is not unique at the site
    backroom: Name
    capacity: Annotated[dict[Gtin, Annotated[int, Field(ge=1, le=1_000_000)]], Field(min_length=1)]

    @property
    def location(self) -> str:
        return self.place or self.bay


class SiteSection(Section):
    name: Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]
    time_zone: Annotated[str, AfterValidator(_time_zone)]
    edges: tuple[EdgeName, ...] = ()
    places: tuple[Place, ...] = ()
    gates: tuple[GateSection, ...] = ()
    bays: tuple[BaySection, ...] = ()
    mail: Mapping[Role, tuple[Address, ...]] = Field(default_factory=dict)
    sscc_policy: Literal["declared", "read", "hold"] = "declared"
    ignored: frozenset[TagPrefix] = frozenset()  # tags that are never stock here
    biz_location: PlaceUri | None = None
    biz_locations: Mapping[Name, PlaceUri] = Field(
        default_factory=dict
    )  # of places that have one of their own


class SitesFile(Section):
    site: list[SiteSection]
