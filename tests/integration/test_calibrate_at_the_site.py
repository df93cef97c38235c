"""`stockbeat shelves calibrate` in a real terminal, against simulated scales on serial lines."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.config import load
from edge.store.lock import Lock
from edge.weighing import load as load_weighing
from tests.support.weighed import Scale, simulated

pytestmark = pytest.mark.timeout(120)
PATIENCE_S = 40.0
CAN = '{ gtin = "09506000134352", unit_grams = 330.0 }'


class Terminal:
    """A person at a terminal: waits for words, types."""

    def __init__(self, *words: str) -> None:
        self._file, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stockbeat", "shelves", "calibrate", *words],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.shown = ""
        self._read_to = 0

    def expect(self, words: str) -> None:
        """Until these are shown, behind what was expected before."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := self.shown.find(words, self._read_to)) < 0:
            left = deadline - time.monotonic()
            assert left > 0, f"not shown: {words!r} in {self.shown!r}"
            ready, _, _ = select.select([self._file], [], [], left)
            if ready:
                try:
                    self.shown += os.read(self._file, 4096).decode("utf-8").replace("\r\n", "\n")
                except OSError:
                    raise AssertionError(f"ended without {words!r}: {self.shown!r}") from None
        self._read_to = found + len(words)

    def type(self, line: str = "") -> None:
        os.write(self._file, line.encode() + b"\n")

    def end(self) -> int:
        try:
            while True:
                self.shown += os.read(self._file, 4096).decode("utf-8")
        except OSError:
            return self.process.wait(10)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._file)


@contextmanager
def terminal(*words: str) -> Iterator[Terminal]:
    made = Terminal(*words)
    try:
        yield made
    finally:
        made.close()


def config(folder: Path, scale: Scale, driver: str, more: str = "", cells: int = 1, named: str = "") -> Path:
    bays = ", ".join(
        f'{{ name = "A{cell}", cell = {cell}, capacity = 24, items = [ {CAN} ] }}' for cell in range(cells)
    )
    path = folder / "edge.toml"
    path.write_text(
        f'edge = "store-042"\n[[shelves]]\nname = "aisle-1"\nbays = [ {bays} ]\n{named}'
        f'[shelves.reader]\ndriver = "{driver}"\nurl = "{scale.url}"\n{more}',
        "utf-8",
    )
    return path


def test_a_person_calibrates_a_scale_and_the_agent_takes_the_file(tmp_path: Path) -> None:
    with simulated("sics", tmp_path / "scale", "--grams", "150") as scale:
        at = config(tmp_path, scale, "sics", named='calibration = "first.shelf.toml"\n')
        with terminal("--config", str(at), "--shelf", "aisle-1", "--by", "shift lead") as person:
            person.expect("Empty the plate of cells 0")
            person.type()
            person.expect("empty it says 1")
            person.expect("How much does your known mass weigh?")
            person.type("2 kilos")
            person.expect("write a mass as 2000, 2000 g or 2 kg, not '2 kilos'")
            person.type("2 kg")
            person.expect("Put 2000 g in the middle of the plate of cell 0")
            person.type()  # and forgets to
            person.expect("is the mass on the plate of cell 0")
            person.expect("Try again?")
            person.type()
            person.expect("Put 2000 g")
            scale.put(2000)
            person.type()
            person.expect("factor ")
            person.expect("Another mass")
            person.type("500 g")
            person.expect("Put 500 g in its place")
            scale.put(-1500)
            person.type()
            person.expect("500 g come out as ")
            person.expect("Write ")
            person.type()
            person.expect("written: ")
            assert person.end() == 0
    found = load_weighing(tmp_path / "first.shelf.toml").values
    assert found.made.by == "shift lead"
    [cell] = found.cells
    assert cell.factor == pytest.approx(1.0, abs=0.002)
    assert cell.offset_grams == pytest.approx(-150.0, abs=1.0)
    assert load(at).shelves[0].calibration is not None


def test_two_cells_of_a_board_by_themselves_with_crosstalk_noted(tmp_path: Path) -> None:
    board = 'columns = ["counts", "counts"]\nseparator = ","\ncounts_per_gram = [1.0, 1.0]\nzero_counts = [0.0, 0.0]\n'
    with simulated("hx711", tmp_path / "board", "--grams", "0", "--grams", "0") as scale:
        at = config(tmp_path, scale, "hx711_lines", board, cells=2)
        words = ("--config", str(at), "--shelf", "aisle-1", "--mass", "2kg", "--yes")
        with terminal(*words) as alone:
            alone.expect("Put 2000 g in the middle of the plate of cell 0")
            scale.put(2000, 0)
            alone.expect("cell 0: factor ")
            alone.expect("Put 2000 g in the middle of the plate of cell 1")
            scale.put(-2000, 0)
            scale.put(2000, 1)
            alone.expect("cell 1: factor ")
            alone.expect("its neighbours do not feel it")
            alone.expect('calibration = "aisle-1.shelf.toml"')
            assert alone.end() == 0
    found = load_weighing(tmp_path / "aisle-1.shelf.toml").values
    per_gram = [round(1 / cell.factor) for cell in found.cells]
    assert per_gram[0] == per_gram[1] > 50
    assert found.made.remark == "zero of cells 0, 1, span of 0, 1"


