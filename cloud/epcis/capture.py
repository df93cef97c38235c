"""Handing documents to an EPCIS repository, and what its answers mean.

Source: EPCIS 2.0, section 12 "REST bindings": POST to /capture answers 202 with the address of a capture job, which
says later whether the events were taken.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

TIMEOUT_S = 30.0
MAX_SAID = 300  # characters of an answer that people get to see
LONGEST_WAIT_S = 300.0  # a server may ask for more patience than this, but not get it

# It will never take this document; other 4xx are about who asks, where or when (RFC 9110, section 15.5), and say
# nothing of the document.
REFUSALS = frozenset({400, 406, 410, 411, 413, 415, 422, 431})
CONFLICT = 409  # it has these events already: they have the same ids, because they say the same
NO_JOBS = frozenset({401, 403, 404, 405, 410, 501})  # it keeps no capture jobs, or none that we may see


class CaptureDown(Exception):
    """The repository takes nothing just now, whatever we send: keep it, and try again."""

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class Refused(Exception):
    """The repository will never take this document; the message says why, in its words."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a capture job says of itself. `errors` is empty where all was taken."""

    running: bool
    errors: str = ""


class Repository:
    """One capture endpoint."""

    def __init__(self, capture_url: str, token: str) -> None:
        """Connects to nothing."""
        self._url = capture_url
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "GS1-EPCIS-Version": "2.0.0",
            "GS1-CBV-Version": "2.0.0",
            # All of a document or nothing, so that what was taken is known.
            "GS1-Capture-Error-Behaviour": "rollback",
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.Client(timeout=TIMEOUT_S, headers=headers)

    def capture(self, document: Mapping[str, Any]) -> str | None:
        """Hand a document over; return the address of its capture job, if it has one.

        Raises:
            CaptureDown: unreachable, overloaded, or the token or address is wrong.
            Refused: it will never take this document.
        """
        answer = self._ask("POST", self._url, json.dumps(document, ensure_ascii=False).encode())
        if answer.status_code == CONFLICT:
            return None
        if answer.status_code in REFUSALS:
            raise Refused(_said(answer))
        if not answer.is_success:
            raise CaptureDown(_said(answer), _retry_after(answer))
        job = answer.headers.get("Location")
        # Elsewhere than at the repository itself our token has no business.
        return _same_place(self._url, job) if job else None

    def job(self, address: str) -> Job:
        """Ask what became of a document.

        Raises:
            CaptureDown: unreachable or overloaded, or it may not be asked.
        """
        answer = self._ask("GET", address)
        if answer.status_code in NO_JOBS:
            return Job(running=False)
        if not answer.is_success:
            raise CaptureDown(_said(answer), _retry_after(answer))
        try:
            said = answer.json()
        except ValueError:
            said = None
        if not isinstance(said, dict):
            return Job(running=False)
        if said.get("running"):
            return Job(running=True)
        if said.get("success", True):
            return Job(running=False)
        return Job(running=False, errors=_short(json.dumps(said.get("errors", said), ensure_ascii=False)))

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, url: str, body: bytes | None = None) -> httpx.Response:
        try:
            return self._client.request(method, url, content=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CaptureDown(_short(f"{type(error).__name__}: {error}")) from error


def _same_place(capture_url: str, location: str) -> str | None:
    job = urljoin(capture_url, location)
    here, there = httpx.URL(capture_url), httpx.URL(job)
    same = (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)
    return job if same and len(job) <= MOST_OF_AN_ADDRESS else None


MOST_OF_AN_ADDRESS = 500  # as the ledger keeps it


def _said(answer: httpx.Response) -> str:
    return _short(f"{answer.status_code}: {answer.text.strip() or answer.reason_phrase}")


def _short(text: str) -> str:
    return text if len(text) <= MAX_SAID else f"{text[:MAX_SAID]}…"


def _retry_after(answer: httpx.Response) -> float | None:
    """RFC 9110, section 10.2.3; a date instead of seconds is passed over."""
    text = answer.headers.get("Retry-After", "")
    return min(float(text), LONGEST_WAIT_S) if text.isascii() and text.isdigit() else None
