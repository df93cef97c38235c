"""labels.csv: taken as people and spreadsheets write it, or refused with every problem named."""

from pathlib import Path

import pytest

from edge.errors import LabelsError
from edge.learn.labels import Way, read_labels

TAG = "3074257BF7194E4000001A85"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one.jsonl", "two.jsonl"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def _labels(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding)
    return path


def test_a_line_of_a_tag_goes_before_that_of_every_tag(folder: Path) -> None:
    one, two = read_labels(
        _labels(
            folder, f"recording,epc,direction\none.jsonl,,in\none.jsonl,{TAG},none\ntwo.jsonl,{TAG},out\n"
        )
    )
    assert (one.name, one.path) == ("one.jsonl", folder / "one.jsonl")
    assert one.way(TAG) is Way.NONE
    assert one.way("ABCD") is Way.IN
    assert two.way(TAG) is Way.OUT
    assert two.way("ABCD") is None


def test_what_spreadsheets_make_of_it_is_taken(folder: Path) -> None:
    text = f"Recording,EPC,Direction\r\n one.jsonl , {TAG.lower()} , IN \r\n,,\r\n\r\n"
    (one,) = read_labels(_labels(folder, text, "utf-8-sig"))
    assert one.way(TAG) is Way.IN


def test_every_problem_is_named_at_once(folder: Path) -> None:
    text = (
        "recording,epc,direction\none.jsonl,,inn\n,,in\none.jsonl,XYZ,in\none.jsonl,in\nthree.jsonl,,in\n"
        "two.jsonl,,in\ntwo.jsonl,,out\n"
    )
    with pytest.raises(LabelsError) as caught:
        read_labels(_labels(folder, text))
    said = str(caught.value)
    for part in ("line 2: a direction is in, out or none, not 'inn'", "line 3: names no recording",
                 "line 4: 'XYZ' is no EPC", "line 5: has 2 cells", "three.jsonl: there is no such file",
                 "line 8: every tag of two.jsonl is said to be out, and before to be in"):  # fmt: skip
        assert part in said, said


@pytest.mark.parametrize(
    "text, part",
    [
        ("", "line 1: the columns are recording,epc,direction"),
        ("recording;epc;direction\none.jsonl;;in\n", "line 1: the columns are recording,epc,direction"),
        ("recording,epc,direction\n", "labels nothing"),
    ],
)
def test_a_file_of_another_shape_is_refused(folder: Path, text: str, part: str) -> None:
    with pytest.raises(LabelsError, match=part):
        read_labels(_labels(folder, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"nothing\.csv"):
        read_labels(tmp_path / "nothing.csv")
