"""An MQTT device's URL, and which topics its filters take."""

import pytest

from edge.readers.mqtt_urls import MqttUrl, matches, parse


@pytest.mark.parametrize(
    "url, means",
    [
        ("mqtt://192.0.2.5?topic=door/1", MqttUrl("192.0.2.5", 1883, False, ("door/1",))),
        ("mqtts://broker.example?topic=a/+/b", MqttUrl("broker.example", 8883, True, ("a/+/b",))),
        ("mqtt://h:1884?topic=a/#&topic=b", MqttUrl("h", 1884, False, ("a/#", "b"))),
        ("mqtt://h?topic=a%2F%23", MqttUrl("h", 1883, False, ("a/#",))),
        ("mqtt://[::1]:1883/?topic=t", MqttUrl("::1", 1883, False, ("t",))),
    ],
)
def test_good(url: str, means: MqttUrl) -> None:
    assert parse(url) == means


@pytest.mark.parametrize(
    "url, words",
    [
        ("mqtt://h", "names no topic"),
        ("mqtt://h?topic=", "is no topic"),
        ("mqtt://u:p@h?topic=t", "STOCKBEAT_READERS_USERNAME"),
        ("mqtt://h?topic=t&qos=2", "'qos' is no setting"),
        ("mqtt://h:70000?topic=t", "is no URL"),
        ("mqtt://?topic=t", "is no address of an MQTT device"),
        ("tcp://h:1?topic=t", "is no address of an MQTT device"),
        ("mqtt://h/t?topic=t", "is no address of an MQTT device"),
        ("mqtt://h?topic=a/b%23", "a '#' the whole last one"),
        ("mqtt://h?topic=%23/a", "a '#' the whole last one"),
        ("mqtt://h?topic=a%2Bb/c", "a '\\+' is a whole level"),
        ("mqtt://h?" + "&".join(f"topic={i}" for i in range(9)), "9 topics"),
    ],
)
def test_bad_says_what_would_be_right(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(url)


@pytest.mark.parametrize(
    "filters, topic, taken",
    [
        (("a/b",), "a/b", True),
        (("a/b",), "a/b/c", False),
        (("a/+",), "a/b", True),
        (("a/+",), "a", False),
        (("+/b", "c"), "c", True),
        (("a/#",), "a", True),  # MQTT 3.1.1, 4.7.1.2: the level above too
        (("a/#",), "a/b/c", True),
        (("#",), "$SYS/broker", False),  # 4.7.2
    ],
)
def test_filters(filters: tuple[str, ...], topic: str, taken: bool) -> None:
    assert matches(filters, topic) is taken
