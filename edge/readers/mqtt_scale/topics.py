"""Which topic says of a scale that it is online, from the topic of its weight. Pure."""

from edge.readers.mqtt_scale.protocol import Format


def status_of(topic: str, format: Format) -> str | None:
    """The topic of the device's last will as its firmware makes it; None where that cannot be told.

    Sources: Tasmota, `tele/<topic>/LWT` beside `tele/<topic>/SENSOR`; ESPHome, `<prefix>/status` beside
    `<prefix>/sensor/<name>/state`.
    """
    levels = topic.split("/")
    if "+" in levels or "#" in levels:
        return None
    if format == "tasmota" and levels[-1] == "SENSOR":
        return "/".join([*levels[:-1], "LWT"])
    if format == "tasmota" and levels[-1] == "STATUS10" and "stat" in levels:
        return "/".join(["tele" if level == "stat" else level for level in levels[:-1]] + ["LWT"])
    if format == "esphome" and len(levels) > 3 and levels[-3] == "sensor" and levels[-1] == "state":
        return "/".join([*levels[:-3], "status"])
    return None
