"""The program as a person meets it: real processes, nothing imported."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stockbeat.demo.processes import Process, ProcessError, wait_until

pytestmark = pytest.mark.timeout(60)  # starting Python a few times on a busy machine


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "stockbeat", *words], capture_output=True, text=True, check=False
    )


def test_help_names_every_command() -> None:
    out = run("--help")
    assert out.returncode == 0
    for command in ("edge", "cloud", "simulate", "demo", "replay", "schema", "broker"):
        assert f"\n  {command} " in out.stdout


def test_schema_is_json_and_names_every_event() -> None:
    schema = json.loads(run("schema").stdout)
    assert {"TagMovement", "ShelfChange", "Ack", "Telemetry", "WireEnvelope"} <= set(schema["$defs"])


def test_epc_says_what_a_tag_means() -> None:
    out = run("epc", "3074257BF7194E4000001A85", "AD3830770CCDD0AD38300206").stdout.splitlines()
    assert "80614141123458" in out[0]
    assert "no scheme has the header AD" in out[1]


@pytest.mark.parametrize("digits", ["ZZ", "", "30 74"])
def test_what_is_not_hexadecimal_is_said(digits: str) -> None:
    out = run("epc", digits)
    assert (out.returncode, out.stdout) == (1, "")
    assert f"not hexadecimal, an EPC is digits 0-9 and A-F: {digits!r}" in out.stderr


def test_an_unknown_command_is_named() -> None:
    out = run("egde")
    assert out.returncode == 2
    assert "No such command 'egde'" in out.stderr


def process(tmp_path: Path, code: str) -> Process:
    return Process("part", [sys.executable, "-u", "-c", code], tmp_path / "part.log", {})


def test_a_part_that_ends_before_it_is_ready_is_named_with_its_last_words(tmp_path: Path) -> None:
    part = process(tmp_path, "print('no such port'); raise SystemExit(1)")
    part.start()
    with pytest.raises(ProcessError, match=r"(?s)part ended before listening.*no such port"):
        wait_until(lambda: False, "listening", part)


def test_a_part_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    part = process(
        tmp_path, "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    )
    part.start()
    wait_until(lambda: "up" in part.last_words(), "word", part)
    part.stop()
    assert not part.running


def test_parts_die_with_the_demo_that_started_them(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from stockbeat.demo.processes import Process
part = Process("part", [sys.executable, "-c", "import time; time.sleep(60)"], Path({str(tmp_path)!r}) / "log", {{}})
part.start()
print(part.pid, flush=True)
time.sleep(60)
"""
    demo = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    with demo.stdout:
        child = int(demo.stdout.readline())
    demo.send_signal(signal.SIGKILL)
    demo.wait()
    for _ in range(1000):
        try:
            if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
                return  # dead; whoever inherited it has yet to collect it
        except FileNotFoundError:
            return
        os.sched_yield()
        subprocess.run(["true"], check=True)
    raise AssertionError(f"process {child} outlived the demo")
