"""Identifiers as canonical Digital Links, beside what tags say and what biip reads."""

import pytest
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from hypothesis import given
from hypothesis import strategies as st

from cloud.epcis.links import canonical
from tests.support.epcs import SCHEMES, epcs
from wire.epc import decode


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme != "gid-96"])
@given(data=st.data())
def test_a_tags_urn_and_its_link_are_one(scheme: str, data: st.DataObject) -> None:
    epc = decode(data.draw(epcs(scheme)).words)
    assert epc.uri is not None
    assert epc.digital_link is not None
    assert canonical(epc.uri) == epc.digital_link
    assert canonical(epc.digital_link) == epc.digital_link


@pytest.mark.parametrize(
    "uri, link",
    [
        ("urn:epc:idpat:sgtin:0614141.107346.*", "/01/10614141073464"),
        ("urn:epc:idpat:cpi:0614141.ABC.*", "/8010/0614141ABC"),
        ("urn:epc:id:gsrn:0614141.0000010253", "/8018/061414100000102534"),
        ("urn:epc:id:gdti:0614141.06012.1234", "/253/06141410601221234"),
        ("https://example.com/gtin/614141073464", "/01/00614141073464"),
        (
            "http://brand.example:8080/some/path/01/10614141073464/22/a/10/L1/21/7?17=1",
            "/01/10614141073464/21/7",
        ),
        (
            "https://brand.example/odd/stem/here/gln/0614141073467/254/32a%2Fb",
            "/414/0614141073467/254/32a%2Fb",
        ),
        ("https://id.gs1.org/01/10614141073464/10/L1", "/01/10614141073464/10/L1"),
    ],
)
def test_finest_grain_without_a_query(uri: str, link: str) -> None:
    assert canonical(uri) == f"https://id.gs1.org{link}"
    GS1DigitalLinkURI.parse(canonical(uri))


@pytest.mark.parametrize(
    "uri",
    [
        "", "receiving", "geo:50.9,6.9", "urn:epc:id:gid:31415.271828.1414", "urn:epc:raw:96.xE28011700000020C1A2B3C4D",
        "urn:epc:idpat:sgtin:0614141.*.*", "urn:epc:id:lgtin:0614141.107346.L1", "urn:epc:class:sgtin:0614141.107346.1",
        "urn:epc:id:sgtin:0614141.10734.2017", "urn:epc:id:sgtin:0614141", "urn:epc:id:sgtin:..", "https://example.com",
        "http://transaction.example/po/12345678", "https://example.com/01/123", "https://[broken/01/10614141073464",
        "ftp://id.gs1.org/01/10614141073464", "http://www.opengis.net/def/crs/EPSG/0/27700",
    ],
)  # fmt: skip
def test_what_is_no_gs1_identifier_stays_as_it_is(uri: str) -> None:
    assert canonical(uri) == uri


@given(
    st.text(max_size=40) | st.from_regex(r"urn:epc:(id|class|idpat):[a-z]{3,5}:[!-~]{0,20}", fullmatch=True)
)
def test_nothing_raises(uri: str) -> None:
    assert canonical(canonical(uri)) == canonical(uri)


@given(st.lists(st.sampled_from(["01", "21", "gtin", "10614141073464", "414", "a", "%", ""]), max_size=7))
def test_no_path_raises(segments: list[str]) -> None:
    uri = "https://example.com/" + "/".join(segments)
    assert canonical(canonical(uri)) == canonical(uri)
