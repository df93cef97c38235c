"""Bytes captured from readers in the field, against what was published of them: device-rfid-llrp-go's test data."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from edge.readers.llrp.protocol.answers import rospecs, status
from edge.readers.llrp.protocol.capabilities import capabilities
from edge.readers.llrp.protocol.events import event
from edge.readers.llrp.protocol.params import walk
from edge.readers.llrp.protocol.reports import ReportDecoder
from tests.support.llrp_tags import rows

ROOT = Path(os.environ.get("STOCKBEAT_DATA") or Path(__file__).parents[4] / "shared" / "data")
FOLDER = ROOT / "llrp"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recordings at {FOLDER}; set STOCKBEAT_DATA"),
]


def load(name: str) -> tuple[bytes, dict[str, Any]]:
    """A message's body, without its header, and its published meaning."""
    return (FOLDER / f"{name}.bytes").read_bytes(), json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("number", range(1, 10))
def test_reports(number: int) -> None:
    body, golden = load(f"roAccessReports/ROAccessReport-{number:03}")
    reports = rows(ReportDecoder().decode(body))
    assert [
        (
            base64.b64encode(report.epc).decode(),
            report.antenna,
            report.rssi_dbm,
            report.channel,
            report.first_utc,
            report.last_utc,
            report.first_uptime,
            report.last_uptime,
            report.reads,
        )
        for report in reports
    ] == [
        (
            tag["EPC96"]["EPC"],
            tag["AntennaID"],
            tag["PeakRSSI"],
            tag["ChannelIndex"],
            tag["FirstSeenUTC"],
            tag["LastSeenUTC"],
            tag["FirstSeenUptime"],
            tag["LastSeenUptime"],
            tag["TagSeenCount"],
        )
        for tag in golden["TagReportData"]
    ]


def test_capabilities() -> None:
    body, golden = load("GetReaderCapabilitiesResponse-000")
    device = golden["GeneralDeviceCapabilities"]
    able = capabilities(body)
    assert device["DeviceManufacturer"] == 25882
    assert able.detail == f"Impinj model {device['Model']}, firmware {device['FirmwareVersion']}"
    assert able.gpis == device["GPIOCapabilities"]["NumGPIs"]
    assert able.holds == golden["LLRPCapabilities"]["SupportsEventsAndReportHolding"]
    tables = golden["RegulatoryCapabilities"]["UHFBandCapabilities"]["FrequencyInformation"][
        "FrequencyHopTables"
    ]
    assert list(able.frequencies_khz) == tables[0]["Frequencies"]


def test_an_event() -> None:
    body, golden = load("ReaderEventNotification-000")
    told = event(body)
    assert told.utc == golden["ReaderEventNotificationData"]["UTCTimestamp"]
    assert told.closing
    assert told.attempt is None


@pytest.mark.parametrize("name", ["CloseConnectionResponse", "GetROSpecsResponse", "GetAccessSpecsResponse"])
def test_answers(name: str) -> None:
    body, golden = load(f"{name}-000")
    assert status(body).code == golden["LLRPStatus"]["Status"]
    assert rospecs(body) == {}


@pytest.mark.parametrize("name", ["GetReaderConfigResponse", "GetReaderCapabilitiesResponse"])
def test_every_parameter_is_walked(name: str) -> None:
    body, _ = load(f"{name}-000")
    params = list(walk(body, 0, len(body)))
    assert params[0].type == 287
    assert params[-1].end == len(body)
