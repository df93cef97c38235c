"""What is said to a simulated device on standard input, however many lines come at once."""

import asyncio
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "words",
    ["llrp --listen 127.0.0.1:0", "thingmagic --listen 127.0.0.1:0", "m100 --listen 127.0.0.1:0", "sics --link {}"],
    ids=["llrp", "thingmagic", "m100", "sics"],
)  # fmt: skip
async def test_each_of_the_lines_that_come_together_is_heard(words: str, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *words.format(tmp_path / "scale").split(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        await process.stdout.readline()  # it is there
        process.stdin.write(b"dance\nsing\nmore")
        for word in (b"'dance'", b"'sing'"):
            assert word in await process.stderr.readline()
        process.stdin.close()
        assert b"'more'" in await process.stderr.readline()
        assert process.returncode is None
    finally:
        process.terminate()
        await process.communicate()
