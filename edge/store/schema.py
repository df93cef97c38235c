"""The edge's one file: its tables, how it is opened, and what is refused.

SQLite in WAL mode with `synchronous=FULL`: a commit that returned survives a power cut. One connection writes and
checkpoints; whoever else looks opens the file read-only, because two connections that write and checkpoint at once
can corrupt a WAL file before SQLite 3.51.3 (https://sqlite.org/wal.html, "The WAL-Reset Bug").
"""

import sqlite3
from pathlib import Path

from edge.errors import StoreError

VERSION = 2  # in PRAGMA user_version; raised with every change of the tables
APPLICATION = 0x53424544  # "SBED" in PRAGMA application_id: tells our file from any other SQLite file
BUSY_MS = (
    5_000  # a read-only look holds no lock that a writer waits for; only a checkpoint of its own opening does
)
WAL_LIMIT = 64 * 1024 * 1024  # a WAL that once grew, while the disk was slow, is cut back to this

# AUTOINCREMENT: without it SQLite gives the number of the last deleted row away again, and "after position n" would
# pass over new rows (https://sqlite.org/autoinc.html).
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;

-- through: settled without a gap from 1 on. probe: 1 while a restored ledger has not said yet what it has of the run.
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run TEXT NOT NULL UNIQUE,
  started_us INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  through INTEGER NOT NULL DEFAULT 0,
  probe INTEGER NOT NULL DEFAULT 0
);

-- What was said, byte for byte as it is sent and sent again.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES runs (id),
  seq INTEGER NOT NULL,
  said_us INTEGER NOT NULL,
  settled_us INTEGER,
  quarantined_us INTEGER,
  line BLOB NOT NULL,
  UNIQUE (run_id, seq)
);
CREATE INDEX outbox_waiting ON outbox (run_id, seq) WHERE settled_us IS NULL;
CREATE INDEX outbox_quarantined ON outbox (run_id, seq) WHERE quarantined_us IS NOT NULL;

-- What was declared missing to the ledger that is trusted now.
CREATE TABLE missing (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES runs (id),
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  reason TEXT NOT NULL,
  said_us INTEGER NOT NULL
);

-- Raw reads of the gates, a ring: a row holds what one transaction brought.
CREATE TABLE journal (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  reads INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  batch BLOB NOT NULL
);

-- What the aggregator needs to go on where it was.
CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""

# Commands that were answered, so that a copy of one is answered in the same way and not carried out again.
COMMANDS = """
CREATE TABLE commands (
  id TEXT PRIMARY KEY,
  asked BLOB NOT NULL,
  reply BLOB NOT NULL,
  expires_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX commands_expired ON commands (expires_us);
"""
# What brings a store of an earlier version to the next one, by the version it had.
UPGRADES = {1: COMMANDS}


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open the file, made if it is not there. The caller must be the only one to write (see lock.py).

    Raises:
        StoreError: it cannot be opened, is not ours, or is newer than this program.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}; is the folder there, and may this user write in it?") from error
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        new = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not new:
            _must_be_ours(path, connection)
        connection.execute(
            "PRAGMA auto_vacuum = INCREMENTAL"
        )  # so that what is trimmed can go back to the disk
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
        if new:
            _make(connection)
        else:
            _upgrade(connection)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{path}: {error}") from error
    except StoreError:
        connection.close()
        raise
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open the file for a look, whether or not an agent is writing it.

    Raises:
        StoreError: it is not there, is not ours, or is newer than this program.
    """
    if not path.exists():
        raise StoreError(f"{path} is not there: no agent has run with this configuration yet")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error
    try:
        _must_be_ours(path, connection)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{path}: {error}") from error
    except StoreError:
        connection.close()
        raise
    return connection


def _make(connection: sqlite3.Connection) -> None:
    # One transaction, the marks included: a start that was cut short leaves an empty file, not half of a store.
    connection.executescript(
        f"BEGIN IMMEDIATE;\n{TABLES}\n{COMMANDS}\n"
        f"PRAGMA application_id = {APPLICATION};\nPRAGMA user_version = {VERSION};\nCOMMIT;"
    )


def _upgrade(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for old in range(version, VERSION):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{UPGRADES[old]}\nPRAGMA user_version = {old + 1};\nCOMMIT;"
        )


def _must_be_ours(path: Path, connection: sqlite3.Connection) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION:
        raise StoreError(
            f"{path} is not the store of an edge (application id {application:#x}); choose another path"
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer program (store version {version}, this one knows {VERSION}); "
            "install that version or a later one"
        )
