"""An EPCIS repository on a port of its own, as much of EPCIS 2.0's REST binding as a capturing client meets.

It keeps events by their id, so that one that comes twice is there once, and fails in the ways that a test tells it.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Repository:
    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.posts: list[dict[str, Any]] = []  # every document that came, taken or not
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []  # instead of taking the next documents
        self.bad: set[str] = set()  # ids of events that it refuses, and with them the whole document
        self.jobs = False  # whether it answers with capture jobs
        self.polls_until_done = 0
        self.job_answer = 200
        self.token = ""
        self.drop_after_taking = False  # the answer is lost on its way
        self.before_answering: Callable[[], None] | None = None  # once a document was taken
        self._jobs: dict[str, tuple[int, list[str]]] = {}
        self._lock = threading.Lock()

    def post(self, document: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        with self._lock:
            self.posts.append(document)
            if self.answers:
                status, headers = self.answers.pop(0)
                return status, headers, {"type": "epcisException:ImplementationException", "status": status}
            events = document["epcisBody"]["eventList"]
            errors = [event["eventID"] for event in events if event["eventID"] in self.bad]
            if not errors:
                self.events.update({event["eventID"]: event for event in events})
            if self.jobs:
                name = f"job-{len(self._jobs)}"
                self._jobs[name] = (self.polls_until_done, errors)
                return 202, {"Location": f"/capture/{name}"}, {}
            if errors:
                return 400, {}, {"type": "epcisException:ValidationException", "detail": f"no {errors[0]}"}
            return 202, {}, {}

    def job(self, name: str) -> tuple[int, Any]:
        with self._lock:
            if self.job_answer != 200:
                return self.job_answer, {}
            polls, errors = self._jobs[name]
            if polls:
                self._jobs[name] = (polls - 1, errors)
                return 200, {"captureID": name, "running": True, "success": True}
            return 200, {
                "captureID": name,
                "running": False,
                "success": not errors,
                "errors": [{"type": "epcisException:ValidationException", "detail": one} for one in errors],
            }


@contextmanager
def repository(port: int = 0, held: Repository | None = None) -> Iterator[tuple[Repository, str]]:
    """A repository that listens until the block ends, and the URL of its capture endpoint."""
    keeps = held or Repository()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"  # closes each connection, so that a repository that is gone is gone

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            keeps.headers.append(dict(self.headers))
            if keeps.token and self.headers.get("Authorization") != f"Bearer {keeps.token}":
                self._answer(401, {}, {"type": "epcisException:SecurityException"})
                return
            answer = keeps.post(json.loads(body))
            if keeps.before_answering is not None:
                keeps.before_answering()
            if keeps.drop_after_taking:
                self.close_connection = True
                return
            self._answer(*answer)

        def do_GET(self) -> None:
            status, body = keeps.job(self.path.rpartition("/")[2])
            self._answer(status, {}, body)

        def _answer(self, status: int, headers: dict[str, str], body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield keeps, f"http://127.0.0.1:{server.server_port}/capture"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
