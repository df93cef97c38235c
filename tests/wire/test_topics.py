import pytest

from wire.topics import Kind, every_edge, parse, topic


@pytest.mark.parametrize("kind", list(Kind))
def test_a_topic_comes_back(kind: Kind) -> None:
    assert parse(topic("store-042", kind)) == ("store-042", kind)


def test_topics_are_spelled_as_promised() -> None:
    assert topic("store-042", Kind.EVENTS) == "stockbeat/v1/store-042/events"
    assert every_edge(Kind.STATUS) == "stockbeat/v1/+/status"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stockbeat/v1/store-042",
        "stockbeat/v1/store-042/events/x",
        "stockbeat/v2/store-042/events",
        "stockbeat/v1/Store/events",
        "stockbeat/v1//events",
        "stockbeat/v1/store-042/events\n",
        "stockbeat/v1/a/b/events",
    ],
)
def test_a_foreign_topic_is_nobodys(text: str) -> None:
    assert parse(text) is None
