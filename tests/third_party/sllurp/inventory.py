"""Reads tags from an LLRP reader with sllurp and prints what it saw as JSON: {"capabilities", "tags"}.

Runs in an environment of its own (make .venv-sllurp/.installed), because sllurp is GPL: this project never imports
it. Usage: inventory.py [--impinj] HOST PORT SECONDS ANTENNA...
"""

import json
import sys
import time

from sllurp.llrp import LLRPReaderClient, LLRPReaderConfig

FIELDS = {
    "EnableROSpecID": True,
    "EnableSpecIndex": True,
    "EnableInventoryParameterSpecID": True,
    "EnableAntennaID": True,
    "EnableChannelIndex": True,
    "EnablePeakRSSI": True,
    "EnableFirstSeenTimestamp": True,
    "EnableLastSeenTimestamp": True,
    "EnableTagSeenCount": True,
    "EnableAccessSpecID": False,
}


EXTRA = {
    "EnableSerializedTID": True,
    "EnableRFPhaseAngle": True,
    "EnablePeakRSSI": True,
    "EnableRFDopplerFrequency": True,
}


def text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def main(host: str, port: int, seconds: float, antennas: list[int], impinj: bool) -> None:
    settings = {
        "antennas": antennas,
        "report_every_n_tags": 1,
        "tag_content_selector": FIELDS,
        "keepalive_interval": 500,
    }
    if impinj:
        settings |= {"impinj_search_mode": "2", "impinj_tag_content_selector": EXTRA}
    config = LLRPReaderConfig(settings)
    tags: list[dict[str, object]] = []

    def seen(reader: object, reports: list[dict[str, object]]) -> None:
        tags.extend({key: text(value) for key, value in report.items()} for report in reports)

    client = LLRPReaderClient(host, port, config)
    client.add_tag_report_callback(seen)
    client.connect()
    time.sleep(seconds)
    capabilities = client.llrp.capabilities
    client.disconnect(timeout=5)
    general = capabilities["GeneralDeviceCapabilities"]
    told = {key: text(general[key]) for key in ("MaxNumberOfAntennaSupported", "ReaderFirmwareVersion")}
    json.dump({"capabilities": told, "tags": tags}, sys.stdout, default=repr)


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--impinj"]
    main(words[0], int(words[1]), float(words[2]), [int(n) for n in words[3:]], "--impinj" in sys.argv)
