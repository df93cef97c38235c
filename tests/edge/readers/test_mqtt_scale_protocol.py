"""Whatever a scale publishes: weights that are sane, or our own error; and what is no weight is not taken for one."""

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ProtocolError
from edge.readers.mqtt_scale.protocol import (
    MOST_GRAMS,
    NoWeight,
    Recipe,
    Time,
    Weight,
    find,
    online,
    parse,
    resolved,
    steps,
)
from edge.readers.mqtt_scale.topics import status_of
from tests.support.captures import cases

RAW = Recipe("tasmota", "WeightRaw", "g")
KG = Recipe("tasmota", "Weight", "kg")
COUNTS = Recipe("tasmota", "AbsRaw", "count", grams_per_count=0.5, zero_count=100)
TEXT = Recipe("esphome", unit="kg")
A3 = Recipe("senml", "a3")
PATH = Recipe("json", "scales[0].w", "kg", unit_at="", time_at="", stable_at="")
RECIPES = [
    RAW, KG, COUNTS, TEXT, A3, Recipe("senml"), PATH, Recipe("home_assistant", "w", "g"),
    Recipe("esphome", unit="count"), Recipe("json", "a.w", "", "a.u", "a.t", "a.s"),
]  # fmt: skip


def sensor(**scale: object) -> bytes:
    return json.dumps({"Time": "2026-11-22T09:00:00", "HX711": scale}).encode()


def grams(payload: bytes, recipe: Recipe) -> list[float]:
    return [each.grams for each in parse(payload, recipe) if isinstance(each, Weight)]


def test_a_negative_weight_of_tasmota_is_read_where_it_is_not_cut_off() -> None:
    payload = sensor(Weight=0.0, WeightRaw=-40, AbsRaw=20)
    assert grams(payload, KG) == [0.0]
    assert grams(payload, RAW) == [-40.0]
    assert grams(payload, COUNTS) == [-40.0]


def test_tasmotas_count_is_never_used() -> None:
    with_count = sensor(Weight=0.99, Count=3, WeightRaw=990, AbsRaw=2080)
    without = sensor(Weight=0.99, WeightRaw=990, AbsRaw=2080)
    for recipe in (RAW, KG, COUNTS):
        assert parse(with_count, recipe) == parse(without, recipe)


@pytest.mark.parametrize(
    "count, fault",
    [
        (8_388_607, "saturated"),
        (-8_388_608, "saturated"),
        (-1, "device_error: the converter does not answer"),
    ],
)
def test_what_a_converter_says_at_its_ends_is_no_weight(count: int, fault: str) -> None:
    assert parse(sensor(AbsRaw=count), COUNTS) == [NoWeight(fault)]
    assert parse(str(count).encode(), Recipe("esphome", unit="count")) == [NoWeight(fault)]


@pytest.mark.parametrize("payload", [b"nan", b"NaN", b"-inf", b"inf"])
def test_not_a_number(payload: bytes) -> None:
    assert parse(payload, TEXT) == [NoWeight("not_a_number")]


@pytest.mark.parametrize("payload", [b"unavailable", b"unknown", b"", b"None"])
def test_no_state(payload: bytes) -> None:
    (said,) = parse(payload, TEXT)
    assert isinstance(said, NoWeight)
    assert said.fault.startswith("device_error: the state is")
    assert parse(payload, Recipe("home_assistant", "kg", "kg")) == [said]


