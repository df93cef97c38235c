"""A process that sends what is due once: `python mail_process.py LEDGER_URL PORT`. Tests kill it."""

import sys
from datetime import UTC, datetime

from cloud.alerts.mail import Mailer
from cloud.alerts.smtp import mail_server
from cloud.ledger.database import Database


def main(url: str, port: str) -> None:
    server = mail_server(f"smtp://127.0.0.1:{port}", None)
    Mailer(Database(url), server, "stockbeat@cloud.example", now=lambda: datetime.now(UTC)).step()


if __name__ == "__main__":
    main(*sys.argv[1:])
