"""One example of every command and reply: the values that tests/wire/golden/v1/commands holds as bytes."""

from tests.support.said import BOTTLE, CAN, EDGE, at
from wire.commands import (
    Assign,
    AssignedItem,
    Calibrate,
    Command,
    Confirm,
    ItemCount,
    Order,
    Outcome,
    ReadLevels,
    Reload,
    Reply,
    ServiceBegin,
    ServiceEnd,
    Step,
    Zero,
)
from wire.messages import Level

ORDERS: dict[str, Order] = {
    "zero": Zero(shelf="aisle-1", bay="A1"),
    "assign": Assign(
        shelf="aisle-1", bay="A1", capacity=24, facings=4, low=6, tare_grams=120.5,
        items=(
            AssignedItem(gtin=CAN, unit_grams=330.0, unit_cv=0.013),
            AssignedItem(gtin=BOTTLE, unit_grams=505.0, unit_tare_grams=8.0),
        ),
    ),
    "confirm": Confirm(
        shelf="aisle-1", bay="A1", counts=(ItemCount(gtin=CAN, units=25), ItemCount(gtin=BOTTLE, units=0))
    ),
    "service_begin": ServiceBegin(shelf="aisle-1", bay="A1", timeout_s=1800, reason="cleaning"),
    "service_begin_shelf": ServiceBegin(shelf="aisle-1", timeout_s=600),
    "service_end": ServiceEnd(shelf="aisle-1", bay="A1"),
    "read_levels": ReadLevels(shelf="aisle-1"),
    "reload": Reload(),
    "calibrate": Calibrate(shelf="aisle-1", step=Step.SPAN, cell=0, mass_grams=2000.0),
    "calibrate_keep": Calibrate(shelf="aisle-1", step=Step.KEEP),
}  # fmt: skip
COMMANDS = {
    name: Command(
        id=f"c-{number:04}", edge=EDGE, issued_at=at(0), expires_at=at(0, 1), by="manager", order=order
    )
    for number, (name, order) in enumerate(ORDERS.items(), start=1)
}
REPLIES = {
    "reply": Reply(id="c-0001", edge=EDGE, at=at(1.2), outcome=Outcome.DONE, words="A1 is zeroed"),
    "reply_levels": Reply(
        id="c-0007", edge=EDGE, at=at(1.2), outcome=Outcome.DONE, words="1 bay",
        levels=(Level(shelf="aisle-1", bay="A1", grams=991.2, item=CAN, units=3, stable=True),),
    ),
    "reply_refused": Reply(
        id="c-0002", edge=EDGE, at=at(1.2), outcome=Outcome.REFUSED, words="shelf 'aisle-1' has no bay 'A9'"
    ),
}  # fmt: skip