@pytest.mark.parametrize(
    "payload, recipe, words",
    [
        (b"1,234", TEXT, "is no number"),
        (b"0x10", TEXT, "is no number"),
        ("١٢".encode(), TEXT, "is no number"),
        (b"1e300", TEXT, "more than any shelf weighs"),
        (b"\xff\xfe", TEXT, "not text"),
        (b"{", RAW, "not JSON"),
        (b"[1]", RAW, "no SENSOR message of Tasmota"),
        (b'{"Time":"x","DS18B20":{}}', RAW, "no HX711 in it, only Time, DS18B20"),
        (sensor(Weight=1), COUNTS, "says no 'AbsRaw', only Weight"),
        (sensor(WeightRaw=True), RAW, "is no weight"),
        (sensor(WeightRaw=[1]), RAW, "is no weight"),
        (b'{"scales":[]}', PATH, "at 0 there is []"),
        (b'{"scale":[]}', PATH, "at 'scales' there is scale"),
        (b'{"a":{"w":1,"u":"furlong","t":0,"s":1}}', RECIPES[-1], "'furlong' is no unit of mass"),
        (b'{"a":{"w":1,"u":7,"t":0,"s":1}}', RECIPES[-1], "the unit at 'a.u' is 7"),
        (b" " * 70_000, TEXT, "a payload of 70000 bytes"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_named(payload: bytes, recipe: Recipe, words: str) -> None:
    with pytest.raises(ProtocolError) as error:
        parse(payload, recipe)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "written, us, zoned",
    [
        ("2026-11-22T09:00:00Z", 1_795_338_000_000_000, True),
        ("2026-11-22T09:00:00.250+01:00", 1_795_334_400_250_000, True),
        ("2026-11-22T09:00:00", 1_795_338_000_000_000, False),  # somewhere's nine o'clock
        (1_795_338_000, 1_795_338_000_000_000, True),
        (1_795_338_000_250, 1_795_338_000_250_000, True),
    ],
)
def test_times(written: object, us: int, zoned: bool) -> None:
    (said,) = parse(json.dumps({"w": 1, "t": written}).encode(), Recipe("json", "w", "g", time_at="t"))
    assert isinstance(said, Weight)
    assert said.time == Time(us, zoned)


@pytest.mark.parametrize(
    "written", [None, "yesterday", "9999-99-99T00:00:00Z", 5, -5, 1e300, True, [], "0" * 30]
)
def test_what_is_no_time_is_none(written: object) -> None:
    (said,) = parse(json.dumps({"w": 1, "t": written}).encode(), Recipe("json", "w", "g", time_at="t"))
    assert isinstance(said, Weight)
    assert said.time is None


def pack(*records: dict[str, Any]) -> bytes:
    return json.dumps(records).encode()


def test_senml_base_fields_hold_until_they_are_said_again() -> None:
    said = resolved(
        pack(
            {"bn": "gw:", "bt": 1e9, "bu": "kg", "bv": 1, "n": "a", "v": 0.5},
            {"n": "b", "t": 2},
            {"bn": "other:", "bu": "g", "n": "a", "t": -1, "v": 20, "u": "kg"},
            {"n": "c", "vb": False},
        )
    )
    assert [(each.name, each.unit, each.time, each.number, each.flag) for each in said] == [
        ("gw:a", "kg", 1e9, 1.5, None),
        ("gw:b", "kg", 1e9 + 2, 1.0, None),
        ("other:a", "kg", 1e9 - 1, 21.0, None),
        ("other:c", "g", 1e9, None, False),
    ]


def test_senml_times_below_2_to_the_28_are_relative_to_now() -> None:
    at = {268_435_455: True, 268_435_456: False, -5: True}
    for seconds, relative in at.items():
        (said,) = parse(pack({"n": "a3", "u": "kg", "v": 1, "t": seconds}), A3)
        assert isinstance(said, Weight)
        assert said.time == Time(seconds * 1_000_000, relative=relative)
    assert parse(pack({"n": "a3", "u": "kg", "v": 1}), A3) == [Weight(1000.0)]


def test_senml_weighs_the_only_mass_and_asks_which_of_several() -> None:
    only = pack(
        {"n": "t", "u": "Cel", "v": 20}, {"n": "a", "u": "kg", "v": 1}, {"n": "a", "u": "kg", "v": 2, "t": -1}
    )
    assert grams(only, Recipe("senml")) == [2000.0, 1000.0]
    with pytest.raises(ProtocolError, match="several masses are in it: a, b; say which"):
        parse(pack({"n": "a", "u": "kg", "v": 1}, {"n": "b", "u": "kg", "v": 1}), Recipe("senml"))
    assert parse(pack({"n": "a4", "u": "kg", "v": 1}), A3) == []


@pytest.mark.parametrize(
    "records, words",
    [
        ({"n": "a3"}, "which is an array of records"),
        ([1], "record 1 is no object"),
        ([{"bver": 11, "n": "a3", "v": 1}], "SenML of version 11; 10 is known"),
        ([{"n": "a3", "v": 1, "lock_": 1}], "must not be read by who does not know 'lock_'"),
        ([{"n": "_a", "v": 1}], "'_a' is no SenML name"),
        ([{"v": 1}], "'' is no SenML name"),
        ([{"n": "a3", "v": "1"}], "'v' should be a number, not '1'"),
        ([{"n": "a3", "v": 1, "t": True}], "'t' should be a number, not True"),
        ([{"n": "a3", "v": 1, "t": 1e14}], "is no time"),
        ([{"n": "a3", "v": 1, "u": "Cel"}], "'Cel' is no unit of mass"),
        ([{"n": 3, "v": 1}], "name and unit are text"),
        ([{"n": "a", "v": 1}] * 1001, "a pack of 1001 records"),
    ],
)
def test_senml_that_is_none(records: object, words: str) -> None:
    with pytest.raises(ProtocolError) as error:
        parse(json.dumps(records).encode(), A3)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "payload, said",
    [(b"Online", True), (b"offline", False), (b'{"state":"offline"}', False), (b"maybe", None), (b"{", None),
     (b"\xff", None)],
)  # fmt: skip
def test_online(payload: bytes, said: bool | None) -> None:
    assert online(payload) is said


@pytest.mark.parametrize(
    "topic, format, status",
    [
        ("tele/a1/SENSOR", "tasmota", "tele/a1/LWT"),
        ("a1/tele/SENSOR", "tasmota", "a1/tele/LWT"),
        ("stat/a1/STATUS10", "tasmota", "tele/a1/LWT"),
        ("tele/+/SENSOR", "tasmota", None),
        ("shelf/a1/sensor/weight/state", "esphome", "shelf/a1/status"),
        ("shelf/a1/weight", "esphome", None),
        ("tele/a1/SENSOR", "json", None),
    ],
)
def test_where_a_device_says_that_it_is_online(topic: str, format: Any, status: str | None) -> None:
    assert status_of(topic, format) == status


def test_paths() -> None:
    assert steps("a.b[0][12].c") == ["a", "b", 0, 12, "c"]
    assert find({"a": [{"b": 5}]}, "a[0].b") == 5
    for wrong in ("", "a..b", "[0]", "a[x]", "a.", ".".join("a" * 30)):
        with pytest.raises(ValueError, match=r"is no path|deeper than"):
            steps(wrong)


KEYS = st.sampled_from(
    ["Time", "HX711", "Weight", "WeightRaw", "AbsRaw", "StatusSNS", "scales", "w", "a", "u", "t", "s",
     "n", "v", "vb", "vs", "bn", "bt", "bu", "bv", "bver", "x_"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    | st.sampled_from(["a3", "kg", "g", "nan", "2026-11-22T09:00:00Z", "2026-11-22T09:00:00", "1.5"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=20,
)  # fmt: skip
CAPTURED = [line for case in cases("mqtt_scale") for line in case.wire.splitlines()]


def sane(payload: bytes) -> None:
    online(payload)
    for recipe in RECIPES:
        with contextlib.suppress(ProtocolError):
            for each in parse(payload, recipe):
                if isinstance(each, NoWeight):
                    assert each.fault in ("saturated", "not_a_number") or each.fault.startswith(
                        "device_error: "
                    )
                    assert len(each.fault) < 200
                    continue
                assert math.isfinite(each.grams)
                assert -MOST_GRAMS <= each.grams <= MOST_GRAMS
                if each.time is not None:
                    assert isinstance(each.time.us, int)
                    assert each.time.relative or 0 <= each.time.us < 2**62


@given(st.binary(max_size=300))
def test_arbitrary_bytes(payload: bytes) -> None:
    sane(payload)


@given(VALUES)
def test_arbitrary_json(value: object) -> None:
    sane(json.dumps(value).encode())


@given(st.sampled_from(CAPTURED), st.integers(0, 300), st.integers(0, 300), st.binary(max_size=8))
def test_damaged_payloads(payload: bytes, at: int, to: int, noise: bytes) -> None:
    sane(payload[:at] + noise + payload[to:])


@given(st.text(alphabet="0123456789.eE+-naifNI ", max_size=20))
def test_numbers_as_text(text: str) -> None:
    sane(text.encode())
