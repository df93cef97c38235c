"""EPC decoding, against the Tag Data Standard's own examples and rules, and against anything at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.epcs import SCHEMES, Drawn, epcs
from wire.epc import RAW, Epc, check_digit, decode, is_key
from wire.epc_schemes import HEADERS, PARTITIONED

SGTIN = "3074257BF7194E4000001A85"
SGTIN_198 = "3674257BF6B7A659B2C2BF1000000000000000000000000000"

# GS1 EPC Tag Data Standard 1.13, annex E.3 "Summary of examples of all EPC schemes": digits, tag URI, element string.
# Two of its misprints are put right by its own rules: sgtin-198's pure identity has 7 as its indicator (the bits and
# the element string do), and giai-202's element string no zero in front.
EXAMPLES = [
    (SGTIN, "sgtin-96:3.0614141.812345.6789", "(01)80614141123458(21)6789"),
    (SGTIN_198, "sgtin-198:3.0614141.712345.32a%2Fb", "(01)70614141123451(21)32a/b"),
    ("3174257BF4499602D2000000", "sscc-96:3.0614141.1234567890", "(00)106141412345678908"),
    ("3274257BF46072000000162E", "sgln-96:3.0614141.12345.5678", "(414)0614141123452(254)5678"),
    (
        "3974257BF46072CD9615F8800000000000000000000000000",
        "sgln-195:3.0614141.12345.32a%2Fb",
        "(414)0614141123452(254)32a/b",
    ),
    ("3374257BF40C0E400000162E", "grai-96:3.0614141.12345.5678", "(8003)006141411234525678"),
    (
        "3774257BF40C0E59B2C2BF100000000000000000000",
        "grai-170:3.0614141.12345.32a%2Fb",
        "(8003)0061414112345232a/b",
    ),
    ("3474257BF40000000000162E", "giai-96:3.0614141.5678", "(8004)06141415678"),
    (
        "3874257BF59B2C2BF1000000000000000000000000000000000",
        "giai-202:3.0614141.32a%2Fb",
        "(8004)061414132a/b",
    ),
    ("350007AB70425D4000000586", "gid-96:31415.271828.1414", None),
]


@pytest.mark.parametrize("digits, tag_uri, element_string", EXAMPLES)
def test_the_standards_examples(digits: str, tag_uri: str, element_string: str | None) -> None:
    epc = decode(digits)
    scheme, value = tag_uri.split(":")
    identity = value if scheme == "gid-96" else value.removeprefix("3.")
    assert epc.tag_uri == f"urn:epc:tag:{tag_uri}"
    assert epc.uri == f"urn:epc:id:{scheme.split('-')[0]}:{identity}"
    assert epc.element_string == element_string
    assert (epc.scheme, epc.header, epc.why) == (scheme, scheme, None)
    assert epc.filter == (None if scheme == "gid-96" else 3)
    assert epc.company_prefix == (None if scheme == "gid-96" else "0614141")


def test_everything_that_an_sgtin_says() -> None:
    epc = decode(SGTIN)
    assert epc == Epc(
        hex=SGTIN,
        identity=SGTIN,
        scheme="sgtin-96",
        header="sgtin-96",
        filter=3,
        company_prefix="0614141",
        gtin="80614141123458",
        serial="6789",
        uri="urn:epc:id:sgtin:0614141.812345.6789",
    )
    assert epc.digital_link == "https://id.gs1.org/01/80614141123458/21/6789"
    assert epc.family == "sgtin"


def test_what_other_schemes_say() -> None:
    assert decode("3174257BF4499602D2000000").sscc == "106141412345678908"
    location = decode("3274257BF46072000000162E")
    assert (location.gln, location.serial) == ("0614141123452", "5678")
    assert decode("3374257BF40C0E400000162E").grai == "006141411234525678"
    assert decode("3474257BF40000000000162E").giai == "06141415678"
    assert decode("350007AB70425D4000000586").serial == "1414"
    assert decode("350007AB70425D4000000586").digital_link is None  # no GS1 key


def test_a_text_is_as_on_the_label_and_escaped_where_it_is_part_of_a_uri() -> None:
    epc = decode(SGTIN_198)
    assert epc.serial == "32a/b"
    assert epc.uri == "urn:epc:id:sgtin:0614141.712345.32a%2Fb"
    assert epc.digital_link == "https://id.gs1.org/01/70614141123451/21/32a%2Fb"


def test_an_sgln_with_extension_0_is_its_gln_alone() -> None:
    epc = decode("3274257BF460720000000000")
    assert epc.element_string == "(414)0614141123452"
    assert epc.digital_link == "https://id.gs1.org/414/0614141123452"
    assert epc.uri == "urn:epc:id:sgln:0614141.12345.0"


def test_a_company_prefix_of_12_digits_leaves_a_location_no_digit() -> None:
    epc = decode(f"{int(f'{0x32:08b}{3:03b}{0:03b}{950600013435:040b}{0:01b}{7:041b}', 2):024X}")
    assert epc.uri == "urn:epc:id:sgln:950600013435..7"
    assert epc.gln == "9506000134352"


def test_lower_case_digits_mean_the_same() -> None:
    assert decode(SGTIN.lower()) == decode(SGTIN)


@pytest.mark.parametrize(
    "digits, why",
    [
        ("", "not hexadecimal digits, two at least"),
        ("3", "not hexadecimal digits, two at least"),
        ("30ZZ257BF7194E4000001A85", "not hexadecimal digits, two at least"),
        (
            " 74257BF7194E4000001A85+",
            "not hexadecimal digits, two at least",
        ),  # though int() bears signs and blanks
        ("3074_57BF7194E4000001A85", "not hexadecimal digits, two at least"),  # and these
        ("٣074257BF7194E4000001A85", "not hexadecimal digits, two at least"),  # and digits of any script
        ("3074257BF7194E4000001A8", "92 bits, and sgtin-96 has 96"),
        ("AD3830770CCDD0AD38300206", "no scheme has the header AD"),
        ("E28011700000020C1A2B3C4D", "no scheme has the header E2"),
        ("307C257BF7194E4000001A85", "partition value 7, the highest is 6"),
        ("3017FFFFFF194E4000001A85", "company prefix 16777215 has more than 7 digits"),
        ("3174257BF4499602D2000001", "reserved bits are 1, not zeros"),
        ("3674257BF6B7A600000000000000000000000000000000000000", "0 characters, not 1 to 20"),
        (
            "3674257BF6B7A6590000000000000000000000000000000004000000",
            "more than zeros behind '2'",
        ),
        ("F795209512345678912350000000", "sgtin+ is not decoded"),
        ("3B0000000000000000000000", "adi-var is not decoded"),
    ],
)
def test_what_is_not_understood_is_raw_and_says_why(digits: str, why: str) -> None:
    epc = decode(digits)
    assert epc.why == why
    assert (epc.scheme, epc.hex, epc.identity) == (RAW, digits.upper(), digits.upper())
    assert (epc.uri, epc.tag_uri, epc.element_string, epc.digital_link) == (None, None, None, None)


@pytest.mark.parametrize(
    "header, name", [("F1", "grai+"), ("EB", "grai++"), ("FA", "giai+"), ("33", "grai-96")]
)
def test_headers_not_decoded_here_are_still_named(header: str, name: str) -> None:
    epc = decode(header + "00")
    assert (epc.scheme, epc.header, epc.family) == (RAW, name, name[:4])


def test_each_scheme_has_the_name_that_its_header_has() -> None:
    assert {header: scheme.name for header, scheme in PARTITIONED.items()}.items() <= HEADERS.items()
    assert len(set(HEADERS.values())) == len(HEADERS)


@pytest.mark.parametrize("character", [chr(code) for code in range(1, 128)])
def test_a_serial_number_has_the_82_characters_of_annex_a(character: str) -> None:
    allowed = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    assert len(allowed) == 82
    head = f"{0x36:08b}{1:03b}{5:03b}{614141:024b}{812345:020b}"
    bits = head + f"{ord(character):07b}".ljust(140, "0") + "0" * 10
    assert (decode(f"{int(bits, 2):052X}").serial == character) is (character in allowed)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(data=st.data())
def test_every_epc_that_can_be_written_comes_back(scheme: str, data: st.DataObject) -> None:
    drawn = data.draw(epcs(scheme))
    epc = decode(drawn.words)
    assert (epc.scheme, epc.uri, epc.filter) == (scheme, drawn.uri, drawn.filter)
    for key in (epc.gtin, epc.sscc, epc.gln, epc.grai and epc.grai[:14]):
        assert key is None or is_key(key)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(data=st.data())
def test_one_tag_is_one_epc_however_its_words_are_filled_up(scheme: str, data: st.DataObject) -> None:
    drawn: Drawn = data.draw(epcs(scheme))
    shortest = f"{int(drawn.bits + '0' * (-len(drawn.bits) % 4), 2):0{-(-len(drawn.bits) // 4)}X}"
    filled = drawn.words + "0000" * data.draw(st.integers(0, 4))
    epcs_handed_over = [decode(digits) for digits in (shortest, drawn.words, filled)]
    assert {epc.identity for epc in epcs_handed_over} == {drawn.words}
    assert {epc.uri for epc in epcs_handed_over} == {drawn.uri}


@given(st.text(max_size=60) | st.binary(max_size=64).map(bytes.hex))
def test_nothing_on_a_tag_raises(digits: str) -> None:
    epc = decode(digits)
    assert epc.hex == digits.upper()
    assert (epc.why is None) is (epc.scheme != RAW)
    assert decode(epc.identity).identity == epc.identity


@given(header=st.sampled_from(sorted(HEADERS)), rest=st.binary(max_size=40))
def test_nothing_behind_a_known_header_raises(header: int, rest: bytes) -> None:
    epc = decode(f"{header:02X}{rest.hex()}")
    assert epc.header == HEADERS[header]
    assert (epc.uri is None) is (epc.scheme == RAW)
    assert decode(epc.identity).uri == epc.uri


def test_check_digits_of_published_keys() -> None:
    assert check_digit("629104150021") == "3"  # GS1 General Specifications, figure 7.9.1-1
    assert is_key("10614141000415")
    assert not is_key("10614141000416")
    assert not is_key("1061414100041X")
    assert not is_key("")
