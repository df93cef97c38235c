"""How fast the booking thread is: batches of 500 encoded events, from their bytes to the committed ledger.

    python benchmarks/ingest.py [--events N] [--ledger URL]

Prints one line a load: how many movements a second, and whether the ledger is sound.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloud.followers import Changes
from cloud.ingest.acks import Acks
from cloud.ingest.inbox import Inbox
from cloud.ingest.ingest import Ingest
from cloud.ingest.lines import Delivery
from cloud.ledger.database import Database
from cloud.ledger.verify import verify
from cloud.masterdata.load import load
from cloud.migrations.upgrade import upgrade
from wire.codec import batches, encode, join
from wire.envelope import Envelope
from wire.events import Change, Clock, Direction, Event, ShelfChange, TagMovement

BEGAN = datetime(2026, 11, 22, 9, tzinfo=UTC)
EDGE = "bench"
CASE, CAN = "80614141123458", "09506000134352"
BAYS = 200
RULE = '[[rule]]\nname="bay-low"\nmeasure="bay_units"\ntest="below"\nlimit=4\nclear=8\nhold="30s"\nsuggest="refill"\n'


def master(folder: Path, *, rules: bool) -> Path:
    folder.mkdir()
    bays = "".join(
        f'[[site.bays]]\nedge="{EDGE}"\nshelf="aisle"\nbay="B{n}"\nbackroom="backroom"\ncapacity={{"{CAN}"=24}}\n'
        for n in range(BAYS)
    )
    (folder / "items.csv").write_text(f"gtin,name\n{CASE},Case\n{CAN},Can\n", "utf-8")
    (folder / "sites.toml").write_text(
        f'[[site]]\nname="bench"\ntime_zone="UTC"\nedges=["{EDGE}"]\nplaces=["yard","backroom"]\n'
        f'gates=[{{edge="{EDGE}",gate="dock",outside="yard",inside="backroom"}}]\n{bays}',
        "utf-8",
    )
    if rules:
        (folder / "rules.toml").write_text(RULE, "utf-8")
    return folder


def tags(count: int) -> list[Event]:
    """Every tag comes in once: a receipt each."""
    return [
        TagMovement(
            at=BEGAN + timedelta(milliseconds=n), clock=Clock.SYNCED, boot="b", mono_ms=n, gate="dock",
            epc=f"3074257BF7194E4{n:09X}", outcome=Direction.IN, confidence=0.98, passage=f"dock-{n // 24}",
            reads=40, decided_at=BEGAN,
        )
        for n in range(count)
    ]  # fmt: skip


def picks(count: int) -> list[Event]:
    """Bays in turn: two picks, then a put-back."""
    return [
        ShelfChange(
            at=BEGAN + timedelta(milliseconds=n), clock=Clock.SYNCED, boot="b", mono_ms=n, shelf="aisle",
            bay=f"B{n % BAYS}", outcome=Change.OK, item=CAN, units=1 if n // BAYS % 3 == 2 else -1, grams=-330.0,
            confidence=0.99, from_at=BEGAN, to_at=BEGAN, level_grams=990.0, decided_at=BEGAN,
        )
        for n in range(count)
    ]  # fmt: skip


def measure(name: str, url: str, folder: Path, events: Sequence[Event], *, rules: bool) -> None:
    database = Database(url)
    upgrade(database)
    load(database, master(folder / name, rules=rules), BEGAN - timedelta(hours=1))
    ingest = Ingest(database, Inbox(), Acks(time.monotonic), Changes(), lambda: BEGAN + timedelta(days=1))
    run = f"{abs(hash(name)):032x}"[:32]
    lines = (encode(Envelope(edge=EDGE, run=run, seq=seq, event=e)) for seq, e in enumerate(events, start=1))
    deliveries = [Delivery(EDGE, join(batch), BEGAN + timedelta(days=1)) for batch in batches(lines)]
    began, began_cpu = time.perf_counter(), time.process_time()
    for delivery in deliveries:
        ingest.book([delivery])
    took_s, took_cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    with database.read() as connection:
        sound = not verify(connection)
    counts = ingest.counts
    sys.stdout.write(
        f"{name:20} {counts.movements:8,} movements, {counts.movements / took_s:8,.0f}/s by the clock,"
        f" {counts.movements / took_cpu_s:8,.0f} per CPU second, {counts.parked} parked,"
        f" {'sound' if sound else 'NOT SOUND'}\n"
    )
    database.close()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--events", type=int, default=20_000)
    words.add_argument(
        "--ledger", help="an empty PostgreSQL database; left out, a fresh SQLite file for each load"
    )
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for load_name, make, rules in (
            ("tags", tags, False),
            ("shelves", picks, False),
            ("shelves-with-rules", picks, True),
        ):
            url = given.ledger or f"sqlite:///{folder / load_name}.db"
            measure(load_name, url, folder, make(given.events), rules=rules)


if __name__ == "__main__":
    main()
