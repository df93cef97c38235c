"""Whom we believe at the other end of a TLS connection to a device: an authority, one certificate, or anybody."""

import hashlib
import hmac
import re
import ssl
from typing import Annotated, Any

from pydantic import AfterValidator

_SHA256 = re.compile(r"(?:[0-9A-F]{2}){32}")


def _fingerprint(written: str) -> str:
    """The SHA-256 of a certificate, as openssl or a browser shows it."""
    plain = re.sub(r"^(sha-?256[ :=]*|.*Fingerprint=)", "", written, flags=re.IGNORECASE)
    plain = plain.replace(":", "").replace(" ", "").upper()
    if not _SHA256.fullmatch(plain):
        raise ValueError(
            f"{written!r} is no SHA-256 fingerprint of a certificate: 64 hexadecimal digits, as "
            "'openssl x509 -noout -fingerprint -sha256' prints them"
        )
    return plain


Fingerprint = Annotated[str, AfterValidator(_fingerprint)]


def context(fingerprint: str | None, *, verify: bool) -> ssl.SSLContext:
    """What to open a connection with.

    Args:
        fingerprint: of the one certificate to be believed, whoever signed it, its name and dates left aside.
        verify: False believes anybody; whoever asks for that is to be told so.
    """
    made = ssl.create_default_context()
    if fingerprint is not None or not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if fingerprint is not None:
        made.sslobject_class = _pinned(fingerprint)
    return made


def _pinned(fingerprint: str) -> type[ssl.SSLObject]:
    class Pinned(ssl.SSLObject):
        """Fails its handshake with anybody else, before a byte of ours has been sent."""

        def do_handshake(self) -> None:
            super().do_handshake()
            certificate: Any = self.getpeercert(binary_form=True)
            shown = hashlib.sha256(certificate or b"").hexdigest().upper()
            if not hmac.compare_digest(shown, fingerprint):
                raise ssl.SSLCertVerificationError(f"its certificate has the SHA-256 fingerprint {shown}")

    return Pinned
