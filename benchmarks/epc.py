"""How many EPCs a second are decoded: each for the first time, and again from the cache, beside epcpy.

    python -m benchmarks.epc [TAGS]        prints decodes/s, the best of three rounds

"Cold" is what a tag costs that was never seen; a tag at a door is read tens of times and costs the cached figure.
What epcpy is asked for is what `wire.epc` always gives: pure identity URI and GTIN-14. It keeps no cache.
"""

import sys
import time
import warnings
from collections.abc import Callable, Sequence

from wire.epc import decode

with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore", category=DeprecationWarning
    )  # escape sequences in plain strings of epcpy 0.1.8
    warnings.simplefilter("ignore", category=SyntaxWarning)
    from epcpy.epc_schemes.sgtin import SGTIN
    from epcpy.utils.parsers import hex_to_tag_encodable

ROUNDS = 3
FIRST = 0x3074257BF7194E4000000000  # SGTIN-96 of company prefix 0614141, serial 0


def main(tags: int) -> None:
    sgtin_96 = [f"{FIRST + serial:024X}" for serial in range(tags)]
    sgtin_198 = [_sgtin_198(serial) for serial in range(tags)]
    for name, digits in (("sgtin-96", sgtin_96), ("sgtin-198", sgtin_198)):
        cold = max(_cold(digits) for _ in range(ROUNDS))
        cached = max(_rate(digits, decode) for _ in range(ROUNDS))
        theirs = max(_rate(digits, _epcpy) for _ in range(ROUNDS))
        print(f"{name:10} cold {cold:>10,.0f}/s   cached {cached:>10,.0f}/s   epcpy {theirs:>8,.0f}/s")


def _sgtin_198(serial: int) -> str:
    head = f"{0x36:08b}{3:03b}{5:03b}{614141:024b}{812345:020b}"
    text = "".join(f"{ord(digit):07b}" for digit in f"{serial:08}").ljust(140, "0")
    return f"{int(head + text + '0' * 10, 2):052X}"


def _cold(digits: Sequence[str]) -> float:
    decode.cache_clear()
    return _rate(digits, decode)


def _rate(digits: Sequence[str], work: Callable[[str], object]) -> float:
    began = time.perf_counter()
    for one in digits:
        work(one)
    return len(digits) / (time.perf_counter() - began)


def _epcpy(digits: str) -> tuple[str, str]:
    tag = hex_to_tag_encodable(digits)
    assert isinstance(tag, SGTIN)
    return tag.epc_uri, tag.gtin()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
