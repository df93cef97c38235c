"""kill -9 at random moments while goods move: ledger equals truth. More of them: STOCKBEAT_KILLS=20."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sites import differences, kills, site, wait_for_the_end

pytestmark = pytest.mark.xdist_group("sites")  # whole sites: one at a time

KILLS = int(os.environ.get("STOCKBEAT_KILLS", "3"))
SEED = int(os.environ.get("STOCKBEAT_SEED", "5"))
EVERY_S = 10.0


@pytest.mark.timeout(180 + 20 * KILLS)
def test_edge_broker_and_cloud_killed_at_random_lose_and_double_nothing(tmp_path: Path) -> None:
    last_s = KILLS * (EVERY_S + 5) + 25
    with site(tmp_path, seed=SEED, last_s=last_s, quiet_s=15) as made:
        log = kills(made, random.Random(SEED), count=KILLS, every_s=EVERY_S)
        wait_for_the_end(made, last_s=last_s)
        assert differences(made, watched=False) == [], log
        verify = [
            sys.executable,
            "-m",
            "stockbeat",
            "cloud",
            "verify",
            "--config",
            str(tmp_path / "cloud.toml"),
        ]
        out = subprocess.run(verify, capture_output=True, text=True, check=False)
        assert out.returncode == 0, out.stdout + out.stderr
