"""Figures and codes as people read them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.web import words

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 22, 11, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "at, says",
    [
        (NOW, "12:05:00"),
        (NOW - timedelta(hours=12), "00:05:00"),
        (
            NOW - timedelta(hours=12, minutes=6),
            "21 Nov 23:59",
        ),  # yesterday there, though today in UTC it is not
        (datetime(2025, 12, 31, 22, 0, tzinfo=UTC), "31 Dec 2025"),
    ],
)
def test_a_time_is_that_of_the_site_with_a_date_where_it_is_not_today(at: datetime, says: str) -> None:
    assert words.clock(at, PARIS, NOW) == says


@pytest.mark.parametrize(
    "value, says", [(3, "3"), (3.0, "3"), (2.5, "2.50"), (-3, "−3"), (12345, "12\u202f345"), (0, "0")]
)
def test_an_amount_is_whole_where_it_is_whole(value: float, says: str) -> None:
    assert words.amount(value) == says


@pytest.mark.parametrize(
    "share, says", [(1.0, "100"), (0.9999, "99"), (0.985, "99"), (0.55, "55"), (0.0, "0")]
)
def test_a_confidence_is_never_rounded_up_to_certainty(share: float, says: str) -> None:
    assert words.percent(share) == f"{says}\u202f%"


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_bar_is_never_longer_than_its_track(value: float, whole: float) -> None:
    assert 0 <= words.share(value, whole) <= 100


@given(st.text())
def test_an_id_holds_only_what_every_selector_takes(text: str) -> None:
    assert all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in words.slug(text))


@pytest.mark.parametrize(
    "seconds, says", [(0.4, "under 1 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_a_duration(seconds: float, says: str) -> None:
    assert words.span(seconds) == says


def test_codes_without_words_of_their_own_are_still_readable() -> None:
    assert words.words("clock_in_future") == "clock in future"
    assert words.verdict("clock_in_future") == "clock in future"


def test_a_load_is_named_by_its_door_and_its_tags() -> None:
    assert words.subject("store-042/x", {"gate": "dock-1", "tags": [{}, {}]}) == "2 tags at dock-1"
    assert words.subject("store-042/x", {"gate": "dock-1", "tags": [{}]}) == "1 tag at dock-1"
    blind = {"device": "dock-1", "why": "antenna 3 is disconnected", "from": "", "to": ""}
    assert words.subject("store-042/dock-1", blind) == "dock-1, antenna 3 is disconnected"
    assert words.subject("A4", {}) == words.subject("A4", []) == "A4"


def test_a_figure_that_nothing_physical_stands_behind_is_only_booked() -> None:
    assert [words.proof(how) for how in ("weighed", "pick", "restock")] == ["weighed"] * 3
    assert words.proof("opening") == "opening figure of"
    assert words.proof("sale") == "booked"


@pytest.mark.parametrize(
    "details, said",
    [
        ({"why": "another serial number", "place": "A1", "state": "needs_check"}, "another serial number"),
        ({"why": "too many to weigh", "question": "24 or 25"}, "24 or 25? too many to weigh"),
        (
            {"why": "for 10 minutes the scale has said other than the ledger", "level": 2, "booked": 4.0},
            "for 10 minutes the scale has said other than the ledger: 2, and the ledger 4",
        ),
        ({"name": "Green tea", "units": 2.0, "from": "aisle-1/A2", "place": "A1"}, "2 × Green tea, from aisle-1/A2"),
        ({"device": "aisle-1", "why": "unplugged"}, ""),
        ({"gate": "dock-1", "tags": []}, ""),
        ({}, ""),
        (None, ""),
    ],
)  # fmt: skip
def test_why_something_is_to_be_looked_at(details: object, said: str) -> None:
    assert words.reason(details) == said
