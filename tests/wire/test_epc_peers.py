"""EPC decoding beside libraries of others: epcpy for tags, biip for Digital Links and check digits."""

import sys
from typing import Any
from urllib.parse import unquote

import pytest
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from hypothesis import given
from hypothesis import strategies as st

from tests.support.epcs import SCHEMES, epcs
from tests.support.peers import ConvertException, hex_to_tag_encodable
from wire.epc import RAW, Epc, decode
from wire.epc_schemes import GID, PARTITIONED

HEADERS = sorted([*PARTITIONED, GID])


def _theirs(digits: str) -> Any:
    """What epcpy makes of it; None for what it refuses, in whatever manner."""
    try:
        return hex_to_tag_encodable(digits)
    except (ConvertException, ValueError, IndexError):
        return None


def _agree(epc: Epc, theirs: Any) -> None:
    assert epc.uri == theirs.epc_uri
    kind = type(theirs)
    coding = kind.BinaryCodingScheme(epc.scheme)
    if epc.filter is None:
        assert theirs.hex(coding) == epc.identity
        return
    filters = {member.value: member for member in _filter_of(kind)}
    if epc.sscc is None:  # they write an SSCC's filter in front of the scheme: urn:epc:tag:3:sscc-96.…
        assert theirs.tag_uri(coding, filters[str(epc.filter)]) == epc.tag_uri
    # They write the extension 0 of an SGLN, which stands for none (TDS 2.3, section 6.3.3).
    assert (
        theirs.gs1_element_string().removesuffix("(254)0" if epc.serial == "0" else "()")
        == epc.element_string
    )


def _filter_of(kind: Any) -> Any:
    return getattr(sys.modules[kind.__module__], f"{kind.__name__}FilterValue")


@pytest.mark.parametrize("scheme", SCHEMES)
@given(data=st.data())
def test_what_is_written_well_is_read_alike(scheme: str, data: st.DataObject) -> None:
    drawn = data.draw(epcs(scheme))
    epc, theirs = decode(drawn.words), _theirs(drawn.words)
    if theirs is None:
        assert _counted_longer(epc)
    elif not _has_a_colon(epc):
        _agree(epc, theirs)


@pytest.mark.parametrize("header", HEADERS)
@given(data=st.data())
def test_any_bits_are_read_or_refused_alike(header: int, data: st.DataObject) -> None:
    """Most arbitrary bits are refused for their text or a number too large; both say so of the same ones."""
    size = 12 if header not in (0x36, 0x37, 0x38, 0x39) else 26
    filter_and_partition = data.draw(st.integers(0, 7)) << 5 | data.draw(st.integers(0, 7)) << 2
    rest = data.draw(st.binary(min_size=size - 2, max_size=size - 2))
    digits = f"{header:02X}{filter_and_partition | data.draw(st.integers(0, 3)):02X}{rest.hex().upper()}"
    epc, theirs = decode(digits), _theirs(digits)
    if epc.scheme == RAW:
        assert theirs is None or _knowingly_stricter(epc), f"{digits}: {epc.why}, they read {theirs.epc_uri}"
    else:
        assert theirs is not None or _counted_longer(epc), f"{digits}: they refuse {epc.uri}"
        if theirs is not None and not _has_a_colon(epc):
            _agree(epc, theirs)


def _knowingly_stricter(epc: Epc) -> bool:
    """epcpy does not look at SSCC-96's reserved bits, behind a text's last character, or at a reference that has no
    digit because the company prefix has them all (TDS 2.3, sections 14.4, 14.4.2 and 14.4.3).
    """
    why = str(epc.why)
    return why.startswith("reserved bits") or "more than zeros behind" in why or "more than 0 digits" in why


def _counted_longer(epc: Epc) -> bool:
    """epcpy counts an escaped character as three, where TDS (14.3.2) counts it as one, and cuts a GIAI at a colon."""
    return epc.uri is not None and ("%" in epc.uri or _has_a_colon(epc))


def _has_a_colon(epc: Epc) -> bool:
    return ":" in (epc.giai or "")


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme != "gid-96"])
@given(data=st.data())
def test_digital_links_are_read_by_biip_and_have_valid_check_digits(scheme: str, data: st.DataObject) -> None:
    epc = decode(data.draw(epcs(scheme)).words)
    assert epc.digital_link is not None
    link = GS1DigitalLinkURI.parse(epc.digital_link)
    said = {element.ai.ai: element.value for element in link.element_strings}
    path = epc.digital_link.removeprefix("https://id.gs1.org/").split("/")
    assert said == dict(zip(path[::2], map(unquote, path[1::2]), strict=True))
    if epc.gtin is not None:
        gtin = link.element_strings[0].gtin
        assert gtin is not None
        assert gtin.as_gtin_14() == epc.gtin
    if epc.sscc is not None:
        sscc = link.element_strings[0].sscc
        assert sscc is not None
        assert sscc.value == epc.sscc
    if epc.gln is not None:
        gln = link.element_strings[0].gln
        assert gln is not None
        assert gln.value == epc.gln
