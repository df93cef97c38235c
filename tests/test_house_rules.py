"""What every driver's folder must have, so that the next one is as complete as the last."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from edge.config import load
from tests.support.captures import FOLDER as CAPTURES
from tests.support.captures import cases

READERS = Path(__file__).parents[1] / "edge" / "readers"
DRIVERS = sorted(path.name for path in READERS.iterdir() if path.is_dir() and path.name != "__pycache__")
QUALITY = ["captured on real hardware", "reconnect tested", "independent peers", "limits known"]


def test_there_are_drivers() -> None:
    assert {"llrp", "sics"} <= set(DRIVERS)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_has_its_five_files(driver: str) -> None:
    folder = READERS / driver
    for name in ("README.md", "sample.toml", "config.py", "reader.py"):
        assert (folder / name).is_file(), name
    assert (folder / "protocol.py").is_file() or (folder / "protocol" / "__init__.py").is_file()


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_readme_shows_the_sample_verbatim(driver: str) -> None:
    sample = (READERS / driver / "sample.toml").read_text("utf-8")
    assert f"```toml\n{sample}```\n" in (READERS / driver / "README.md").read_text("utf-8")


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_sample_loads_and_names_its_driver(driver: str, tmp_path: Path) -> None:
    sample = (READERS / driver / "sample.toml").read_text("utf-8")
    (tmp_path / "edge.toml").write_text(f'edge = "store-042"\n{sample}', "utf-8")
    config = load(tmp_path / "edge.toml")
    readers = [gate.reader for gate in config.gates] + [shelf.reader for shelf in config.shelves]
    assert [reader.driver for reader in readers if reader] == [driver]


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_setting_is_in_the_sample(driver: str) -> None:
    """Commented out with its example, where the sample does without it."""
    sample = (READERS / driver / "sample.toml").read_text("utf-8")
    config = (READERS / driver / "config.py").read_text("utf-8")
    settings = re.findall(r"^    (\w+): (?!ClassVar)", config, re.MULTILINE)
    assert settings
    for setting in settings:
        assert re.search(rf"^(# )?{setting} = ", sample, re.MULTILINE), setting


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_has_captures_that_say_where_they_are_from(driver: str) -> None:
    assert cases(driver)
    for folder in (CAPTURES / driver).iterdir():
        assert sorted(path.name for path in folder.iterdir()) == ["about.toml", "bytes.hex", "expected.json"]
        assert json.loads((folder / "expected.json").read_text("utf-8"))
        about = tomllib.loads((folder / "about.toml").read_text("utf-8"))
        assert about.keys() == {"captured", "source", "device", "firmware", "captured_by", "captured_on"}, (
            folder
        )
        if about["captured"]:
            assert all(about[key] for key in ("device", "firmware", "captured_by", "captured_on")), folder
        else:
            assert about["source"], folder


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_readme_ends_with_an_honest_quality_table(driver: str) -> None:
    *_, section = (READERS / driver / "README.md").read_text("utf-8").split("\n## ")
    title, *lines = section.strip().splitlines()
    assert title == "Quality"
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][
        2:
    ]
    assert [name for name, _ in rows] == QUALITY
    for name, text in rows:
        assert re.match(r"yes|no\b|exempt: .{20,}|.{20,}", text), name
        assert text != "exempt", f"{name}: exempt needs a reason"
