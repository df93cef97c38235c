"""Writing lines to InfluxDB, and what its answers mean."""

import logging
from collections.abc import Sequence
from typing import Any

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from cloud.config import SeriesConfig

log = logging.getLogger(__name__)

TIMEOUT_MS = 10_000
MAX_SAID = 300  # characters of an answer: one about a bad batch of 5,000 lines was 650 KB long
LONGEST_WAIT_S = 300.0  # a server may ask for more patience than this, but not get it

BAD_LINES = (400, 413, 422)  # malformed or too many; 422 is InfluxDB 2's conflict of types
PARTIAL = "partial write"  # both versions say so where they kept the good lines of the batch


class SeriesDown(Exception):
    """The series database takes nothing just now, whatever we send: keep it, and try again."""

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class Influx:
    """One bucket of one InfluxDB that takes the v2 write API."""

    def __init__(self, config: SeriesConfig, token: str) -> None:
        """Connects to nothing."""
        self._client = InfluxDBClient(url=config.url, token=token, org=config.org, timeout=TIMEOUT_MS)
        self._write = self._client.write_api(write_options=SYNCHRONOUS)
        self._bucket = config.bucket
        self.refused = 0  # lines or parts of batches that it will never take

    def write(self, lines: Sequence[str]) -> None:
        """Write all lines, in one request where that is possible. Lines it will never take are said and dropped.

        Writing the same lines again changes nothing.

        Raises:
            SeriesDown: unreachable, overloaded, or the token or bucket is wrong.
        """
        if not lines:
            return
        try:
            self._write.write(
                self._bucket,
                record="\n".join(lines),
                write_precision=WritePrecision.NS,  # type: ignore[arg-type]  # its constants are plain strings
            )
        except ApiException as error:
            self._answered(error, lines)
        except (HTTPError, OSError) as error:
            raise SeriesDown(_short(f"{type(error).__name__}: {error}")) from error

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # the library has no annotations here

    def _answered(self, error: ApiException, lines: Sequence[str]) -> None:
        said = _short(str(error.body or error.reason or ""))
        if error.status not in BAD_LINES:
            raise SeriesDown(f"{error.status}: {said}", _retry_after(error)) from error
        if PARTIAL in str(error.body):
            self.refused += 1
            log.warning("the series database took only part of %d lines: %s", len(lines), said)
        elif len(lines) == 1:
            self.refused += 1
            log.warning("the series database refused %r: %s", lines[0][:MAX_SAID], said)
        else:  # it took none: find the bad ones by halves
            middle = len(lines) // 2
            self.write(lines[:middle])
            self.write(lines[middle:])


def _retry_after(error: ApiException) -> float | None:
    """RFC 9110, section 10.2.3; a date instead of seconds is passed over."""
    headers: Any = error.headers or {}  # urllib3's, which compares names as HTTP does
    text = headers.get("Retry-After", "")
    return min(float(text), LONGEST_WAIT_S) if text.isdigit() else None


def _short(text: str) -> str:
    return text if len(text) <= MAX_SAID else f"{text[:MAX_SAID]}…"
