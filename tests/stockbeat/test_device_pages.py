"""docs/devices: every driver has its page, and what the pages tell people to type exists."""

import re
import shlex
from pathlib import Path

import click
import pytest

from edge.config import load
from stockbeat.cli import main

ROOT = Path(__file__).parents[2]
READERS = ROOT / "edge" / "readers"
PAGES = sorted((ROOT / "docs" / "devices").glob("*.md"))
DRIVERS = sorted(path.parent.name for path in READERS.glob("*/config.py"))
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [
        "\n".join(line.removeprefix(indent) for line in body.splitlines())
        for indent, found, body in FENCED.findall(page.read_text("utf-8"))
        if found == language
    ]


def commands() -> list[str]:
    """Every line that begins with the program's name, in blocks and in code within a sentence."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        lines = [line for block in blocks(page, "") for line in block.splitlines()]
        lines += re.findall(r"`(stockbeat [^`\n]+)`", FENCED.sub("", text))
        found += [f"{page.name}: {line}" for line in lines if line.startswith("stockbeat ")]
    return sorted(set(found))


def test_the_index_links_a_page_for_every_driver() -> None:
    index = (ROOT / "docs" / "devices" / "README.md").read_text("utf-8")
    for driver in DRIVERS:
        assert (ROOT / "docs" / "devices" / f"{driver}.md").is_file(), driver
        assert f"]({driver}.md)" in index, driver
        assert f"| `{driver}` |" in index, driver


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.mark.parametrize("line", commands())
def test_a_command_is_there_with_its_options(line: str) -> None:
    _, _, words = line.partition(": ")
    command: click.Command = main
    context = click.Context(main, info_name="stockbeat")
    left = shlex.split(words, comments=True)[1:]
    while isinstance(command, click.Group):
        assert left, f"{words} names no command"
        name = left.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"there is no {name!r} in {words}"
        context, command = click.Context(found, info_name=name, parent=context), found
    options = {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
    for word in left:
        if word.startswith("--"):
            assert word.partition("=")[0] in options, f"{words}: no option {word}"


WEIGHS = 'ClassVar[Literal["weights"]]'
SCALES = [name for name in DRIVERS if WEIGHS in (READERS / name / "config.py").read_text("utf-8")]


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_link_into_a_page_leads_to_a_heading(page: Path) -> None:
    for link, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text("utf-8")):
        target = page.parent / link if link else page
        assert anchor in anchors(target), f"{page.name}: {link}#{anchor}"


@pytest.mark.parametrize("driver", SCALES)
def test_a_scales_page_leads_to_what_all_have_in_common_and_back(driver: str) -> None:
    devices = ROOT / "docs" / "devices"
    text = (devices / f"{driver}.md").read_text("utf-8")
    assert "](shelf.md)" in text
    assert "](calibration.md" in text
    assert f"]({driver}.md" in (devices / "shelf.md").read_text("utf-8")


@pytest.mark.parametrize("page", ["shelf", "calibration"])
def test_the_configurations_of_a_shelf_are_taken_as_they_stand(page: str, tmp_path: Path) -> None:
    found = [block for block in blocks(ROOT / "docs" / "devices" / f"{page}.md", "toml") if "reader" in block]
    assert found
    for block in found:
        text = block if block.startswith("edge =") else f'edge = "store-042"\n{block}\n'
        (tmp_path / "edge.toml").write_text(text, "utf-8")
        assert load(tmp_path / "edge.toml", calibrating="aisle-1").shelves


def test_the_dock_doors_configuration_is_taken_whole(tmp_path: Path) -> None:
    """Its pieces as they stand on the page, put together as it says."""
    whole, more, beside, calibrated, *_ = blocks(ROOT / "docs" / "devices" / "dock-door.md", "toml")
    assert calibrated.startswith("calibration = ")
    (tmp_path / "edge.toml").write_text(f"{whole}\n{more}\n{beside}\n", "utf-8")
    config = load(tmp_path / "edge.toml")
    assert [gate.name for gate in config.gates] == ["dock-1", "dock-2"]
    assert config.gates[0].reference_tags.keys() == {1, 2, 3, 4}
    assert config.gates[1].antennas.keys() == {1}
    assert config.gates[1].eyes


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_drivers_configuration_is_taken_as_it_stands_on_its_page(driver: str, tmp_path: Path) -> None:
    found = blocks(ROOT / "docs" / "devices" / f"{driver}.md", "toml")
    whole = [block for block in found if "[[gates]]" in block or "[[shelves]]" in block]
    for block in whole:
        if "…" in block:  # something for whoever reads it to fill in
            continue
        text = block if block.lstrip().startswith("edge =") else f'edge = "store-042"\n{block}\n'
        (tmp_path / "edge.toml").write_text(text, "utf-8")
        config = load(tmp_path / "edge.toml", calibrating="aisle-1")
        readers = [gate.reader for gate in config.gates] + [shelf.reader for shelf in config.shelves]
        assert driver in [reader.driver for reader in readers if reader]
