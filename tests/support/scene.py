"""A small site in the middle of its day, as ingest leaves it in the ledger: what the console is tested and shown on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, select, update

from cloud.alerts import rulebook
from cloud.ledger import tables as t
from cloud.ledger.database import Database, insert

NOON = datetime(2026, 11, 22, 11, 5, 0, tzinfo=UTC)  # five past noon in Paris
EDGE = "store-042"
RUN = "0123456789abcdef0123456789abcdef"
BAY_LOW = {
    "name": "bay-low", "measure": "bay_units", "test": "below", "limit": 4, "clear": 8, "hold": "3s",
    "suggest": "refill",
}  # fmt: skip

CAN, BOTTLE, PASTA, COFFEE, OIL, RICE, TISSUES = (
    f"0950600013{n}" for n in (4352, 4369, 4376, 4383, 4390, 4406, 4413)
)
CASE = "80614141123458"
ITEMS = {
    CAN: "Tomatoes, chopped, 330 g can",
    BOTTLE: "Sparkling water, 1 l bottle",
    PASTA: "Spaghetti, 500 g",
    COFFEE: "Coffee, ground, 250 g",
    OIL: "Olive oil, 0.75 l",
    RICE: "Basmati rice, 1 kg",
    TISSUES: "Tissues, box of 100",
    CASE: "Tomatoes, case of 24 cans",
}
PLACES = {
    "yard": "yard", "backroom": "internal", "supplier": "supplier", "customer": "customer", "transit": "transit",
    "basket": "basket", "unplaced": "unplaced", "loss": "loss", "returns-hold": "returns_hold", "opening": "opening",
}  # fmt: skip
BAYS: dict[str, dict[str, tuple[int, int]]] = {  # bay -> item -> (capacity, on hand)
    "A1": {CAN: (24, 3)},
    "A2": {BOTTLE: (12, 11)},
    "A3": {PASTA: (20, 17)},
    "A4": {COFFEE: (18, 6)},
    "A5": {OIL: (12, 9), TISSUES: (8, 2)},
    "A6": {RICE: (16, 14)},
}
TAG = "3074257BF7194E4000{:06X}"  # sgtin-96 of CASE, by serial


@dataclass
class Scene:
    """Writes what happens next, each call one committed transaction, as ingest would."""

    database: Database
    now: datetime = NOON

    def lay_out(self, site: str = "store-042", edge: str = EDGE) -> None:
        """Master data and an empty ledger: the site is known, nothing has been heard."""
        with self.database.write() as connection:
            site_id = _add(connection, t.sites, name=site, time_zone="Europe/Paris")
            _add(connection, t.edges, edge=edge, site_id=site_id)
            places = {
                name: _add(connection, t.locations, site_id=site_id, name=name, usage=usage)
                for name, usage in PLACES.items()
            }
            items = _items(connection)
            for gate in ("dock-1", "dock-2"):
                _add(
                    connection,
                    t.gates,
                    edge=edge,
                    gate=gate,
                    outside_id=places["yard"],
                    inside_id=places["backroom"],
                )
            for number, (bay, holds) in enumerate(BAYS.items(), start=1):
                place = _add(connection, t.locations, site_id=site_id, name=bay, usage="bay")
                _add(
                    connection, t.bays, location_id=place, edge=edge, shelf=f"aisle-{number}", bay=bay,
                    backroom_id=places["backroom"],
                )  # fmt: skip
                for gtin, (capacity, _) in holds.items():
                    _add(connection, t.bay_items, location_id=place, item_id=items[gtin], capacity=capacity)

    def rules(self) -> None:
        with self.database.write() as connection:
            rulebook.store(connection, rulebook.check({"rule": [BAY_LOW]}), self.now)

    def move(
        self, gtin: str, src: str, dst: str, quantity: int, *, kind: str = "pick", ago_s: float = 0
    ) -> int:
        """Book one movement; return its position."""
        with self.database.write() as connection:
            return self._move(connection, gtin, src, dst, quantity, kind, self.now - timedelta(seconds=ago_s))

    def level(
        self, bay: str, grams: float, units: int | None, *, stable: bool = True, uncertain: str = ""
    ) -> None:
        values = {"grams": grams, "units": units, "stable": stable, "uncertain": uncertain, "at": self.now}
        with self.database.write() as connection:
            _put(connection, t.levels, {"location_id": self._place(connection, bay)}, values)

    def item_levels(self, bay: str, **units: int) -> None:
        """What the scale says of each kind in a bay that is meant for several: units by GTIN, after an underscore."""
        with self.database.write() as connection:
            for gtin, n in units.items():
                key = {"location_id": self._place(connection, bay), "gtin": gtin.lstrip("_")}
                _put(connection, t.item_levels, key, {"units": n, "at": self.now})

    def condition(self, bay: str, state: str, reason: str = "") -> None:
        """How the bay counts from now on."""
        values = {"state": state, "reason": reason, "until": self.now + timedelta(minutes=30), "at": self.now}
        with self.database.write() as connection:
            _put(connection, t.bay_states, {"location_id": self._place(connection, bay)}, values)

    def fill(
        self,
        bay: str,
        gtin: str,
        state: str,
        units: int | None,
        capacity: int,
        *,
        ago_s: float = 0,
        seq: int = 1,
    ) -> None:
        """How full the bay came to be."""
        said = {
            "state": state, "units": units, "capacity": capacity, "at": self.now - timedelta(seconds=ago_s),
            "fraction": None if units is None else units / capacity,
        }  # fmt: skip
        with self.database.write() as connection:
            place = self._place(connection, bay)
            _put(connection, t.bay_fills, {"location_id": place, "gtin": gtin}, said)
            _add(connection, t.fill_log, edge=EDGE, run=RUN, seq=seq, location_id=place, gtin=gtin, **said)
            self._heard(connection)

    def load(
        self,
        gate: str,
        tags: dict[str, tuple[str, str, float]],
        *,
        ago_s: float = 0,
        strays: int = 0,
        healthy: bool = True,
        registered: bool = True,
    ) -> str:
        """One passage: EPC -> (outcome, verdict, confidence). Returns the passage."""
        at = self.now - timedelta(seconds=ago_s)
        passage = f"{gate}-{at:%Y%m%dT%H%M%S.%fZ}"
        with self.database.write() as connection:
            yard, backroom = (self._place(connection, name) for name in ("yard", "backroom"))
            for seq, (epc, (outcome, verdict, confidence)) in enumerate(tags.items(), start=1):
                claimed = verdict != "unclaimed"
                if registered:
                    _put(connection, t.tags, {"epc": epc}, {
                        "scheme": "sgtin-96", "item_id": self._item(connection, CASE) if claimed else None,
                        "quantity": 1, "state": "inside", "judged_at": at,
                    })  # fmt: skip
                _add(
                    connection, t.crossings, edge=EDGE, passage=passage, epc=epc, gate=gate, at=at, outcome=outcome,
                    confidence=confidence, run=RUN, seq=seq, role="dock", outside_id=yard, inside_id=backroom,
                    verdict=verdict, counted=verdict not in ("undecided", "turned_back"),
                )  # fmt: skip
            _add(
                connection, t.passages, edge=EDGE, passage=passage, gate=gate, load=passage, began_at=at, ended_at=at,
                strays=strays, healthy=healthy,
            )  # fmt: skip
            self._heard(connection)
        return passage

    def alert(self, bay: str, gtin: str, text: str, *, ago_s: float = 0, **more: Any) -> int:
        at = self.now - timedelta(seconds=ago_s)
        with self.database.write() as connection:
            item, place = self._item(connection, gtin), self._place(connection, bay)
            state = "ok" if more.get("cleared_at") else "firing"
            key = {"rule": "bay-low", "item_id": item, "location_id": place}
            _put(connection, t.rule_states, key, {"state": state, "since": at, "value": 3.0, "dirty": False})
            values = {
                "severity": "warning",
                "suggestion": {},
                "value": 3.0,
                "fired_at": at + timedelta(seconds=3),
            } | more
            return _add(
                connection, t.alerts, **key, site_id=1, text=text, pending_at=at, changed_at=at, **values
            )

    def task(
        self, kind: str, subject: str, details: dict[str, Any] | None = None, *, ago_s: float = 0
    ) -> int:
        return self._matter(t.tasks, kind, subject, details, ago_s)

    def incident(
        self, kind: str, subject: str, details: dict[str, Any] | None = None, *, ago_s: float = 0
    ) -> int:
        return self._matter(t.incidents, kind, subject, details, ago_s)

    def presence(self, state: str, *, ago_s: float = 0) -> None:
        at = self.now - timedelta(seconds=ago_s)
        with self.database.write() as connection:
            connection.execute(
                update(t.edges).where(t.edges.c.edge == EDGE).values(presence=state, presence_at=at)
            )

    def device(
        self, device: str, state: str = "up", detail: str = "", *, since_s: float = 0, **more: Any
    ) -> None:
        values = {
            "state": state,
            "detail": detail,
            "since": self.now - timedelta(seconds=since_s),
            "heard_at": self.now,
        }
        with self.database.write() as connection:
            _put(connection, t.devices, {"edge": EDGE, "device": device}, values | more)

    def agent(self, **health: Any) -> None:
        said = {
            "run": RUN, "version": "0.1.0", "events_held": 0, "oldest_held_s": 0.0, "quarantined": 0,
            "journal_bytes": 120_000, "disk_free_bytes": 8_000_000_000, "faults": [],
        } | health  # fmt: skip
        with self.database.write() as connection:
            _put(connection, t.agents, {"edge": EDGE}, {"at": self.now, "health": said})

    def _matter(self, table: Table, kind: str, subject: str, details: Any, ago_s: float) -> int:
        at = self.now - timedelta(seconds=ago_s)
        with self.database.write() as connection:
            return _add(
                connection, table, site_id=1, kind=kind, subject=subject, details=details or {}, opened_at=at
            )

    def _move(
        self, connection: Connection, gtin: str, src: str, dst: str, quantity: int, kind: str, at: datetime
    ) -> int:
        head = int(connection.scalar(select(t.sites.c.head).where(t.sites.c.id == 1)) or 0) + 1
        item, source, goal = (
            self._item(connection, gtin),
            self._place(connection, src),
            self._place(connection, dst),
        )
        connection.execute(update(t.sites).where(t.sites.c.id == 1).values(head=head))
        _add(
            connection, t.movements, site_id=1, position=head, item_id=item, src_id=source, dst_id=goal,
            quantity=quantity, kind=kind, event_at=at, recorded_at=at, source=f"test:{head}", line=0, evidence={},
        )  # fmt: skip
        for place, change in ((source, -quantity), (goal, quantity)):
            key = {"item_id": item, "location_id": place}
            was = connection.scalar(select(t.balances.c.quantity).filter_by(**key))
            _put(
                connection,
                t.balances,
                key,
                {"quantity": (was or 0) + change, "position": head, "event_at": at},
            )
        return head

    def _heard(self, connection: Connection) -> None:
        """A delivery moves the run on."""
        through = connection.scalar(select(t.runs.c.through).where(t.runs.c.edge == EDGE)) or 0
        values: dict[str, Any] = {"through": through + 1, "ranges": [], "first_at": NOON, "last_at": self.now}
        _put(connection, t.runs, {"edge": EDGE, "run": RUN}, values)

    def _place(self, connection: Connection, name: str) -> int:
        return int(connection.scalars(select(t.locations.c.id).filter_by(site_id=1, name=name)).one())

    def _item(self, connection: Connection, gtin: str) -> int:
        return int(connection.scalars(select(t.items.c.id).filter_by(gtin=gtin)).one())


def busy(scene: Scene) -> None:
    """Fill a laid-out site with an ordinary noon: goods came, one bay is low, one is uncertain, one scale is down."""
    scene.rules()
    for bay, holds in BAYS.items():
        scene.condition(bay, "ok")
        for number, (gtin, (capacity, on_hand)) in enumerate(holds.items()):
            scene.move(gtin, "opening", bay, capacity - 2, kind="opening", ago_s=18_000)
            taken = capacity - 2 - on_hand
            if taken > 0:
                scene.move(gtin, bay, "basket", taken, ago_s=90 + 60 * number)
            elif taken < 0:
                scene.move(gtin, "backroom", bay, -taken, kind="restock", ago_s=1800)
    for bay, grams, units in (
        ("A1", 991.2, 3),
        ("A2", 11_110.0, 11),
        ("A3", 8508.0, 17),
        ("A6", 14_070.0, 14),
    ):
        scene.level(bay, grams, units)
    scene.level("A4", 1241.0, 5, uncertain="248 g went: 1 × Coffee or 1 foreign object, odds 0.6 to 0.3")
    scene.level("A5", 7_820.5, None, stable=False)
    epcs = [TAG.format(number) for number in range(0x1A85, 0x1A85 + 60)]
    scene.load("dock-1", dict.fromkeys(epcs[:24], ("in", "received", 0.97)), ago_s=130, strays=7)
    scene.load("dock-2", {epcs[3]: ("out", "left", 0.96)}, ago_s=260)
    scene.load("dock-1", {
        **dict.fromkeys(epcs[24:40], ("in", "received", 0.985)), epcs[40]: ("undecided", "undecided", 0.55),
        epcs[41]: ("undecided", "undecided", 0.62), "30340242201D8840000F4240": ("in", "unclaimed", 0.99),
    }, ago_s=1500)  # fmt: skip
    scene.load(
        "dock-2",
        dict.fromkeys(epcs[42:44], ("turned_back", "turned_back", 0.93)),
        ago_s=2100,
        healthy=False,
    )
    scene.load("dock-1", dict.fromkeys(epcs[44:60], ("in", "received", 0.999)), ago_s=7300)
    scene.alert("A1", CAN, "A1: 3 of 24 left. Refill 21: the backroom has 40.", ago_s=95)
    scene.alert(
        "A5", TISSUES, "A5, Tissues, box of 100: 2 of 8 left. Reorder 6: the backroom has none.", ago_s=1400,
        acknowledged_at=scene.now - timedelta(seconds=1200), acknowledged_by="shift lead, floor",
    )  # fmt: skip
    scene.alert(
        "A6", RICE, "A6: 3 of 16 left. Refill 13: the backroom has 30.", ago_s=4000,
        cleared_at=scene.now - timedelta(seconds=3100), acknowledged_at=scene.now - timedelta(seconds=3900),
        acknowledged_by="shift lead, floor",
    )  # fmt: skip
    tags = [{"epc": epc} for epc in epcs[40:42]]
    scene.task("undecided", "store-042/dock-1-1", {"gate": "dock-1", "load": "1", "tags": tags}, ago_s=1495)
    scene.task(
        "identify", "store-042/dock-1-2", {"gate": "dock-1", "load": "1", "tags": tags[:1]}, ago_s=1490
    )
    scene.task("uncertain", "A4", ago_s=700)
    scene.incident("left_unexpectedly", "store-042/dock-2-1", {"gate": "dock-2", "tags": tags[:1]}, ago_s=255)
    scene.presence("online", ago_s=18_000)
    scene.agent(events_held=2)
    recent = scene.now - timedelta(seconds=2)
    scene.device("dock-1", since_s=18_000, reads_per_s=118.5, last_read_at=recent, clock_offset_ms=3.2)
    scene.device("dock-2", since_s=18_000, reads_per_s=0.4, last_read_at=recent, clock_offset_ms=-11.0)
    for number in (1, 2, 3, 4, 5):
        scene.device(f"aisle-{number}", since_s=18_000, reads_per_s=10.0, last_read_at=recent)
    scene.device("aisle-6", "down", "/dev/ttyUSB5: the device closed the connection", since_s=340)


def _items(connection: Connection) -> dict[str, int]:
    """Their ids; added where they are not there yet, as a second site shares them."""
    known = {gtin: number for number, gtin in connection.execute(select(t.items.c.id, t.items.c.gtin))}
    for gtin, name in ITEMS.items():
        if gtin not in known:
            known[gtin] = _add(connection, t.items, gtin=gtin, name=name, uom="EA")
    return known


def _add(connection: Connection, table: Table, **values: Any) -> int:
    """Insert a row; return its id, where it has one."""
    key = connection.execute(insert(connection, table).values(**values)).inserted_primary_key
    return key[0] if key and isinstance(key[0], int) else 0


def _put(connection: Connection, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    connection.execute(
        insert(connection, table)
        .values(**key, **values)
        .on_conflict_do_update(index_elements=list(key), set_=values)
    )