def test_nothing_is_written_when_a_person_leaves(tmp_path: Path) -> None:
    with simulated("sics", tmp_path / "scale") as scale:
        at = config(tmp_path, scale, "sics")
        with terminal("--config", str(at), "--shelf", "aisle-1") as person:
            person.expect("Empty the plate")
            os.write(person._file, b"\x03")  # Ctrl-C does not reach a session of its own by itself
            person.process.send_signal(2)
            assert person.end() != 0
        with terminal("--config", str(at), "--shelf", "aisle-1") as person:
            person.expect("Empty the plate")
            person.type()
            person.expect("How much")
            person.type()
            person.expect("Write ")
            person.type("n")
            person.expect("nothing is written")
            assert person.end() == 0
    assert not list(tmp_path.glob("*.shelf.toml*"))


def test_it_says_what_stands_in_the_way(tmp_path: Path) -> None:
    with simulated("sics", tmp_path / "scale") as scale:
        at = config(tmp_path, scale, "sics")
        agent = Lock(tmp_path / "store-042.db")
        said = [
            (("--shelf", "aisle-1"), r"the agent runs \(process \d+\) and has the scale: stop it first"),
            (("--shelf", "aisle-9"), "shelf 'aisle-9' is not in the configuration; its shelves: aisle-1"),
        ]
        for words, why in said:
            with terminal("--config", str(at), *words) as person:
                assert person.end() == 1
                assert re.search(why, person.shown), person.shown
        agent.release()
        with terminal("--config", str(at), "--shelf", "aisle-1", "--cell", "4") as person:
            assert person.end() == 1
            assert "shelf 'aisle-1' has no cell 4; its cells: 0" in person.shown
    with terminal("--config", str(at), "--shelf", "aisle-1") as person:
        assert person.end() == 1
        assert "scale" in person.shown.lower()
        assert "Traceback" not in person.shown


def test_with_nobody_at_the_terminal_it_ends(tmp_path: Path) -> None:
    with simulated("sics", tmp_path / "scale") as scale:
        at = config(tmp_path, scale, "sics")
        ended = subprocess.run(
            [sys.executable, "-m", "stockbeat", "shelves", "calibrate", "--config", str(at), "--shelf", "aisle-1"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert "nobody answers: run it in a terminal, or with --yes" in ended.stderr


PAGE = Path(__file__).parents[2] / "docs" / "devices" / "calibration.md"
NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")


def as_shown(text: str) -> list[str]:
    """Line by line, without what is noise: digits."""
    return [NUMBER.sub("#", line.strip()) for line in text.splitlines() if line.strip()]


def dialogue(number: int) -> list[str]:
    found = re.findall(
        r"```text\n\$ stockbeat shelves calibrate (.*?)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    assert found[number][0] == '--config edge.toml --shelf aisle-1 --by "shift lead"'
    return as_shown(found[number][1])


def spoken(person: Terminal) -> list[str]:
    return as_shown(re.sub(r"/\S+/aisle-1", "aisle-1", person.shown))


def test_the_pages_dialogue_with_grams_is_what_is_said(tmp_path: Path) -> None:
    with simulated("sics", tmp_path / "scale") as scale:
        at = config(tmp_path, scale, "sics", named='calibration = "aisle-1.shelf.toml"\n')
        with terminal("--config", str(at), "--shelf", "aisle-1", "--by", "shift lead") as person:
            person.expect("press Enter.")
            person.type()
            person.expect("(Enter: zero only)")
            person.type("5 kg")
            person.expect("press Enter.")
            scale.put(5000)
            person.type()
            person.expect("(Enter: none)")
            person.type("2 kg")
            person.expect("press Enter.")
            scale.put(-3000)
            person.type()
            person.expect("(Enter: yes, n: no)")
            person.type()
            person.expect("written")
            assert person.end() == 0
            assert spoken(person) == dialogue(0)


def test_the_pages_dialogue_with_counts_is_what_is_said(tmp_path: Path) -> None:
    bare = 'columns = ["counts", "counts"]\ncounts_per_gram = [1, 1]\nzero_counts = [0, 0]\n'
    with simulated("hx711", tmp_path / "board", "--grams", "0", "--grams", "0") as scale:
        at = config(tmp_path, scale, "hx711_lines", bare, 2, 'calibration = "aisle-1.shelf.toml"\n')
        with terminal("--config", str(at), "--shelf", "aisle-1", "--by", "shift lead") as person:
            person.expect("press Enter.")
            person.type()
            person.expect("(Enter: zero only)")
            person.type("2 kg")
            person.expect("press Enter.")
            scale.put(2000, 0)
            person.type()
            person.expect("(Enter: none)")
            person.type("500 g")
            person.expect("press Enter.")
            scale.put(-1500, 0)
            person.type()
            person.expect("press Enter.")
            scale.put(-500, 0)
            scale.put(2000, 1)
            person.type()
            person.expect("(Enter: none)")
            person.type()
            person.expect("(Enter: yes, n: no)")
            person.type()
            person.expect("written")
            assert person.end() == 0
            assert spoken(person) == dialogue(1)
