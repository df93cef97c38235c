"""`stockbeat shelves list` and `show`, asked of a console over HTTP."""

import asyncio

from click.testing import CliRunner

from stockbeat.shelves_cli import shelves
from tests.support.console import Console
from tests.support.scene import CAN, OIL, TISSUES


async def told(served: Console, *words: str) -> list[list[str]]:
    """What the command prints: a list a line, split at tabs."""
    asked = [*words, "--cloud", served.url]
    result = await asyncio.to_thread(CliRunner().invoke, shelves, asked)
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.output.splitlines()]


async def test_a_bay_of_which_nobody_has_said_anything_is_not_heard_yet(served: Console) -> None:
    assert {state for _, state, _ in await told(served, "list")} == {"not heard yet"}
    assert ["counts", "not heard yet"] in await told(served, "show", "A1")
    served.scene.condition("A1", "ok")
    assert ["counts", "counting"] in await told(served, "show", "A1")


async def test_where_scale_and_ledger_differ_both_are_shown(served: Console) -> None:
    served.scene.condition("A1", "ok")
    served.scene.level("A1", 990.0, 3)
    differs = "the scale says 3 Tomatoes, chopped, 330 g can, the ledger 0"
    (line,) = [each for each in await told(served, "list") if each[0] == "aisle-1/A1"]
    assert line == ["aisle-1/A1", "counting", f"0 of 24 Tomatoes, chopped, 330 g can; {differs}"]
    shown = await told(served, "show", "A1")
    assert shown[2:] == [
        ["until", shown[2][1]],
        ["ledger", "0 of 24 Tomatoes, chopped, 330 g can"],
        ["scale", "990 g, 3 Tomatoes, chopped, 330 g can"],
        ["differs", differs],
        ["do", f"count, and say it: stockbeat shelves confirm A1 {CAN}=UNITS"],
    ]
    served.scene.level("A1", 990.0, 3, stable=False)
    assert (await told(served, "show", "A1"))[-1] == ["scale", "990 g, moving"]
    served.scene.move(CAN, "supplier", "A1", 3)
    served.scene.level("A1", 990.0, 3)
    assert (await told(served, "show", "A1"))[-1] == ["scale", "990 g, 3 Tomatoes, chopped, 330 g can"]


async def test_of_several_kinds_each_that_differs_is_shown(served: Console) -> None:
    served.scene.level("A5", 9000.0, None)
    served.scene.item_levels("A5", **{f"_{OIL}": 0, f"_{TISSUES}": 3})
    shown = await told(served, "show", "A5")
    assert [words for key, words in shown if key == "differs"] == [
        "the scale says 3 Tissues, box of 100, the ledger 0"
    ]


async def test_a_ledger_below_zero_is_said_in_words(served: Console) -> None:
    served.scene.condition("A1", "ok")
    served.scene.move(CAN, "A1", "basket", 4)
    words = "the ledger is below zero, at -4 Tomatoes, chopped, 330 g can: more was taken than it knew of"
    (line,) = [each for each in await told(served, "list") if each[0] == "aisle-1/A1"]
    assert line[2].endswith(words)
    shown = await told(served, "show", "A1")
    assert ["differs", words] in shown
    assert shown[-1] == ["do", f"count, and say it: stockbeat shelves confirm A1 {CAN}=UNITS"]
