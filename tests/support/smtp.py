"""A real SMTP server for tests, which keeps what it takes and refuses whom it is told to."""

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.support.servers import free_port


class Postbox:
    """What a server took: each message with those it was for. `refuse` maps an address to the answer it gets."""

    def __init__(self) -> None:
        self.took: list[tuple[tuple[str, ...], EmailMessage]] = []
        self.refuse: dict[str, str] = {}
        self.refuse_data = ""
        self.needs_login = False

    async def handle_RCPT(self, _server: Any, session: Any, envelope: Any, address: str, _o: Any) -> str:
        if self.needs_login and not session.authenticated:
            return "530 log in first"
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuse_data:
            return self.refuse_data
        message = BytesParser(policy=default).parsebytes(envelope.original_content)
        assert isinstance(message, EmailMessage)
        self.took.append((tuple(envelope.rcpt_tos), message))
        return "250 taken"


@contextmanager
def smtp_server(handler: Any, port: int | None = None, **options: Any) -> Iterator[int]:
    """Serve on 127.0.0.1; yields the port."""
    controller = Controller(handler, hostname="127.0.0.1", port=port or free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def password_is(username: str, password: str) -> Any:
    """An authenticator for `smtp_server`."""

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        right = LoginPassword(username.encode(), password.encode())
        right_one = isinstance(data, LoginPassword) and data == right
        return AuthResult(success=right_one, handled=False)  # a refusal is then said by the server itself

    return check


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A fresh certificate for 127.0.0.1: the server's context, and one for a client that trusts it alone."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    where = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *where], check=True, capture_output=True)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(cert, key)
    return serving, ssl.create_default_context(cafile=str(cert))
