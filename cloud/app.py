"""Composition root of the cloud: ledger, ingest, followers and web in one process."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from cloud.alerts.mail import Mailer
from cloud.alerts.smtp import mail_server
from cloud.alerts.worker import RuleWorker
from cloud.commands.post import Post
from cloud.config import CloudConfig, EpcisConfig, credentials, token
from cloud.epcis.capture import Repository
from cloud.epcis.manner import Manner
from cloud.epcis.push import EpcisPush
from cloud.followers import Changes, Follower, follow
from cloud.ingest.acks import Acks
from cloud.ingest.inbox import Inbox
from cloud.ingest.ingest import Ingest
from cloud.ingest.link import Link
from cloud.ingest.metrics import IngestCollector
from cloud.ledger.database import Database
from cloud.ledger.exclusive import exclusive
from cloud.migrations.upgrade import upgrade
from cloud.planner import Planner
from cloud.series.influx import Influx
from cloud.series.writer import SeriesWriter
from cloud.web.app import create_app
from cloud.web.server import serving

log = logging.getLogger(__name__)

# How long threads have to end what they are at. A follower may be talking to a server that does not answer: it is
# left behind, as whatever it does it may do again after the next start.
STOP_S = 2.0


def utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # the composition root is where the clock is read


def run(config: CloudConfig) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        LedgerError: the ledger cannot be opened, is newer than this program, or another process holds it.
        ConfigError: credentials cannot be read, or nothing can listen at the web's address.
    """
    database = Database(config.ledger.url)
    try:
        with exclusive(database):
            who = upgrade(database)
            log.info("ledger %s, generation %d", who.ledger, who.generation)
            asyncio.run(_serve(config, database))
    finally:
        database.close()
    log.info("stopped")


async def _serve(config: CloudConfig, database: Database) -> None:
    inbox, acks, changes = Inbox(), Acks(time.monotonic), Changes()
    ingest = Ingest(database, inbox, acks, changes, utc_now)
    broker = config.broker
    post = Post(database, utc_now, changes.tell)
    link = Link(broker, credentials("broker", broker.credentials_file), inbox, acks, utc_now, post)
    registry = CollectorRegistry()
    registry.register(IngestCollector(ingest, inbox, link))
    app = create_app(database, now=utc_now, registry=registry, address=config.web.address)
    stopped = _until_asked_to_stop()
    async with serving(app, config.web.host, config.web.port) as url:
        with _working(ingest, inbox, changes, _followers(config, database, changes)):
            listening = asyncio.create_task(link.run())
            log.info("console at %s", url)
            stopping = asyncio.create_task(stopped.wait())
            ended, _ = await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
            listening.cancel()
            stopping.cancel()
            await asyncio.gather(listening, stopping, return_exceptions=True)
            for task in ended:
                task.result()


def _followers(config: CloudConfig, database: Database, changes: Changes) -> list[Follower]:
    """What follows the ledger, as far as it is configured."""
    followers: list[Follower] = [
        RuleWorker(database, now=utc_now, changed=changes.tell),
        Planner(database, now=utc_now, changed=changes.tell),
    ]
    if config.mail is not None:
        server = mail_server(config.mail.smtp, credentials("mail", config.mail.credentials_file))
        followers.append(Mailer(database, server, config.mail.sender, now=utc_now))
    if config.series is not None:
        influx = Influx(config.series, token("series", config.series.token_file))
        followers.append(SeriesWriter(database, influx, now=utc_now))
    if config.epcis.capture_url is not None:
        followers.append(_epcis_push(config.epcis, config.epcis.capture_url, database))
    return followers


def _epcis_push(config: EpcisConfig, capture_url: str, database: Database) -> EpcisPush:
    repository = Repository(capture_url, token("epcis", config.token_file))
    manner = Manner(config.base, config.ids, config.aggregate)
    return EpcisPush(database, repository, manner, since=config.since, now=utc_now)


def _until_asked_to_stop() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


@contextmanager
def _working(ingest: Ingest, inbox: Inbox, changes: Changes, followers: Sequence[Follower]) -> Iterator[None]:
    """The threads: one books, and each follower has its own."""
    stop = threading.Event()
    work: dict[str, Callable[[], None]] = {"ingest": lambda: ingest.run(stop)}
    for follower in followers:
        work[follower.name] = _following(follower, changes, stop)
    threads = [threading.Thread(target=target, name=name, daemon=True) for name, target in work.items()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        inbox.close()
        changes.tell()
        deadline = time.monotonic() + STOP_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                log.warning("%s did not end in time and is left behind", thread.name)


def _following(follower: Follower, changes: Changes, stop: threading.Event) -> Callable[[], None]:
    return lambda: follow(follower, changes, stop)
