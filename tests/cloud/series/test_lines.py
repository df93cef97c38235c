from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.series.lines import at_ns, line

START = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "tags, fields, text",
    [
        ({"site": "s"}, {"n": 1}, "m,site=s n=1i 7"),
        ({}, {"x": 1.5, "y": True, "z": False}, "m x=1.5,y=true,z=false 7"),
        ({"a b": "c,d=e f"}, {"g h": 1}, r"m,a\ b=c\,d\=e\ f g\ h=1i 7"),
        ({}, {"s": 'say "a\\b"'}, r'm s="say \"a\\b\"" 7'),
        ({"empty": ""}, {"n": 1}, "m n=1i 7"),
        ({"blank": " \n"}, {"n": 1}, "m n=1i 7"),
        ({"t": "a\nb"}, {"s": "a\r\nb"}, 'm,t=a\\ b s="a b" 7'),
        ({"t": "ends in \\"}, {"n": 1}, "m,t=ends\\ in\\ \u29f5 n=1i 7"),
        ({}, {"none": None, "nan": float("nan"), "inf": float("inf"), "n": 1}, "m n=1i 7"),
        ({}, {"big": 2**63, "small": -(2**63)}, "m big=9.223372036854776e+18,small=-9223372036854775808i 7"),
        ({}, {"none": None}, ""),
    ],
)
def test_writes_the_protocol(tags: dict[str, str], fields: dict[str, object], text: str) -> None:
    assert line("m", tags, fields, 7) == text  # type: ignore[arg-type]  # the table mixes types


def test_a_measurement_keeps_its_equals_sign() -> None:
    assert line("a b,c=d", {}, {"n": 1}, 0) == r"a\ b\,c=d n=1i 0"


def test_two_movements_at_one_instant_are_two_moments() -> None:
    moments = {at_ns(START, position, START) for position in range(1000)}
    assert len(moments) == 1000
    assert max(moments) - min(moments) < 1000, "they stay in their microsecond"


def test_never_in_the_future() -> None:
    assert at_ns(START + timedelta(days=1), 5, START) == at_ns(START, 5, START)


@given(st.timedeltas(timedelta(0), timedelta(days=80_000)), st.integers(0, 2**53))
def test_the_microsecond_is_exact(since: timedelta, position: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + since
    microseconds = at_ns(at, position, at) // 1000
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds) == at


@given(st.text(), st.text(), st.text())
def test_a_line_is_one_line_whatever_the_names(tag: str, key: str, value: str) -> None:
    text = line("m", {"t": tag}, {"k": key, "v": value}, 1)
    assert text.splitlines() == [text]
