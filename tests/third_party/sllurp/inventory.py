"""Reads tags from an LLRP reader with sllurp and prints what it saw as JSON: {"capabilities", "tags"}.

Runs in an environment of its own (make .venv-sllurp/.installed), because sllurp is GPL: this project never imports
it. Usage: inventory.py HOST PORT SECONDS ANTENNA...
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


def text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def main(host: str, port: int, seconds: float, antennas: list[int]) -> None:
    config = LLRPReaderConfig(
        {
            "antennas": antennas,
            "report_every_n_tags": 1,
            "tag_content_selector": FIELDS,
            "keepalive_interval": 500,
        }
    )
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
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), [int(number) for number in sys.argv[4:]])
