"""The outbox against a real SMTP server: delivered, refused, down, killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from cloud.alerts.mail import DOWN_S, POLL_S, Mailer
from cloud.alerts.outbox import GIVE_UP, LEASE, RETRY
from cloud.alerts.smtp import mail_server
from cloud.alerts.watch import settle
from cloud.alerts.worker import RuleWorker
from cloud.config import Credentials
from cloud.ledger.database import Database
from cloud.ledger.tables import notifications, site_mail
from tests.support import mail_process, shop
from tests.support.servers import free_port
from tests.support.shop import A1, BAY_LOW
from tests.support.smtp import Postbox, certificate, password_is, smtp_server

RETAIL, NIGHT = "retail@store-042.example", "night@store-042.example"
SENDER = "stockbeat@cloud.example"


class Desk:
    """A shop with two addresses to tell, whose bay A1 has just run low, and a clock set by hand."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = datetime.now(UTC)
        shop.rules(database, BAY_LOW | {"hold": "0s"})
        with database.write() as connection:
            connection.execute(site_mail.insert().values(site_id=1, role="retail", address=NIGHT))
        self.stock(3)

    def stock(self, quantity: int) -> None:
        with self.database.write() as connection:
            shop.balance(connection, A1, 1, quantity, self.clock)
            settle(connection, {(1, A1)}, self.clock)
        RuleWorker(self.database, now=lambda: self.clock, changed=lambda: None).step()

    def mailer(self, port: int, **options: Any) -> Mailer:
        server = mail_server(
            options.pop("url", f"smtp://127.0.0.1:{port}"), **({"credentials": None} | options)
        )
        return Mailer(self.database, server, SENDER, now=lambda: self.clock)

    def rows(self) -> dict[tuple[str, str], tuple[str, int, str]]:
        with self.database.read() as connection:
            return {
                (row.event, row.recipient): (row.state, row.attempts, row.last_error)
                for row in connection.execute(select(notifications))
            }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = shop.sqlite(tmp_path)
    yield Desk(database)
    database.close()


def test_delivered_once_to_all_in_one_message(desk: Desk) -> None:
    postbox = Postbox()
    with smtp_server(postbox) as port:
        mailer = desk.mailer(port)
        assert mailer.step() == POLL_S
        desk.clock += timedelta(days=1)
        mailer.step()
    ((recipients, message),) = postbox.took
    assert recipients == (NIGHT, RETAIL)
    assert message["Message-ID"] == f"<alert-1.fired.{'f' * 32}@cloud.example>"
    assert message["Subject"] == "[store-042] A1: 3 of 24 left. Reorder 21: the backroom has none."
    assert desk.rows() == {("fired", NIGHT): ("sent", 1, ""), ("fired", RETAIL): ("sent", 1, "")}


def test_the_clearance_follows_in_the_same_thread(desk: Desk) -> None:
    postbox = Postbox()
    with smtp_server(postbox) as port:
        mailer = desk.mailer(port)
        mailer.step()
        desk.stock(24)
        mailer.step()
    first, second = (message for _, message in postbox.took)
    assert second["In-Reply-To"] == first["Message-ID"]
    assert str(second["Subject"]).strip().startswith("Cleared: [store-042] A1: 3 of 24 left.")


def test_one_refused_for_good_and_one_for_now_do_not_hold_up_the_rest(desk: Desk) -> None:
    postbox = Postbox()
    postbox.refuse = {RETAIL: "550 no such mailbox"}
    with smtp_server(postbox) as port:
        mailer = desk.mailer(port)
        mailer.step()
        assert desk.rows() == {
            ("fired", NIGHT): ("sent", 1, ""),
            ("fired", RETAIL): ("failed", 1, "550 no such mailbox"),
        }
        desk.stock(24)
        postbox.refuse = {NIGHT: "451 try later"}
        mailer.step()
        assert desk.rows()[("cleared", NIGHT)] == ("pending", 1, "451 try later")
        postbox.refuse = {}
        desk.clock += RETRY[0] - timedelta(seconds=1)
        mailer.step()
        assert desk.rows()[("cleared", NIGHT)][0] == "pending"
        desk.clock += timedelta(seconds=1)
        mailer.step()
    assert desk.rows()[("cleared", NIGHT)] == ("sent", 2, "")
    assert [recipients for recipients, _ in postbox.took] == [(NIGHT,), (RETAIL,), (NIGHT,)]
    assert postbox.took[1][1]["Message-ID"] == postbox.took[2][1]["Message-ID"]


def test_all_refused_is_judged_each_by_its_own_answer(desk: Desk) -> None:
    postbox = Postbox()
    postbox.refuse = {RETAIL: "550 gone", NIGHT: "450 busy"}
    with smtp_server(postbox) as port:
        desk.mailer(port).step()
    assert desk.rows() == {
        ("fired", NIGHT): ("pending", 1, "450 busy"),
        ("fired", RETAIL): ("failed", 1, "550 gone"),
    }


