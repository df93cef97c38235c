"""One letter to one mail server: how it is written, and what the server's answers mean for each recipient."""

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

import aiosmtplib

from cloud.alerts.outbox import Letter, Outcome, Verdict
from cloud.alerts.told import CLEARED, FIRED
from cloud.config import Credentials
from cloud.errors import ConfigError

ANSWER_S = 20.0  # for each answer of the server
SEND_S = 60.0  # for the whole delivery; less than outbox.LEASE
SUBMISSION_PORTS = {"smtp": 25, "smtps": 465}  # RFC 5321, section 4.5.4.2; RFC 8314, section 3
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PERMANENT = 500  # RFC 5321, section 4.2.1: 5yz is for good, 4yz for now
MAX_ERROR = 500
CLOSE_S = (
    0.02  # a closed connection's callbacks still run in the loop, and TLS says goodbye to the other side
)


class StartTls(StrEnum):
    REQUIRED = "required"
    OFFERED = "offered"  # when the server offers it
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    host: str
    port: int
    implicit_tls: bool
    starttls: StartTls
    credentials: Credentials | None = None
    tls: ssl.SSLContext | None = None  # whom to trust, where the system's own list does not do


class ServerDown(Exception):
    """The server could not be talked to at all: no letter would fare better just now."""


def mail_server(url: str, credentials: Credentials | None, tls: ssl.SSLContext | None = None) -> MailServer:
    """Read `smtp://host:port` or `smtps://host:port`, with `?starttls=required|offered|never` after the former.

    A password is not said in the clear to another machine: with credentials, STARTTLS is required by itself.

    Raises:
        ConfigError: an option that does not exist, or credentials that would travel in the clear.
    """
    parts = urlsplit(url)
    options = parse_qs(parts.query, keep_blank_values=True)
    host, implicit = parts.hostname or "", parts.scheme == "smtps"
    exposed = credentials is not None and not implicit and host not in LOOPBACK
    wanted = options.pop("starttls", ["required" if exposed else "offered"])
    if (
        options
        or len(wanted) != 1
        or wanted[0] not in list(StartTls)
        or (implicit and "starttls" in parts.query)
    ):
        raise ConfigError(
            f"mail.smtp: after smtp://HOST:PORT may stand ?starttls=required, offered or never, not {url!r}"
        )
    if exposed and wanted[0] != StartTls.REQUIRED:
        raise ConfigError(f"mail.smtp: {url!r} would send the password in the clear; use ?starttls=required")
    return MailServer(
        host=host,
        port=parts.port or SUBMISSION_PORTS[parts.scheme],
        implicit_tls=implicit,
        starttls=StartTls(wanted[0]),
        credentials=credentials,
        tls=tls,
    )


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The message, the same whenever it is sent again. A clearance answers the alert, so that they show as one thread.

    Raises:
        ValueError: an address that no header can hold.
    """
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(letter.everyone)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.created_at)
    message["Message-ID"] = message_id(letter, letter.event, sender)
    if letter.event == CLEARED:
        message["In-Reply-To"] = message["References"] = message_id(letter, FIRED, sender)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notice may answer
    message.set_content(letter.body)
    return message


def message_id(letter: Letter, event: str, sender: str) -> str:
    return f"<alert-{letter.alert_id}.{event}.{letter.ledger}@{sender.rpartition('@')[2]}>"


async def deliver(server: MailServer, letter: Letter, sender: str) -> dict[str, Outcome]:
    """Send to everyone due; say for each what became of it. A server may take some and refuse others.

    Raises:
        ServerDown: it could not be reached, or would not let us in.
    """
    try:
        message = compose(letter, sender)
    except ValueError as error:
        return _all(letter.due, Outcome(Verdict.FAILED, f"cannot be written as a mail: {error}"))
    credentials = server.credentials
    try:
        async with asyncio.timeout(SEND_S):
            refused, _ = await aiosmtplib.send(
                message,
                sender=sender,
                recipients=list(letter.due),
                hostname=server.host,
                port=server.port,
                username=credentials.username if credentials else None,
                password=credentials.password if credentials else None,
                timeout=ANSWER_S,
                use_tls=server.implicit_tls,
                start_tls=_start_tls(server),
                tls_context=server.tls,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        return {each.recipient: _refusal(each.code, each.message) for each in error.recipients}
    except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError) as error:
        return _all(letter.due, _refusal(error.code, error.message))
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise ServerDown(_short(f"{server.host}:{server.port}: {error or type(error).__name__}")) from error
    finally:
        await asyncio.sleep(CLOSE_S)
    outcomes = _all(letter.due, Outcome(Verdict.SENT))
    for recipient, response in refused.items():
        outcomes[recipient] = _refusal(response.code, response.message)
    return outcomes


def _start_tls(server: MailServer) -> bool | None:
    if server.implicit_tls:
        return False
    return {StartTls.REQUIRED: True, StartTls.OFFERED: None, StartTls.NEVER: False}[server.starttls]


def _all(recipients: Iterable[str], outcome: Outcome) -> dict[str, Outcome]:
    return dict.fromkeys(recipients, outcome)


def _refusal(code: int, words: str) -> Outcome:
    verdict = Verdict.FAILED if code >= PERMANENT else Verdict.RETRY
    return Outcome(verdict, _short(f"{code} {words}"))


def _short(text: str) -> str:
    return text if len(text) <= MAX_ERROR else f"{text[: MAX_ERROR - 1]}…"
