"""The example site and the simulated one are the same place."""

import csv
import tomllib
from pathlib import Path
from typing import Any

import pytest

from simulators.epc import check_digit
from simulators.scenario import load

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "store"
STORE = load(ROOT / "simulators" / "scenarios" / "store.toml")


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((EXAMPLE / name).read_text("utf-8"))


def rows(name: str) -> list[dict[str, str]]:
    with (EXAMPLE / "master" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_edge_and_scenario_have_the_same_gates() -> None:
    configured = {}
    for gate in toml("edge.toml")["gates"]:
        sides: dict[str, set[int]] = {"outside": set(), "inside": set()}
        for port, side in gate["antennas"].items():
            sides[side].add(int(port))
        configured[gate["name"]] = sides
    assert configured == {
        gate.name: {"outside": set(gate.outside), "inside": set(gate.inside)} for gate in STORE.gates
    }


def test_edge_and_scenario_have_the_same_shelves() -> None:
    configured = [
        (shelf["name"], bay["name"], bay["capacity"], bay.get("tare_grams", 0.0),
         [(item["gtin"], item["unit_grams"], item["unit_cv"]) for item in bay["items"]])
        for shelf in toml("edge.toml")["shelves"] for bay in shelf["bays"]
    ]  # fmt: skip
    assert configured == [
        (shelf.name, shelf.bay, shelf.capacity, shelf.tray_grams,
         [(item.gtin, item.unit_grams, item.unit_cv) for item in shelf.items])
        for shelf in STORE.shelves
    ]  # fmt: skip


def test_opening_stock_is_what_stands_there() -> None:
    opening = {(row["place"], row["gtin"]): int(row["quantity"]) for row in rows("opening.csv")}
    stands = {(shelf.bay, item.gtin): item.opening for shelf in STORE.shelves for item in shelf.items}
    behind = {("backroom", item.gtin): item.backroom for shelf in STORE.shelves for item in shelf.items}
    assert opening == stands | behind


def test_the_site_has_the_same_places() -> None:
    (site,) = toml("master/sites.toml")["site"]
    edge = toml("edge.toml")
    assert site["edges"] == [edge["edge"]]
    assert site["name"] == STORE.name == edge["edge"]
    assert {gate["gate"]: (gate["outside"], gate["inside"]) for gate in site["gates"]} == {
        gate["name"]: (gate["joins"]["outside"], gate["joins"]["inside"]) for gate in edge["gates"]
    }
    assert {(bay["shelf"], bay["bay"]): bay["capacity"] for bay in site["bays"]} == {
        (shelf.name, shelf.bay): {item.gtin: shelf.most(item) for item in shelf.items}
        for shelf in STORE.shelves
    }


def test_every_item_is_known_with_its_mass() -> None:
    items = {row["gtin"]: row for row in rows("items.csv")}
    for shelf in STORE.shelves:
        for item in shelf.items:
            assert float(items[item.gtin]["unit_grams"]) == item.unit_grams
    assert {cargo.gtin for cargo in STORE.docks.cargo} <= items.keys()
    assert {row["gtin"] for row in rows("contents.csv")} <= items.keys()


def test_numbers_have_the_right_check_digits() -> None:
    numbers = {row["gtin"] for row in rows("items.csv")} | {row["sscc"] for row in rows("contents.csv")}
    assert {number: number[-1] for number in numbers} == {
        number: check_digit(number[:-1]) for number in numbers
    }


def test_the_rule_is_the_one_that_the_clerks_follow() -> None:
    (rule,) = toml("master/rules.toml")["rule"]
    assert (rule["limit"], rule["clear"]) == (STORE.shop.low, STORE.shop.clear)
    assert rule["hold"] == "3s"
    assert STORE.shop.low_for_s > 3


@pytest.mark.parametrize("section", ["gates", "shelves"])
def test_every_device_has_an_address_of_its_own(section: str) -> None:
    urls = [device["reader"]["url"] for device in toml("edge.toml")[section]]
    assert len(set(urls)) == len(urls)
    text = (EXAMPLE / "edge.toml").read_text("utf-8")
    assert all(text.count(f'"{url}"') == 1 for url in urls)