def test_a_message_that_the_server_will_not_have_has_failed(desk: Desk) -> None:
    postbox = Postbox()
    postbox.refuse_data = "554 looks like spam"
    with smtp_server(postbox) as port:
        desk.mailer(port).step()
    assert set(desk.rows().values()) == {("failed", 1, "554 looks like spam")}


def test_a_server_that_is_down_delays_and_loses_nothing(desk: Desk) -> None:
    port = free_port()
    mailer = desk.mailer(port)
    assert mailer.step() == DOWN_S
    assert "127.0.0.1" in mailer.trouble
    assert {row[0] for row in desk.rows().values()} == {"pending"}
    postbox = Postbox()
    with smtp_server(postbox, port):
        desk.clock += RETRY[0]
        assert mailer.step() == POLL_S
    assert len(postbox.took) == 1
    assert mailer.trouble == ""


def test_gives_up_after_a_day_and_says_why(desk: Desk) -> None:
    mailer = desk.mailer(free_port())
    desk.clock += GIVE_UP
    mailer.step()
    for state, _, error in desk.rows().values():
        assert state == "failed"
        assert error.startswith("gave up after 24 hours: 127.0.0.1:")


def test_implicit_tls_with_a_password(desk: Desk, tmp_path: Path) -> None:
    postbox, (serving, trusting) = Postbox(), certificate(tmp_path)
    postbox.needs_login = True
    with smtp_server(
        postbox,
        ssl_context=serving,
        authenticator=password_is("mailer", "secret"),
        auth_require_tls=False,  # the whole connection is TLS, which aiosmtpd does not count
    ) as port:
        url = f"smtps://127.0.0.1:{port}"
        wrong = desk.mailer(port, url=url, credentials=Credentials("mailer", "guess"), tls=trusting)
        assert wrong.step() == DOWN_S
        desk.clock += RETRY[0]
        desk.mailer(port, url=url, credentials=Credentials("mailer", "secret"), tls=trusting).step()
    assert len(postbox.took) == 1


def test_starttls_is_used_when_required_and_a_stranger_is_not_trusted(desk: Desk, tmp_path: Path) -> None:
    postbox, (serving, trusting) = Postbox(), certificate(tmp_path)
    with smtp_server(postbox, tls_context=serving, require_starttls=True) as port:
        url = f"smtp://127.0.0.1:{port}?starttls=required"
        assert desk.mailer(port, url=url).step() == DOWN_S
        desk.clock += RETRY[0]
        desk.mailer(port, url=url, tls=trusting).step()
    assert len(postbox.took) == 1


def test_starttls_required_of_a_server_without_it_sends_nothing(desk: Desk) -> None:
    postbox = Postbox()
    with smtp_server(postbox) as port:
        assert desk.mailer(port, url=f"smtp://127.0.0.1:{port}?starttls=required").step() == DOWN_S
    assert postbox.took == []


class _TakesThenStalls(Postbox):
    """Takes the message, then never answers until told: the sender cannot know that it was taken."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await super().handle_DATA(server, session, envelope)
        self.taken.set()
        return "250 taken" if len(self.took) > 1 else await self._never(server)

    async def _never(self, server: Any) -> str:
        await server.loop.create_future()
        raise AssertionError("a future that nobody resolves was resolved")


@pytest.mark.timeout(60)
def test_killed_between_sending_and_recording_repeats_under_the_same_message_id(
    desk: Desk, tmp_path: Path
) -> None:
    """At least once: the copy that a dead process had sent may come twice, recognisably."""
    postbox = _TakesThenStalls()
    with smtp_server(postbox) as port:
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        child = subprocess.Popen([sys.executable, mail_process.__file__, url, str(port)], cwd=Path.cwd())
        assert postbox.taken.wait(30)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        desk.clock = datetime.now(UTC)
        mailer = desk.mailer(port)
        mailer.step()
        assert len(postbox.took) == 1, "the lease has not run out yet"
        desk.clock = datetime.now(UTC) + LEASE
        mailer.step()
    first, second = (message for _, message in postbox.took)
    assert first["Message-ID"] == second["Message-ID"]
    assert {row[0] for row in desk.rows().values()} == {"sent"}


def test_a_letter_due_again_is_not_sent_to_who_has_had_it(desk: Desk) -> None:
    postbox = Postbox()
    with desk.database.write() as connection:
        connection.execute(
            update(notifications).where(notifications.c.recipient == NIGHT).values(state="sent")
        )
    with smtp_server(postbox) as port:
        desk.mailer(port).step()
    ((recipients, message),) = postbox.took
    assert recipients == (RETAIL,)
    assert message["To"] == f"{NIGHT}, {RETAIL}"
