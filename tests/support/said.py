"""One example of everything that crosses the wire: the values that tests/wire/golden/v1 holds as bytes."""

from datetime import UTC, datetime

from wire.envelope import Envelope
from wire.events import (
    BayFill,
    BayState,
    Blind,
    Candidate,
    Change,
    Clock,
    Condition,
    DeviceDown,
    DeviceUp,
    Direction,
    Event,
    Fill,
    ItemUnits,
    Missing,
    Passage,
    RunStarted,
    ShelfChange,
    TagMovement,
    Watermark,
)
from wire.messages import Ack, AgentHealth, DeviceHealth, DeviceState, Level, Telemetry

EDGE = "store-042"
RUN = "0123456789abcdef0123456789abcdef"
EARLIER_RUN = "fedcba9876543210fedcba9876543210"
CAN = "09506000134352"
BOTTLE = "09506000134369"


def at(second: float, minute: int = 0) -> datetime:
    """A moment after 09:00 on the day of the examples."""
    whole = int(second)
    return datetime(2026, 11, 22, 9, minute, whole, round((second - whole) * 1e6), tzinfo=UTC)


def _mono(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


_CROSSED, _TAKEN = at(2.7), at(1.9, 5)
EVENTS: dict[str, Event] = {
    "run_started": RunStarted(
        at=at(0), clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(at(0)), previous_run=EARLIER_RUN,
        previous_last_seq=512, versions={"stockbeat": "0.1.0", "python": "3.11.2"}, config_hash="sha256:5f70bf18",
    ),
    "tag_movement": TagMovement(
        at=_CROSSED, clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(_CROSSED), gate="dock-1",
        epc="3074257BF7194E4000001A85", tid="E2801160600002054CC2096F", outcome=Direction.IN, confidence=0.98,
        passage="dock-1-20261122T090000.120000Z", reads=41, decided_at=at(5.0),
    ),
    "tag_movement_undecided": TagMovement(
        at=_CROSSED, clock=Clock.NOT_SYNCED, boot="boot-1", mono_ms=_mono(_CROSSED), gate="dock-1",
        epc="3074257BF7194E4000001A86", outcome=Direction.UNDECIDED, confidence=0.55,
        passage="dock-1-20261122T090000.120000Z", reads=2, decided_at=at(5.0),
    ),
    "passage": Passage(
        at=at(5.0), clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(at(5.0)), gate="dock-1",
        passage="dock-1-20261122T090000.120000Z", load="dock-1-20261122T090000.120000Z", began_at=at(0.12),
        ended_at=at(5.0), ins=24, outs=0, turned_back=0, undecided=1, strays=7, trigger="input 1", healthy=True,
    ),
    "shelf_change": ShelfChange(
        at=_TAKEN, clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(_TAKEN), shelf="aisle-1", bay="A1",
        outcome=Change.OK, item=CAN, units=-1, grams=-329.3, confidence=0.99, from_at=at(1.4, 5), to_at=at(2.4, 5),
        level_units=3, level_grams=991.2, decided_at=at(3.1, 5),
    ),
    "shelf_change_ambiguous": ShelfChange(
        at=_TAKEN, clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(_TAKEN), shelf="aisle-1", bay="A1",
        outcome=Change.AMBIGUOUS, grams=-335.9, confidence=0.6,
        candidates=(
            Candidate(changes=(ItemUnits(item=CAN, units=-1),), odds=0.6),
            Candidate(changes=(ItemUnits(item=CAN, units=1), ItemUnits(item=BOTTLE, units=-1)), odds=0.25),
        ),
        from_at=at(1.4, 5), to_at=at(2.4, 5), level_grams=991.2, decided_at=at(3.1, 5),
    ),
    "device_up": DeviceUp(
        at=at(0.5), clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(at(0.5)), device="dock-1", detail="firmware 5.12",
    ),
    "device_down": DeviceDown(
        at=at(9.0), clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(at(9.0)), device="aisle-1",
        reason="/dev/ttyUSB0: the device closed the connection",
    ),
    "blind": Blind(
        at=at(30.0), clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(at(30.0)), device="aisle-1", from_at=at(9.0),
        to_at=at(30.0), reason="unplugged",
    ),
    "missing": Missing(
        at=at(31.0), clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(at(31.0)), run=EARLIER_RUN, from_seq=3, to_seq=5,
        reason="no longer kept",
    ),
    "watermark": Watermark(
        at=at(40.0), clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(at(40.0)), complete_to=at(38.0),
    ),
    "bay_state": BayState(
        at=at(42.0), clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(at(42.0)), shelf="aisle-1", bay="A1",
        state=Condition.SERVICE, reason="cleaning", until=at(42.0, 30),
    ),
    "bay_fill": BayFill(
        at=_TAKEN, clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(_TAKEN), shelf="aisle-1", bay="A1", item=CAN,
        units=3, capacity=24, facings=4, fraction=0.125, state=Fill.LOW,
    ),
    "shelf_change_to_confirm": ShelfChange(
        at=_TAKEN, clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(_TAKEN), shelf="aisle-1", bay="A1",
        outcome=Change.AMBIGUOUS, grams=8085.4, confidence=0.55,
        candidates=(
            Candidate(changes=(ItemUnits(item=CAN, units=24),), odds=0.55),
            Candidate(changes=(ItemUnits(item=CAN, units=25),), odds=0.4),
        ),
        from_at=at(1.4, 5), to_at=at(2.4, 5), level_grams=8101.0, decided_at=at(3.1, 5), confirm=True,
    ),
    "shelf_change_moved": ShelfChange(
        at=_TAKEN, clock=Clock.SYNCED, boot="boot-1", mono_ms=_mono(_TAKEN), shelf="aisle-1", bay="A1",
        outcome=Change.OK, item=BOTTLE, units=1, grams=510.2, confidence=0.95, from_at=at(1.4, 5), to_at=at(2.4, 5),
        level_grams=1501.4, decided_at=at(3.1, 5), from_shelf="aisle-2", from_bay="A2",
    ),
}  # fmt: skip
ENVELOPES = {
    name: Envelope(edge=EDGE, run=RUN, seq=seq, event=event)
    for seq, (name, event) in enumerate(EVENTS.items(), start=1)
}
ACK = Ack(ledger="5f70bf18a0860070", generation=2, run=RUN, through=17, ranges=((19, 20), (25, 25)))
TELEMETRY = Telemetry(
    edge=EDGE,
    at=at(41.0),
    agent=AgentHealth(
        run=RUN,
        version="0.1.0",
        events_held=3,
        oldest_held_s=0.4,
        quarantined=0,
        journal_bytes=120_000,
        disk_free_bytes=8_000_000_000,
        faults=("no acknowledgement for 60 s",),
    ),
    devices=(
        DeviceHealth(
            device="dock-1",
            state=DeviceState.UP,
            since=at(0.5),
            reads_per_s=118.5,
            last_read_at=at(40.9),
            clock_offset_ms=-12.25,
        ),
    ),
    levels=(Level(shelf="aisle-1", bay="A1", grams=991.2, item=CAN, units=3, stable=True),),
)
