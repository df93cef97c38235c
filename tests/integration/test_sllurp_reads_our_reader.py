"""sllurp, an LLRP client of another make, reads the simulated reader unmodified and sees what it was shown."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from simulators.single import standing_tags

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-sllurp" / "bin" / "python"
SCRIPT = ROOT / "tests" / "third_party" / "sllurp" / "inventory.py"
TAGS = 6
SECONDS = 3


@pytest.mark.timeout(60)
@pytest.mark.parametrize("impinj", [False, True])
def test_an_independent_client_reads_the_simulated_reader(impinj: bool) -> None:
    words = [sys.executable, "-m", "simulators", "llrp", "--listen", "127.0.0.1:0", "--tags", str(TAGS),
             "--kind", "impinj" if impinj else "plain"]  # fmt: skip
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as reader:
        try:
            assert reader.stdout is not None
            host, port = reader.stdout.readline().strip().removeprefix("tcp://").split(":")
            done = subprocess.run(
                [
                    PYTHON,
                    SCRIPT,
                    *(["--impinj"] if impinj else []),
                    host,
                    port,
                    str(SECONDS),
                    "1",
                    "2",
                    "3",
                    "4",
                ],
                capture_output=True,
                text=True,
                timeout=40,
                check=False,
            )
        finally:
            reader.terminate()
            reader.wait(10)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["capabilities"] == {
        "MaxNumberOfAntennaSupported": 4,
        "ReaderFirmwareVersion": "simulated 1.0",
    }
    reads = Counter(tag["EPC"].upper() for tag in seen["tags"])
    assert set(reads) == set(standing_tags(TAGS))
    assert min(reads.values()) >= SECONDS  # each stands there and is read some five times a second
    for tag in seen["tags"]:
        assert tag["AntennaID"] in (1, 2, 3, 4)
        assert -75 <= tag["PeakRSSI"] <= -65
        assert 1 <= tag["ChannelIndex"] <= 4
        assert tag["TagSeenCount"] == 1
        assert tag["FirstSeenTimestampUTC"] == tag["LastSeenTimestampUTC"]
        assert (tag["ROSpecID"], tag["SpecIndex"], tag["InventoryParameterSpecID"]) == (1, 1, 1)
        assert ("ImpinjRFPhaseAngle" in tag) == impinj
        if impinj:
            assert tag["ImpinjPeakRSSI"] == 100 * tag["PeakRSSI"]
            assert 0 <= tag["ImpinjRFPhaseAngle"] < 4096
            assert tag["ImpinjRFDopplerFrequency"] == 0
    at = [tag["FirstSeenTimestampUTC"] for tag in seen["tags"]]
    assert at == sorted(at)
    assert 0.5e6 < at[-1] - at[0] < (SECONDS + 1) * 1e6
