"""Keeps every open page up to date: one task watches the ledger for all of them.

It asks for a site's revision a few times a second, renders the parts that changed once, and each client takes
what is newer than what it has. A slow client skips states, never queues them.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from cloud.ledger.database import Database
from cloud.web.questions.revision import Revision, revision_of
from cloud.web.questions.sites import Site
from cloud.web.questions.snapshot import Snapshot
from cloud.web.render import Renderer, changed_parts
from cloud.web.words import first_line

log = logging.getLogger(__name__)

POLL_S = 0.05  # asking took 0.2 ms, and 6 ms with what a pick changes (SQLite, one core of an EPYC)
LONGEST_REST_S = (
    0.15  # after a look it rests as long as that took, so that a slow machine does other things too
)
REFRESH_S = 5.0  # everything is rendered anew: what only the passing of time changes, and master data
BEAT_S = 5.0  # how often a silent stream says that it lives; the page doubts it after three


@dataclass(frozen=True, slots=True)
class Update:
    """What one client is to show now. `trouble` says why figures may be old.

    `id` resumes after it; its last number is the position of the newest movement that is shown.
    """

    id: str
    parts: Mapping[str, str]
    at: datetime
    trouble: str


@dataclass(slots=True)
class _Board:
    """The newest parts of one site, each with the version at which it last changed."""

    site: Site
    clients: int = 0
    revision: Revision | None = None
    parts: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def position(self) -> int:
        return self.revision.booked[0] if self.revision else 0


class Live:
    def __init__(self, database: Database, renderer: Renderer, now: Callable[[], datetime]) -> None:
        self._database = database
        self._renderer = renderer
        self._now = now
        self._boards: dict[int, _Board] = {}
        self._version = 0
        self._instance = secrets.token_hex(4)  # versions of another process mean nothing here
        self._news = asyncio.Event()  # replaced at each news, so that every client wakes once
        self._watched = asyncio.Event()
        self._trouble = ""
        self._closed = False

    @property
    def clients(self) -> int:
        return sum(board.clients for board in self._boards.values())

    def close(self) -> None:
        """End every stream; new ones end at once."""
        self._closed = True
        self._wake()

    async def run(self) -> None:
        """Watch until cancelled."""
        refreshed: float | None = None
        time = asyncio.get_running_loop().time
        while True:
            await self._watched.wait()
            due = refreshed is None or time() - refreshed >= REFRESH_S
            if due:
                refreshed = time()
            began = time()
            await self._look(due)
            await asyncio.sleep(max(POLL_S, min(time() - began, LONGEST_REST_S)))

    async def follow(self, site: Site, last_id: str) -> AsyncGenerator[Update]:
        """What to show, from now on; what `last_id` already covered is left out."""
        board = self._boards.setdefault(site.id, _Board(site))
        board.clients += 1
        self._watched.set()
        seen = self._resumed(last_id)
        try:
            while not self._closed:
                news = self._news
                newer = {name: html for name, (version, html) in board.parts.items() if version > seen}
                seen = max(seen, self._version) if board.parts else seen
                update_id = f"{self._instance}-{seen}-{board.position}"
                yield Update(update_id, newer, self._now(), self._trouble)
                await _wait(news, BEAT_S)
        finally:
            self._leave(board)

    def _leave(self, board: _Board) -> None:
        board.clients -= 1
        if not board.clients:
            self._boards.pop(board.site.id, None)
        if not self._boards:
            self._watched.clear()

    def _resumed(self, last_id: str) -> int:
        instance, _, rest = last_id.partition("-")
        version = rest.partition("-")[0]
        known = instance == self._instance and version.isascii() and version.isdecimal()
        return min(int(version[:18]), self._version) if known else 0

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _look(self, refresh: bool) -> None:
        watched = {board.site: None if refresh else board.revision for board in self._boards.values()}
        try:
            found = await asyncio.to_thread(self._read, watched)
        except SQLAlchemyError as error:
            self._say(f"The ledger cannot be read: {first_line(error)}")
            return
        self._say("")
        news = [self._post(site_id, revision, parts) for site_id, (revision, parts) in found.items()]
        if any(news):
            self._wake()

    def _say(self, trouble: str) -> None:
        if trouble == self._trouble:
            return
        if trouble:
            log.warning("%s", trouble)
        else:
            log.info("The ledger can be read again")
        self._trouble = trouble
        self._wake()

    def _read(self, watched: Mapping[Site, Revision | None]) -> dict[int, tuple[Revision, dict[str, str]]]:
        """In a thread: the parts of each site that may have changed, from one view of the ledger."""
        found = {}
        with self._database.read() as connection:
            for site, before in watched.items():
                revision = revision_of(connection, site.id)
                if names := changed_parts(before, revision):
                    snapshot = Snapshot(connection, site, self._now())
                    found[site.id] = (revision, self._renderer.parts(snapshot, names))
        return found

    def _post(self, site_id: int, revision: Revision, parts: Mapping[str, str]) -> bool:
        """Put up what differs; say whether anything did, or was booked."""
        board = self._boards.get(site_id)
        if board is None:  # its last client left while we read
            return False
        booked = revision.booked != (board.revision.booked if board.revision else None)
        board.revision = revision
        differing = {name: html for name, html in parts.items() if board.parts.get(name, (0, ""))[1] != html}
        if differing:
            self._version += 1
            board.parts |= {name: (self._version, html) for name, html in differing.items()}
        return booked or bool(differing)


async def _wait(news: asyncio.Event, longest_s: float) -> None:
    try:
        async with asyncio.timeout(longest_s):
            await news.wait()
    except TimeoutError:
        return
