"""From what the cloud asks to what the aggregator takes."""

from edge.aggregator import orders as to
from edge.aggregator.place import Part
from edge.commands.translate import UNIT_CV, orders
from edge.config import EdgeConfig
from wire.commands import Assign, AssignedItem

CAN, JAR, TEA = "09506000134352", "09506000211008", "09506000312071"
CONFIG = EdgeConfig.model_validate(
    {
        "edge": "store-042",
        "shelves": [
            {
                "name": "aisle-1",
                "bays": [
                    {
                        "name": "A1", "cell": 0, "capacity": 24,
                        "items": [{"gtin": CAN, "unit_grams": 330.0, "unit_cv": 0.02}],
                    },
                    {
                        "name": "A2", "cell": 1, "capacity": 24,
                        "items": [
                            {"gtin": CAN, "unit_grams": 330.0, "unit_cv": 0.03},
                            {"gtin": JAR, "unit_grams": 505.0, "unit_cv": 0.05},
                        ],
                    },
                ],
            }
        ],
    }
)  # fmt: skip


def assigned(*items: AssignedItem, bay: str = "A1") -> to.Assign:
    (order,) = orders(Assign(shelf="aisle-1", bay=bay, items=items), CONFIG, 0)
    assert isinstance(order, to.Assign)
    return order


def test_a_spread_that_is_not_said_is_the_configuration_s_and_not_the_default() -> None:
    some = (
        AssignedItem(gtin=CAN, unit_grams=331.0),
        AssignedItem(gtin=JAR, unit_grams=505.0),
        AssignedItem(gtin=TEA, unit_grams=60.0),
    )
    spreads = {bay: [item.unit_cv for item in assigned(*some, bay=bay).items] for bay in ("A1", "A2")}

    assert spreads == {"A1": [0.02, 0.05, UNIT_CV], "A2": [0.03, 0.05, UNIT_CV]}


def test_a_spread_that_is_said_goes_before_the_configuration_s() -> None:
    (item,) = assigned(AssignedItem(gtin=CAN, unit_grams=331.0, unit_cv=0.0)).items

    assert item.unit_cv == 0.0


def test_figures_of_one_kind_arrive_and_those_that_say_nothing_are_left_out() -> None:
    order = assigned(
        AssignedItem(gtin=CAN, unit_grams=331.0, capacity=18, facings=3, low=0),
        AssignedItem(gtin=JAR, unit_grams=505.0),
    )

    assert order.parts == {CAN: Part(capacity=18, facings=3, low=0)}
