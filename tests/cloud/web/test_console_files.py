"""What is shipped to the browser: nothing from elsewhere, nothing inline, and others' files as they published them."""

import hashlib
import re
from pathlib import Path

import pytest

from cloud.web.render import FOLDER

STATIC, TEMPLATES = FOLDER / "static", FOLDER / "templates"
VENDORED = sorted(folder for folder in (STATIC / "vendor").iterdir() if folder.is_dir())
OURS = sorted([*STATIC.glob("*.*"), *TEMPLATES.rglob("*.html")])


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.name)
def test_a_vendored_package_names_its_version_and_is_unchanged(folder: Path) -> None:
    about, *sums = (folder / "VERSION").read_text("utf-8").splitlines()
    assert re.fullmatch(r"\S+ \d+\.\d+\.\d+ \(npm\), unchanged", about)
    listed = {name: checksum for checksum, name in (line.split("  ") for line in sums)}
    there = {path.name for path in folder.iterdir()} - {"VERSION", "LICENSE"}
    assert listed.keys() == there
    for name, checksum in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum
    assert (folder / "LICENSE").read_text("utf-8").strip()


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_is_asked_of_another_host(path: Path) -> None:
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")  # a name, never fetched
    assert not re.search(r"https?:|[\"'(]//", text)


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_script_or_style_is_inline(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<style|\bstyle=|\bon[a-z]+=|hx-on|javascript:", text)
    assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", text))
