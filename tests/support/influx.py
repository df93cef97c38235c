"""A real InfluxDB for tests: Debian's 1.6, behind an nginx that gives it the v2 write API.

The API that InfluxDB 2 answers itself is mapped to the one that 1.6 has: precision names, bucket to database, the
token checked. What only InfluxDB 2 does (organisations, Flux, 422) is not there.
"""

import json
import os
import pwd
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.config import SeriesConfig
from tests.support.servers import Server, free_port, program, running

TOKEN = "the-token-of-the-tests"  # not a secret: of a server that lives for one test
BUCKET = "stockbeat"

INFLUXD = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
[monitor]
  store-enabled = false
"""

NGINX = """
daemon off;
worker_processes 1;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 50m;
  client_body_buffer_size 50m;
  map $arg_precision $p1 {{ default ns; ns ns; us u; ms ms; s s; }}
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    if ($http_authorization != "Token {token}") {{ return 401 '{{"message": "unauthorized access"}}'; }}
    location = /api/v2/write {{
      add_header Retry-After $retry_after always;
      set $retry_after "";
      if (-f {folder}/down) {{ set $retry_after 2; return 503 '{{"message": "shutting down"}}'; }}
      set $args "db=$arg_bucket&precision=$p1";
      rewrite ^ /write break;
      proxy_set_header Authorization "";
      proxy_pass http://127.0.0.1:{http};
    }}
    location = /query {{
      proxy_set_header Authorization "";
      proxy_pass http://127.0.0.1:{http};
    }}
  }}
}}
"""


@dataclass
class InfluxServer:
    database: Server
    shim: Server
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.shim.port}"

    def config(self, bucket: str = BUCKET) -> SeriesConfig:
        return SeriesConfig(url=self.url, org="example", bucket=bucket)

    def answer_503(self, yes: bool) -> None:
        """While on, writes are answered 503 with Retry-After: 2."""
        marker = self.folder / "down"
        if yes:
            marker.touch()
        else:
            marker.unlink(missing_ok=True)

    def query(self, influxql: str) -> list[dict[str, Any]]:
        """The rows of every series of an InfluxQL answer, its tags among the columns; times in nanoseconds."""
        answer = self._post(influxql)
        rows = []
        for result in answer["results"]:
            assert "error" not in result, (influxql, result["error"])
            for series in result.get("series", ()):
                tags = series.get("tags", {})
                rows += [
                    tags | dict(zip(series["columns"], values, strict=True)) for values in series["values"]
                ]
        return rows

    def _post(self, influxql: str) -> Any:
        body = urllib.parse.urlencode({"db": BUCKET, "epoch": "ns", "q": influxql}).encode()
        request = urllib.request.Request(f"{self.url}/query", body, {"Authorization": f"Token {TOKEN}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@contextmanager
def influx(folder: Path) -> Iterator[InfluxServer]:
    """InfluxDB with an empty bucket, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    http, rpc, port = free_port(), free_port(), free_port()
    config = folder / "influxdb.conf"
    config.write_text(INFLUXD.format(folder=folder, http=http, rpc=rpc), "utf-8")
    user = pwd.getpwuid(os.getuid()).pw_name  # else root's worker is nobody, who may not enter the folder
    shim_config = folder / "nginx.conf"
    shim_config.write_text(NGINX.format(folder=folder, http=http, port=port, token=TOKEN, user=user), "utf-8")
    shim_folder = folder / "shim"
    shim_folder.mkdir()
    database = Server([program("influxd"), "-config", str(config)], http, folder)
    log = ["-e", str(folder / "nginx-error.log")]
    shim = Server([program("nginx"), *log, "-c", str(shim_config), "-p", str(folder)], port, shim_folder)
    with running(database), running(shim):
        server = InfluxServer(database, shim, folder)
        server._post(f"CREATE DATABASE {BUCKET}")
        yield server
