"""A ledger with the example's master data, and events to book in it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from cloud.followers import Changes
from cloud.ingest.acks import Acks
from cloud.ingest.inbox import Inbox
from cloud.ingest.ingest import Ingest
from cloud.ingest.lines import Delivery
from cloud.ledger.database import Database
from cloud.ledger.tables import balances, items, locations, sites
from cloud.masterdata.load import load
from cloud.migrations.upgrade import upgrade
from wire.codec import encode, join
from wire.envelope import Envelope
from wire.events import Change, Clock, Direction, Event, Passage, ShelfChange, TagMovement

EDGE = "store-042"
RUN = "0123456789abcdef0123456789abcdef"
EPOCH = datetime(2026, 11, 22, 9, tzinfo=UTC)
CAN = "09506000134352"
CASE = "80614141123458"
CASE_TAG = "3074257BF7194E4000001A85"  # the worked example's: GTIN 80614141123458, serial 6789
PALLET_TAG = "3154257BF4499602D2000000"
PALLET = "106141412345678908"

ITEMS = f"""gtin,name,uom,unit_grams,abc,epc_prefix
{CAN},Can,each,330,A,
09506000211008,Coffee,each,520,A,
{CASE},Case,case,,B,
09506000312071,Tomatoes,each,410,B,AD01
"""
SITES = """
[[site]]
name = "store-042"
time_zone = "Europe/Paris"
edges = ["store-042"]
places = ["yard", "backroom", "floor"]
gates = [
  { edge = "store-042", gate = "dock-1", outside = "yard", inside = "backroom" },
  { edge = "store-042", gate = "dock-2", outside = "yard", inside = "backroom" },
  { edge = "store-042", gate = "door-1", outside = "backroom", inside = "floor", role = "doorway" },
]
mail = { retail = ["retail@store-042.example"] }

[[site.bays]]
edge = "store-042"
shelf = "aisle-1"
bay = "A1"
backroom = "backroom"
capacity = { "09506000134352" = 24 }

[[site.bays]]
edge = "store-042"
shelf = "aisle-1"
bay = "A2"
backroom = "backroom"
capacity = { "09506000211008" = 12, "09506000312071" = 12 }

[[site]]
name = "store-007"
time_zone = "Europe/Lisbon"
edges = ["store-007"]
places = ["yard", "backroom"]
gates = [ { edge = "store-007", gate = "dock-1", outside = "yard", inside = "backroom" } ]
"""
OPENING = f"""site,place,gtin,quantity
store-042,A1,{CAN},4
store-042,backroom,{CAN},40
"""
RULES = """
[[rule]]
name = "bay-low"
measure = "bay_units"
test = "below"
limit = 4
clear = 8
hold = "30s"
suggest = "refill"
"""


def at(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def write_master(folder: Path, **files: str) -> Path:
    """The master data above, with other or further files: items, sites, opening, contents (CSV), rules."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"items": ITEMS, "sites": SITES, "opening": OPENING, "rules": RULES} | files
    for name, text in texts.items():
        (folder / f"{name}.{'toml' if name in ('sites', 'rules') else 'csv'}").write_text(text, "utf-8")
    return folder


def new_ledger(url: str) -> Database:
    database = Database(url)
    upgrade(database)
    return database


class Cloud:
    """Books events into one ledger in the calling thread; its clock stands where the test puts it."""

    def __init__(self, database: Database, folder: Path | None = None) -> None:
        self.database = database
        self.now = at(3600)
        self.inbox = Inbox()
        self.acks = Acks(lambda: 0.0)
        self.changes = Changes()
        self.ingest = Ingest(database, self.inbox, self.acks, self.changes, lambda: self.now)
        self._seq: dict[tuple[str, str], int] = {}
        if folder is not None:
            load(database, folder, at(0))

    def lines(self, events: Iterable[Event], run: str = RUN, edge: str = EDGE) -> list[bytes]:
        """The events as a run says them, numbered on."""
        lines = []
        for event in events:
            seq = self._seq[edge, run] = self._seq.get((edge, run), 0) + 1
            lines.append(encode(Envelope(edge=edge, run=run, seq=seq, event=event)))
        return lines

    def deliver(self, lines: Sequence[bytes], edge: str = EDGE) -> None:
        self.ingest.book([Delivery(edge, join(lines), self.now)])

    def book(self, *events: Event, run: str = RUN, edge: str = EDGE) -> list[bytes]:
        lines = self.lines(events, run, edge)
        self.deliver(lines, edge)
        return lines

    def stock(self, gtin: str, site: str = EDGE) -> dict[str, int]:
        """Where the ledger has an item: quantities other than 0 by place."""
        query = (
            select(locations.c.name, balances.c.quantity)
            .join(locations, locations.c.id == balances.c.location_id)
            .join(items, items.c.id == balances.c.item_id)
            .join(sites, sites.c.id == locations.c.site_id)
            .where(items.c.gtin == gtin, sites.c.name == site, balances.c.quantity != 0)
        )
        with self.database.read() as connection:
            return dict(connection.execute(query).all())


def crossing(
    epc: str = CASE_TAG,
    outcome: Direction = Direction.IN,
    seconds: float = 2.7,
    *,
    passage: str | None = None,
    gate: str = "dock-1",
    confidence: float = 0.98,
    tid: str | None = None,
    clock: Clock = Clock.SYNCED,
) -> TagMovement:
    return TagMovement(
        at=at(seconds),
        clock=clock,
        boot="boot-1",
        mono_ms=int(seconds * 1000),
        gate=gate,
        epc=epc,
        tid=tid,
        outcome=outcome,
        confidence=confidence,
        passage=passage or f"{gate}-{seconds}",
        reads=41,
        decided_at=at(seconds + 2),
    )


def passage(name: str, seconds: float = 5.0, *, gate: str = "dock-1", load: str | None = None) -> Passage:
    return Passage(
        at=at(seconds),
        clock=Clock.SYNCED,
        boot="boot-1",
        mono_ms=int(seconds * 1000),
        gate=gate,
        passage=name,
        load=load or name,
        began_at=at(seconds - 5),
        ended_at=at(seconds),
        ins=1,
        outs=0,
        turned_back=0,
        undecided=0,
        strays=0,
        healthy=True,
    )


def change(
    units: int | None = -1,
    seconds: float = 301.9,
    *,
    bay: str = "A1",
    item: str | None = CAN,
    outcome: Change = Change.OK,
    level_units: int | None = None,
    span_s: float = 1.0,
) -> ShelfChange:
    return ShelfChange(
        at=at(seconds),
        clock=Clock.SYNCED,
        boot="boot-1",
        mono_ms=int(seconds * 1000),
        shelf="aisle-1",
        bay=bay,
        outcome=outcome,
        item=item,
        units=units,
        grams=-329.3,
        confidence=0.99,
        from_at=at(seconds - span_s / 2),
        to_at=at(seconds + span_s / 2),
        level_units=level_units,
        level_grams=991.2,
        decided_at=at(seconds + 1),
    )
