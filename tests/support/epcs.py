"""EPCs of every scheme as hypothesis draws them, written bit by bit from TDS's coding tables, not by our decoder's."""

from dataclasses import dataclass

from hypothesis import strategies as st

COMPANY = ((40, 12), (37, 11), (34, 10), (30, 9), (27, 8), (24, 7), (20, 6))  # bits, digits by partition
CHARACTERS = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
ESCAPED = {'"': "%22", "%": "%25", "&": "%26", "/": "%2F", "<": "%3C", ">": "%3E", "?": "%3F"}


@dataclass(frozen=True)
class Drawn:
    """What was written, and as what. `bits` is without any filling."""

    scheme: str
    bits: str
    uri: str
    filter: int | None

    @property
    def words(self) -> str:
        """As a reader hands it over: whole words."""
        filled = self.bits + "0" * (-len(self.bits) % 16)
        return f"{int(filled, 2):0{len(filled) // 4}X}"


def uri_form(text: str) -> str:
    return "".join(ESCAPED.get(character, character) for character in text)


def _text(text: str, bits: int) -> str:
    return "".join(f"{ord(character):07b}" for character in text).ljust(bits, "0")


# scheme: header, bits of company prefix + reference, digits of both, what follows: bits of a number, or of a text
PADDED = {
    "sgtin-96": (0x30, 44, 13, 38, 0),
    "sscc-96": (0x31, 58, 17, 0, 0),
    "sgln-96": (0x32, 41, 12, 41, 0),
    "grai-96": (0x33, 44, 12, 38, 0),
    "sgtin-198": (0x36, 44, 13, 0, 140),
    "grai-170": (0x37, 44, 12, 0, 112),
    "sgln-195": (0x39, 41, 12, 0, 140),
}
SCHEMES = (*PADDED, "giai-96", "giai-202", "gid-96")


def texts(most: int) -> st.SearchStrategy[str]:
    return st.text(CHARACTERS, min_size=1, max_size=most)


@st.composite
def epcs(draw: st.DrawFn, scheme: str) -> Drawn:
    if scheme == "gid-96":
        parts = [draw(st.integers(0, 2**bits - 1)) for bits in (28, 24, 36)]
        bits = f"{0x35:08b}{parts[0]:028b}{parts[1]:024b}{parts[2]:036b}"
        return Drawn(scheme, bits, f"urn:epc:id:gid:{parts[0]}.{parts[1]}.{parts[2]}", None)
    partition = draw(st.integers(0, 6))
    company_bits, company_digits = COMPANY[partition]
    company = draw(st.integers(0, 10**company_digits - 1))
    filter_value = draw(st.integers(0, 7))
    start = f"{{:08b}}{filter_value:03b}{partition:03b}{company:0{company_bits}b}"
    prefix = f"urn:epc:id:{scheme.split('-')[0]}:{company:0{company_digits}}."
    if scheme == "giai-96":
        number = draw(st.integers(0, 2 ** (82 - company_bits) - 1))
        bits = start.format(0x34) + f"{number:0{82 - company_bits}b}"
        return Drawn(scheme, bits, f"{prefix}{number}", filter_value)
    if scheme == "giai-202":
        text = draw(texts(18 + partition))
        bits = start.format(0x38) + _text(text, 188 - company_bits)
        return Drawn(scheme, bits, prefix + uri_form(text), filter_value)
    header, body_bits, digits, number_bits, text_bits = PADDED[scheme]
    reference = draw(st.integers(0, 10 ** (digits - company_digits) - 1))
    bits = start.format(header) + f"{reference:0{body_bits - company_bits}b}"
    uri = prefix + (f"{reference:0{digits - company_digits}}" if digits > company_digits else "")
    if number_bits:
        number = draw(st.integers(0, 2**number_bits - 1))
        return Drawn(scheme, bits + f"{number:0{number_bits}b}", f"{uri}.{number}", filter_value)
    if text_bits:
        text = draw(texts(text_bits // 7))
        return Drawn(scheme, bits + _text(text, text_bits), f"{uri}.{uri_form(text)}", filter_value)
    return Drawn(scheme, bits + "0" * 24, uri, filter_value)
