import re
from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.alerts.outbox import RETRY, Letter, retry_after
from cloud.alerts.smtp import StartTls, compose, mail_server
from cloud.config import Credentials
from cloud.errors import ConfigError
from tests.support.shop import NINE

LETTER = Letter(
    ledger="f" * 32,
    alert_id=7,
    event="fired",
    subject="[store-042] A1: 3 of 24 left.",
    body="A1: 3 of 24 left.\n",
    created_at=NINE,
    everyone=("a@store-042.example", "b@store-042.example"),
    due=("b@store-042.example",),
)
PASSWORD = Credentials("mailer", "secret")


def test_the_message_is_the_same_whenever_it_is_sent() -> None:
    message = compose(LETTER, "stockbeat@cloud.example")
    assert {
        name: str(message[name]) for name in ("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted")
    } == {
        "From": "stockbeat@cloud.example",
        "To": "a@store-042.example, b@store-042.example",
        "Subject": "[store-042] A1: 3 of 24 left.",
        "Date": "Sun, 22 Nov 2026 09:00:00 +0000",
        "Message-ID": f"<alert-7.fired.{'f' * 32}@cloud.example>",
        "Auto-Submitted": "auto-generated",
    }
    assert message.get_content() == "A1: 3 of 24 left.\n"


def test_a_clearance_answers_the_alert() -> None:
    message = compose(replace(LETTER, event="cleared"), "stockbeat@cloud.example")
    assert message["In-Reply-To"] == message["References"] == f"<alert-7.fired.{'f' * 32}@cloud.example>"
    assert message["Message-ID"] == f"<alert-7.cleared.{'f' * 32}@cloud.example>"


@pytest.mark.parametrize(
    "url, credentials, port, implicit, starttls",
    [
        ("smtp://mail.example", None, 25, False, StartTls.OFFERED),
        ("smtp://mail.example:587", PASSWORD, 587, False, StartTls.REQUIRED),
        ("smtp://127.0.0.1:25", PASSWORD, 25, False, StartTls.OFFERED),
        ("smtps://mail.example", PASSWORD, 465, True, StartTls.OFFERED),
        ("smtp://mail.example?starttls=never", None, 25, False, StartTls.NEVER),
        ("smtp://mail.example?starttls=required", None, 25, False, StartTls.REQUIRED),
    ],
)
def test_reads_the_url(
    url: str, credentials: Credentials | None, port: int, implicit: bool, starttls: StartTls
) -> None:
    server = mail_server(url, credentials)
    assert (server.port, server.implicit_tls, server.starttls) == (port, implicit, starttls)


@pytest.mark.parametrize(
    "url", ["smtp://m?tls=yes", "smtp://m?starttls=maybe", "smtps://m?starttls=required", "smtp://m?starttls"]
)
def test_refuses_an_option_that_does_not_exist(url: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(url)):
        mail_server(url, None)


@pytest.mark.parametrize("option", ["never", "offered"])
def test_a_password_never_travels_in_the_clear(option: str) -> None:
    with pytest.raises(ConfigError, match="in the clear"):
        mail_server(f"smtp://mail.example?starttls={option}", PASSWORD)


def test_the_schedule_goes_on_with_its_last_step() -> None:
    assert [retry_after(attempts) for attempts in (1, 2, 5, 6, 99)] == [RETRY[0], RETRY[1], *[RETRY[4]] * 3]
    assert list(RETRY) == sorted(RETRY)
    assert RETRY[0] < timedelta(minutes=1)
